"""A pad on which a pupil draws digits for the class; they go over the class's own line."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from explainer.components import assets

_mount = st.components.v2.component(
    "vit_explainer.class_pad",
    html='<div class="class-pad"></div>',
    css=assets.stylesheet("drawing_pad/drawing_pad", "class_pad/class_pad"),
    js=assets.javascript(
        "shared/data",
        "shared/kept",
        "drawing_pad/pad",
        "drawing_pad/centred",
        "classroom/line",
        "class_pad/class_pad",
    ),
)


def class_pad(
    *,
    key: str,
    ticket: str,
    address: str,
    digits: Sequence[int],
    sent: int,
    texts: Mapping[str, Any],
) -> None:
    """Show the pad, or a sentence as long as the teacher wants no drawings.

    Args:
        ticket: by which the class's line knows this browser.
        address: of the line, seen from the page.
        digits: that are to be drawn, one after another.
        sent: how many of them have been sent before.
        texts: of the pad around the drawing, and ``pad`` with those of the pad itself.
    """
    data = {"ticket": ticket, "address": address, "digits": list(digits), "sent": sent}
    _mount(key=key, data={**data, "texts": dict(texts)})
