"""The switch between two halves, where a page is too narrow to show both side by side."""

import streamlit as st

from explainer.components import assets
from explainer.content import load_texts

_mount = st.components.v2.component(
    "vit_explainer.flip",
    html='<div class="flip" role="radiogroup" hidden></div>',
    css=assets.stylesheet("flip/flip"),
    js=assets.javascript("shared/kept", "flip/flip"),
)


def flip_halves(key: str) -> None:
    """Draw the switch; it is hidden while both halves stand side by side.

    The page shows what ``data-halves`` of its root says: "beside", "a" or "b".
    """
    texts = load_texts("compare")
    _mount(key=key, data={"label": texts["switch"], "names": {"a": texts["a"], "b": texts["b"]}})
