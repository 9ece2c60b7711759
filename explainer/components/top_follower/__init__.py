"""Scrolls to the top of a page that shows something else now, and announces what it is."""

import streamlit as st

from explainer.components import assets

_mount = st.components.v2.component(
    "vit_explainer.top_follower",
    html='<span role="status"></span>',
    css=assets.stylesheet("top_follower/top_follower"),
    js=assets.javascript("top_follower/top_follower"),
)


def follow_top(announcement: str) -> None:
    """Draw the follower at the top; it scrolls there whenever the announcement is another one."""
    _mount(key="top-follower", data={"announcement": announcement})
