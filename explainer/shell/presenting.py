"""The story before a class, which a key opens from the pages that it has a screen about."""

import streamlit as st

from explainer.components.present_key import pressed_present_key
from explainer.shell import routes
from explainer.shell.story_screens import screen_about
from explainer.state import session


def follow_present_key(view: str) -> None:
    """Present the story at the screen about a page, once its visitor presses the key."""
    screen = None if view == "story" else screen_about(view)
    if pressed_present_key(screen is not None) and screen is not None:
        session.change(present="1")
        query = session.link() | {"screen": str(screen)}
        st.switch_page(routes.page_of("story"), query_params=query)


def keep_to_story(view: str) -> None:
    """Forget on other pages that the story was presented, so that their links do not lead there."""
    if view != "story" and session.load().present:
        session.change(present="")
