"""Runs the page again when the visitor changes between light and dark.

What is styled by CSS follows by itself, but a chart's colours are fixed when it is made, and
Streamlit does not run a page again for a change of theme.
"""

import streamlit as st

from explainer.components import assets
from explainer.figures.theme import Mode

_mount = st.components.v2.component(
    "vit_explainer.theme_follower",
    html="<i hidden></i>",
    js=assets.javascript("theme_follower/theme_follower"),
)


def follow_theme(drawn: Mode) -> None:
    """Ask for another run once the browser shows another theme than ``drawn``."""
    _mount(key="theme-follower", data={"drawn": drawn}, on_mode_change=lambda: None)
