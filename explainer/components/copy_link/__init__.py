"""A button that copies the address, which holds all that is chosen."""

from collections.abc import Mapping
from html import escape

import streamlit as st

from explainer.components import assets
from explainer.content import load_texts

# the button has its name before its script has run
NAME = escape(load_texts("frame")["copy_link"]["copy"])
_mount = st.components.v2.component(
    "vit_explainer.copy_link",
    html=f'<button type="button">{NAME}</button><input readonly hidden><span role="status"></span>',
    css=assets.stylesheet("copy_link/copy_link"),
    js=assets.javascript("copy_link/copy_link"),
)


def copy_link(texts: Mapping[str, str]) -> None:
    """Draw the button; ``texts`` has ``copied``, ``by_hand`` and ``address``."""
    _mount(key="copy-link", data=dict(texts), width="content")
