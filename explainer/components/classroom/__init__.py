"""A teacher's console of a class: its code, who is there, and what the class has answered.

It hears of the class over the class's own line, never through a run of the page.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from explainer.components import assets
from explainer.components.component_state import state_of

_mount = st.components.v2.component(
    "vit_explainer.classroom_console",
    html='<div class="explorer"><div class="console"></div></div>',
    css=assets.stylesheet("shared/shared", "classroom/console"),
    js=assets.javascript(
        "shared/data", "shared/kept", "shared/class_line", "classroom/line", "classroom/console"
    ),
)


@dataclass(frozen=True)
class Picture:
    """The picture that the class sees, for the clicks on it.

    Attributes:
        src: of an image, as an address with everything in it.
        rendering: CSS's ``image-rendering`` for it.
    """

    src: str
    rendering: str


@dataclass(frozen=True)
class Console:
    """What the console hears from its page.

    Attributes:
        code: of the class.
        ticket: by which the line knows the teacher's browser.
        address: of the line, seen from the page.
        link: parameters of the link to the model and picture of the page.
        where: address at which pupils type the code.
        square: the QR code of the link to join, as the address of an image.
        is_local: whether that link leads nobody here who sits at another computer.
        elsewhere: the page's address for other computers, where that one is local; may be unknown.
        story: link to the story before the class.
        screens: titles of the story's screens, in their order.
        names: name of a screen → its title.
        picture: that the class sees.
        texts: of the console.
    """

    code: str
    ticket: str
    address: str
    link: str
    where: str
    square: str
    is_local: bool
    elsewhere: str
    story: str
    screens: Sequence[str]
    names: Mapping[str, str]
    picture: Picture
    texts: Mapping[str, str]


def show_console(*, key: str, console: Console, on_link: Callable[[object], None]) -> None:
    """Show the console.

    Args:
        on_link: called before the rerun with the parameters of the link that the class sees now,
            as the browser sent them.
    """
    with st.container(gap=None):
        _mount(
            key=key,
            data=asdict(console),
            on_link_change=lambda: on_link(state_of(key).get("link")),
        )
