"""The line on which a pen asks the server for passes that the browser cannot run.

It stands apart from what is drawn, so that an answer draws nothing else anew.
"""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from explainer.components import assets
from explainer.components.component_state import state_of

_mount = st.components.v2.component(
    "vit_explainer.live_server", js=assets.javascript("live/server", "live_server/live_server")
)


def live_server(
    *, key: str, name: str, answer: Callable[[object], Mapping[str, Any] | None]
) -> None:
    """Keep the line open that ``openServerLine(name)`` of ``live/server.js`` uses.

    Args:
        answer: given what the browser asks, returns what goes back to it.
    """
    asked = state_of(key).get("asked")
    answered = None if asked is None else answer(asked)
    _mount(key=key, data={"name": name, "answer": answered}, on_asked_change=lambda: None)
