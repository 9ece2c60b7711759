"""Brings a new step of the guide into view and says it to a screen reader."""

import streamlit as st

from explainer.components import assets

_mount = st.components.v2.component(
    "vit_explainer.guide",
    html='<span role="status"></span>',
    css=assets.stylesheet("guide/guide"),
    js=assets.javascript("guide/guide"),
)


def follow_guide(said: str) -> None:
    """Stand above the guide's card; ``said`` names the step."""
    _mount(key="guide-follower", data=said)
