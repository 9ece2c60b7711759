"""The line on which the story asks the server where many pictures lie for a model."""

import streamlit as st

from explainer.components.live_server import live_server
from explainer.observation.look.asked_map import answer_map
from explainer.state.choice import Choice


@st.fragment
def keep_map_line(choice: Choice, key: str) -> None:
    """Answer where many pictures lie, in a fragment of its own; nothing is computed unasked.

    Args:
        key: of the component, and the name of the line in the browser.
    """
    live_server(key=key, name=key, answer=lambda sent: answer_map(choice, sent))
