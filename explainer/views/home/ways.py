"""The ways to go from Home: through the pages, or to train a model."""

import streamlit as st

from explainer.components.copy_link import copy_link
from explainer.content import load_texts
from explainer.shell import routes

TEXTS = load_texts("home")


def show_ways() -> None:
    """The ways to go from here, and the link to where one is."""
    with st.container(
        key="quiet-row",
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
    ):
        with st.container(horizontal=True, width="content"):
            if st.button(TEXTS["start"], key="start", type="primary"):
                set_out()
            if st.button(TEXTS["train"], key="train"):
                routes.go("train")
        copy_link(load_texts("frame")["copy_link"])


def set_out() -> None:
    first = routes.following("home")
    assert first is not None, "Home is the beginning of the walk"
    routes.go(first)
