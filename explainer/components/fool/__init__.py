"""A page on which a visitor changes a picture or a model and sees the answer change at once.

The server sends the picture and its answer once. What a visitor does there is computed and written
to the address by the browser; the server hears of it when the hand rests. A model that is too large
for the browser is asked over the line ``LINE``, and challenges over ``BOUNDS``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explainer.components import assets, live
from explainer.components.selection import send_choice
from explainer.components.stage import FILES

KEY = "fool"
LINE = "fool-line"  # on which passes of a large model are asked for
BOUNDS = "fool-bounds"  # on which the search of a challenge is asked for
OWN_FILES = ("steps", "rules", "lines", "board", "heads", "challenges", "save", "fool")

_mount = st.components.v2.component(
    "vit_explainer.fool",
    html='<div class="explorer"><div class="fool"></div></div>',
    css=assets.stylesheet("shared/shared", "stage/bars", "fool/fool"),
    js=live.javascript()
    + assets.javascript(
        "shared/data",
        "shared/kept",
        "shared/grid",
        "shared/numbers",
        "shared/save_picture",
        *FILES,
        "story/trace",
        "live/edit_text",
        "live/edit_pixels",
        *(f"fool/{name}" for name in OWN_FILES),
    ),
)


@dataclass(frozen=True)
class Told:
    """What the browser hears beside the picture.

    Attributes:
        edits: the text of the changes, as the link has them.
        live: from ``browser_model``; None for a model that is too large for a browser.
        addresses: view → path of its page, with a comparison of before and after.
        after: names of a link's parameters that stand behind ``edits``.
    """

    edits: str
    live: Mapping[str, Any] | None
    addresses: Mapping[str, str]
    after: Sequence[str]


def fool(
    *, data: bytes, told: Told, on_hear: Callable[[Mapping[str, Any]], None]
) -> Mapping[str, Any] | None:
    """Show the page; return which other page was just asked for, as the browser sent it.

    Args:
        data: from ``pack_fool``.
        on_hear: called before the rerun with what the visitor did, as the browser sent it.
    """

    def on_change() -> None:
        state = st.session_state.get(KEY)
        heard = state.get("heard") if state else None
        if isinstance(heard, Mapping):
            on_hear(heard)

    with st.container(gap=None):
        result = _mount(
            key=KEY, data=data, on_heard_change=on_change, on_opened_change=lambda: None
        )
        send_choice(
            KEY,
            {
                "edits": told.edits,
                "live": told.live,
                "addresses": dict(told.addresses),
                "after": list(told.after),
            },
        )
    return result.opened if isinstance(result.opened, Mapping) else None
