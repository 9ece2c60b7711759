"""The story's screens, drawn in the browser from one trace.

The server sends the numbers of one picture once. A model that is too large for the browser is asked
over the line ``story-line``. To turn to another screen, to point and to predict
asks nobody; only another picture, another patch to follow and the answers go back to the server.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from explainer.components import assets, live
from explainer.components.component_state import state_of
from explainer.components.packing import pack
from explainer.components.selection import send_choice
from explainer.components.stage import FILES

SCENES = (
    "picture",
    "tokens",
    "attention",
    "answer",
    "loss",
    "step",
    "claims",
    "alike",
    "map",
    "learning",
)

_mount = st.components.v2.component(
    "vit_explainer.story",
    html='<div class="explorer"><div class="story"></div></div>',
    css=assets.stylesheet(
        "shared/shared", "drawing_pad/drawing_pad", "stage/bars", "story/story", "story/halves",
        "story/present", "story/classroom",
    ),
    js=live.javascript() + assets.javascript(
        "shared/data", "shared/kept", "shared/grid", "shared/numbers", "shared/keys", *FILES,
        "shared/save_picture", "drawing_pad/centred", "drawing_pad/pad",
        "live/edit_text", "live/edit_pixels",
        "story/trace", "story/asked", "story/answers", "story/half", "story/board",
        "story/poll", "story/rightly", "story/prediction", "story/screen",
        *(f"story/{name}" for name in SCENES),
        "story/difference", "story/halves",
        "story/screens", "story/history", "story/save", "shared/class_line",
        "classroom/line", "story/laser", "story/present",
        "story/lesson", "story/classroom", "story/story",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What the story hears from the page beside the numbers of the picture.

    Attributes:
        query: the followed token.
        screen: from 1, for a browser whose address says none.
        target: the class that a visitor says a picture shows; None until somebody did.
        addresses: view → path of its page.
        live: from ``browser_model``; None for a model that is too large for a browser.
        drawing: name of the drawing that is looked at; empty for another picture.
        other_live: ``live`` of the second half of a comparison.
        room: of a class, its page's ``room_told``; None without one.
    """

    query: int
    screen: int
    target: int | None
    addresses: Mapping[str, str]
    live: Mapping[str, Any] | None
    drawing: str
    other_live: Mapping[str, Any] | None = None
    room: Mapping[str, Any] | None = None


def pack_halves(compared: Mapping[str, Any], first: bytes, second: bytes) -> bytes:
    """Join what the browser needs of two models or pictures that are compared.

    Args:
        compared: ``a`` and ``b``, what the halves are called; ``changed``, a sentence on what is
            changed in the second; ``edits`` of it, as ``readEdits`` of ``live/edit_text.js``
            returns them; ``one_picture``, whether both show the same before these.
        first, second: from ``pack_story``.
    """
    halves = {"a": np.frombuffer(first, np.uint8), "b": np.frombuffer(second, np.uint8)}
    return pack({"compared": dict(compared)}, halves)


def story(
    *,
    key: str,
    data: bytes,
    told: Told,
    on_hear: Callable[[Mapping[str, Any]], None],
) -> tuple[str, int, str] | None:
    """Show the story; return which page was just asked for.

    That is its view, on which screen it was asked for, and the text of the edits that go along.

    Args:
        data: from ``pack_story`` or ``pack_halves``.
        on_hear: called before the rerun with what the visitor did, as the browser sent it.
    """

    def on_change() -> None:
        heard = state_of(key).get("heard")
        if isinstance(heard, Mapping):
            on_hear(heard)

    with st.container(gap=None):
        result = _mount(
            key=key, data=data, on_heard_change=on_change, on_opened_change=lambda: None
        )
        send_choice(
            key,
            {
                "query": told.query,
                "screen": told.screen,
                "target": told.target,
                "addresses": dict(told.addresses),
                "live": told.live,
                "other_live": told.other_live,
                "drawing": told.drawing,
                "room": told.room,
            },
        )
    opened = result.opened
    if not isinstance(opened, Mapping) or not isinstance(opened.get("view"), str):
        return None
    screen, edits = opened.get("screen"), opened.get("edits")
    return (
        opened["view"],
        screen if type(screen) is int else told.screen,
        edits if isinstance(edits, str) else "",
    )
