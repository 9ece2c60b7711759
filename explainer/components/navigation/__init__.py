"""What a browser does by itself between the pages of a site, and not between those of one app.

A page that is opened stands at its title, and one that is turned back to stands where it was left.
The keyboard's focus lands on the title. Back leads to the page before, not to the choice before.
A page whose connection was lost is drawn again when it is back.
"""

import streamlit as st

from explainer.components import assets

_mount = st.components.v2.component(
    "vit_explainer.navigation",
    html="<i hidden></i>",
    js=assets.javascript("navigation/navigation"),
)


def follow_navigation(view: str) -> None:
    """Tell the browser which page is shown; drawn before it, and kept from page to page.

    Args:
        view: of the page, whose contents stand in a container with the key ``page-<view>``.
    """
    # that the browser asks is enough: the page is drawn, from its link if the session is a new one
    _mount(key="navigation", data={"view": view}, on_again_change=lambda: None)
