"""What is chosen, on its way to the components of a page and back.

A component's data travels whole whenever a byte of it differs. The choice changes with every click
and the patterns do not, so the choice has a message of its own: Streamlit then keeps the patterns
in the browser's cache.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explainer.components import assets

_mount = st.components.v2.component(
    "vit_explainer.selection", js=assets.javascript("shared/data", "selection/selection")
)


def send_choice(channel: str, choice: Mapping[str, Any]) -> None:
    """Tell all that listen to ``channel`` what is chosen."""
    _mount(key=f"{channel}-selection", data={"channel": channel, **choice})


def send_selection(channel: str, *, query: int) -> None:
    """Tell all that listen to ``channel`` which token or patch is chosen, from 0."""
    send_choice(channel, {"query": query})


def valid_choice(state: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, int]:
    """Return what a browser handed back, less everything that is no index below its size."""
    choice = state.get("choice")
    if not isinstance(choice, Mapping):
        return {}
    return {
        name: choice[name]
        for name, size in sizes.items()
        if type(choice.get(name)) is int and 0 <= choice[name] < size
    }
