"""A button that copies the address, which holds all that is chosen."""

from collections.abc import Mapping

import streamlit as st

from explainer.components import assets

_mount = st.components.v2.component(
    "vit_explainer.copy_link",
    html='<button type="button"></button><input readonly hidden><span role="status"></span>',
    css=assets.stylesheet("copy_link/copy_link"),
    js=assets.javascript("copy_link/copy_link"),
)


def copy_link(texts: Mapping[str, str]) -> None:
    """Draw the button; ``texts`` has ``copy``, ``copied``, ``by_hand`` and ``address``."""
    _mount(key="copy-link", data=dict(texts), width="content")
