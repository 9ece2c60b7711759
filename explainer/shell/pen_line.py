"""The line on which a pen asks the server about a model that is too large for a browser."""

from collections.abc import Collection

import streamlit as st

from explainer.components.live_server import live_server
from explainer.observation.live_answer import answer
from explainer.state.choice import Choice


@st.fragment
def keep_pen_line(
    choice: Choice, key: str, names: Collection[str], mean_heads: bool = False
) -> None:
    """Answer what a pen asks, in a fragment of its own: an answer draws nothing else anew.

    Args:
        key: of the component, and the name of the line in the browser.
        names: of the tensors that are drawn.
        mean_heads: whether the mean of a block's patterns is enough.
    """
    live_server(key=key, name=key, answer=lambda sent: answer(choice, sent, names, mean_heads))
