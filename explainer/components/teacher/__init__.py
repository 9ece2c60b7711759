"""The teacher's window: it follows the story in another tab, and knows what will turn out.

The screens' answers are computed in the browser, by the same functions as in the story.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from explainer.components import assets, live
from explainer.components.component_state import state_of
from explainer.components.selection import send_choice
from explainer.components.stage import FILES
from explainer.components.story import SCENES

_mount = st.components.v2.component(
    "vit_explainer.teacher",
    html='<div class="explorer"><div class="teacher"></div></div>',
    css=assets.stylesheet(
        "shared/shared", "drawing_pad/drawing_pad", "stage/bars", "story/story", "teacher/teacher",
    ),
    js=live.javascript() + assets.javascript(
        "shared/data", "shared/kept", "shared/grid", "shared/numbers", "shared/keys", *FILES,
        "drawing_pad/centred", "drawing_pad/pad",
        "story/trace", "story/asked", "story/half", "story/board", "story/rightly",
        "story/prediction",
        "story/screen", *(f"story/{name}" for name in SCENES),
        "story/screens", "story/history", "shared/class_line", "teacher/quiet_story",
        "teacher/plan", "teacher/teacher",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Lesson:
    """What the window hears from its page beside the numbers of the picture.

    Attributes:
        query: the followed token.
        target: the class that a visitor says a picture shows; None until somebody did.
        link: parameters of the link to what is shown.
        address: of the story, without parameters.
        live: from ``browser_model``; None for a model that is too large for a browser.
        room: ``code`` of the teacher's class and ``address`` of its page; None without a class.
        texts: of the window.
        says: what to say on each screen, as sentences.
        plans: length of a lesson in minutes → minutes for each screen, 0 for one that is left out.
    """

    query: int
    target: int | None
    link: str
    address: str
    live: Mapping[str, Any] | None
    room: Mapping[str, str] | None
    texts: Mapping[str, str]
    says: Sequence[Sequence[str]]
    plans: Mapping[str, Sequence[int]]


def teacher(*, key: str, data: bytes, lesson: Lesson, on_link: Callable[[object], None]) -> None:
    """Show the window.

    Args:
        data: from ``pack_story``.
        on_link: called before the rerun with the parameters of the link that the story has now, as
            the browser sent them.
    """
    with st.container(gap=None):
        _mount(key=key, data=data, on_link_change=lambda: on_link(state_of(key).get("link")))
        send_choice(key, asdict(lesson))
