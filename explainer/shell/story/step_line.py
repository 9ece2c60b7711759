"""The line on which the story asks the server for one real step of learning."""

import streamlit as st

from explainer.components.live_server import live_server
from explainer.observation.learning.asked_step import answer_step
from explainer.state.choice import Choice


@st.fragment
def keep_step_line(choice: Choice, key: str) -> None:
    """Answer what one step does, in a fragment of its own; nothing is computed unasked.

    Args:
        key: of the component, and the name of the line in the browser.
    """
    live_server(key=key, name=key, answer=lambda sent: answer_step(choice, sent))
