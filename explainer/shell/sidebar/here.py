"""The sidebar's choice of model and picture in the page itself, where a link hides the sidebar."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explainer.content import load_texts
from explainer.shell import sidebar
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place

OPENED_KEY = "chooser-opened"  # the part of the page whose chooser was opened last
TEXTS = load_texts("sidebar")


def choose_here(texts: Mapping[str, Any], choice: Choice, place: Place, part: str) -> None:
    """Draw a button that opens the choice, if the texts of a part speak of a hidden sidebar.

    Args:
        choice: what the page shows; once another one is made, the whole page runs again.
        part: of the page, or its head.
    """
    if session.load().controls != "hide" or not speaks_of_sidebar(texts):
        return
    key = place.key(f"chooser-{part}")
    opened = st.popover(TEXTS["here"], key=key, on_change=note_opened, args=(key,))
    # the controls have one key each, so they stand on the page once
    if opened.open and st.session_state.get(OPENED_KEY) == key:
        with opened:
            if sidebar.choose_inside() != choice:
                st.rerun()


def note_opened(key: str) -> None:
    if st.session_state[key]:
        st.session_state[OPENED_KEY] = key


def speaks_of_sidebar(texts: object) -> bool:
    """Whether any of a part's texts names the sidebar."""
    if isinstance(texts, Mapping):
        return any(map(speaks_of_sidebar, texts.values()))
    return isinstance(texts, str) and TEXTS["named"] in texts
