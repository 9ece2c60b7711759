"""A pad to draw a digit on, with mouse, finger, pen or keyboard."""

import base64
import binascii
from collections.abc import Callable, Mapping

import numpy as np
import streamlit as st

from explainer.components import assets
from explainer.components.component_state import state_of

SIDE = 112  # pixels of a drawing on its way from the browser
LONGEST_NAME = 40  # characters of a drawing's name

_mount = st.components.v2.component(
    "vit_explainer.drawing_pad",
    html='<div class="pad"></div>',
    css=assets.stylesheet("drawing_pad/drawing_pad"),
    js=assets.javascript(
        "shared/data", "shared/kept", "drawing_pad/pad", "drawing_pad/drawing_pad"
    ),
)


def drawing_pad(
    *,
    key: str,
    texts: Mapping[str, str],
    shown: np.ndarray | None,
    name: str,
    on_draw: Callable[[np.ndarray, str], None],
) -> None:
    """Show the pad.

    Args:
        texts: ``[pad]`` of the picker's texts.
        shown: (28, 28) uint8, the digit on the pad when it is opened; None for an empty pad.
        name: of the drawing from which ``shown`` was made; empty if it was not drawn. A pad that
            still has this drawing keeps it as it is.
        on_draw: called before the rerun, after each stroke, with the whole drawing (112, 112)
            uint8, white on black, all black if it was cleared, and with the drawing's name.
    """

    def on_change() -> None:
        if drawn := read_drawing(state_of(key).get("drawing")):
            on_draw(*drawn)

    pixels = "" if shown is None else base64.b64encode(shown.tobytes()).decode()
    _mount(
        key=key,
        data={"pixels": pixels, "name": name, "side": SIDE, "texts": dict(texts)},
        on_drawing_change=on_change,
    )


def read_drawing(sent: object) -> tuple[np.ndarray, str] | None:
    """Return a drawing and its name as a browser sent them; None if it sent anything else."""
    if not isinstance(sent, Mapping):
        return None
    ink, name = sent.get("ink"), sent.get("name")
    if not isinstance(ink, str) or not isinstance(name, str) or len(name) > LONGEST_NAME:
        return None
    if len(ink) != 4 * -(-SIDE * SIDE // 3):
        return None
    try:
        content = base64.b64decode(ink, validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(content) != SIDE * SIDE:
        return None
    return np.frombuffer(content, dtype=np.uint8).reshape(SIDE, SIDE), name
