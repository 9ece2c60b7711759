"""What only a few want of a part, such as its downloads, behind one "⋯"."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from explainer.content import load_texts
from explainer.state.place import Place


@contextmanager
def more(place: Place, part: str) -> Iterator[None]:
    """Draw the "⋯" of a part; what is drawn inside of the ``with`` opens with it.

    Args:
        part: of the page; it has at most one "⋯".
    """
    texts = load_texts("frame")
    with (
        st.container(key=place.key(f"more-{part}"), horizontal=True, horizontal_alignment="right"),
        st.popover(texts["more"], type="tertiary", help=texts["more_help"]),
    ):
        yield
