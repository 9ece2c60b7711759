"""A sheet on which a visitor names symbols and draws each of them some times.

The drawings stay in the browser, also over a change of the page and a reload, until the visitor has
them learned; only then are they sent, prepared as ``inputs/pictures/prepare.py`` prepares a digit.
"""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from explainer.components import assets
from explainer.components.component_state import state_of

KEY = "symbols-sheet"

_mount = st.components.v2.component(
    "vit_explainer.symbols",
    html='<div class="symbols"></div>',
    css=assets.stylesheet("drawing_pad/drawing_pad", "symbols/symbols"),
    js=assets.javascript(
        "shared/data",
        "shared/kept",
        "drawing_pad/pad",
        "drawing_pad/centred",
        "symbols/box",
        "symbols/symbols",
    ),
)


def symbols_sheet(
    *,
    texts: Mapping[str, Any],
    limits: Mapping[str, int],
    is_open: bool,
    heard: int,
    on_order: Callable[[object], None],
) -> None:
    """Show the sheet.

    Args:
        texts: of the sheet; ``orders`` has a button's words for each way of learning, ``first`` the
            way that is recommended, and ``pad`` the words of the pad.
        limits: ``least_classes``, ``classes``, ``least``, ``aim`` and ``drawings`` (of each class),
            and ``name`` (letters).
        is_open: whether a run can be started now.
        heard: number of orders that were heard; the sheet then waits for the next.
        on_order: called before the rerun with what the browser sent, which may be anything.
    """

    def on_change() -> None:
        on_order(state_of(KEY).get("order"))

    data = {
        "texts": dict(texts),
        "limits": dict(limits),
        "is_open": is_open,
        "heard": heard,
    }
    _mount(key=KEY, data=data, on_order_change=on_change)
