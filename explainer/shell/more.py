"""What only a few want of a part, such as its pictures and numbers as files, behind one "⋯"."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from html import escape

import streamlit as st

from explainer.components.copy_picture import copy_picture
from explainer.content import load_texts
from explainer.figures import drawn
from explainer.shell.downloads import put_off
from explainer.shell.saved import TEXTS, Heading, Saved, saved_pictures
from explainer.state import sight
from explainer.state.place import Place

Draw = Callable[[], None]
# what is to be drawn behind the "⋯" of the part that is being drawn, and of which half it is
_offers: ContextVar[list[tuple[str, Draw]] | None] = ContextVar("offers", default=None)
# for one who reads a page without a browser: every picture that it has
listeners: list[Callable[[Sequence[Saved]], None]] = []


@contextmanager
def part(place: Place, heading: Heading) -> Iterator[None]:
    """Draw a part inside of the ``with``, and below it one "⋯" with its pictures and numbers."""
    offers: list[tuple[str, Draw]] = []
    token = _offers.set(offers)
    try:
        with drawn.collect() as pictures:
            yield
    finally:
        _offers.reset(token)
    if not (pictures or offers):
        return
    if listeners:
        saved = saved_pictures(heading, pictures)
        for listener in listeners:
            listener(saved)
    with menu(place, heading.part) as is_open:
        if is_open:
            show_pictures(place, saved_pictures(heading, pictures))
            show_files(offers)


@contextmanager
def more(place: Place, name: str) -> Iterator[None]:
    """Put the files that are offered inside of the ``with`` behind the "⋯" of the part.

    Args:
        name: of the part, which has a "⋯" of its own where it is drawn alone.
    """
    with put_off() as draws:
        yield
    offers = _offers.get()
    if offers is not None:
        offers.extend((place.half, draw) for draw in draws)
        return
    with menu(place, name) as is_open:
        if is_open:
            for draw in draws:
                draw()


@contextmanager
def menu(place: Place, name: str) -> Iterator[bool]:
    """Draw the "⋯"; what stands behind it is sent only while somebody has it open."""
    texts = load_texts("frame")
    with st.container(key=place.key(f"more-{name}"), horizontal=True, horizontal_alignment="right"):
        opened = st.popover(
            texts["more"],
            type="tertiary",
            help=texts["more_help"],
            key=place.key(f"more-{name}-open"),
            on_change="rerun",
        )
    with opened:
        yield bool(opened.open) or sight.DRAWS_ALL


def show_files(offers: Sequence[tuple[str, Draw]]) -> None:
    """Offer the numbers; in a comparison those of each half below its name."""
    if offers:
        st.markdown(f"**{TEXTS['files']}**")
    shown = ""
    for half, draw in offers:
        if half != shown:
            st.markdown(load_texts("compare")[half])
            shown = half
        draw()


def show_pictures(place: Place, pictures: Sequence[Saved]) -> None:
    """Offer each picture as PNG, as SVG and to be copied."""
    if not pictures:
        return
    st.markdown(f"**{TEXTS['title']}**")
    for picture in pictures:
        key = place.key(f"save-{picture.name}")
        with st.container(key=key, gap=None):
            # bare letters, in which a stranger's name may stand
            st.html(f'<p class="saved-picture">{escape(picture.about.title)}</p>')
            with st.container(horizontal=True, vertical_alignment="center"):
                show_buttons(picture, key)


def show_buttons(picture: Saved, key: str) -> None:
    for kind in ("png", "svg"):
        st.download_button(
            TEXTS[kind],
            data=picture.maker(kind),
            file_name=f"{picture.name.replace('.', '-')}.{kind}",
            mime="image/png" if kind == "png" else "image/svg+xml",
            key=f"{key}-{kind}",
            help=TEXTS[f"{kind}_help"],
            on_click="ignore",
            type="tertiary",
        )
    copy_picture(key=f"{key}-copy", make=picture.maker("png"), texts=TEXTS["copy"])
