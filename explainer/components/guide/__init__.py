"""Scrolls to a new step of the guide and announces it to a screen reader."""

import streamlit as st

from explainer.components import assets

_mount = st.components.v2.component(
    "vit_explainer.guide",
    html='<span role="status"></span>',
    css=assets.stylesheet("guide/guide"),
    js=assets.javascript("guide/guide"),
)


def follow_guide(announcement: str) -> None:
    """Draw the follower, which stands above the guide's card; the announcement names the step."""
    _mount(key="guide-follower", data=announcement)
