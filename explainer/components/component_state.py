"""What a component handed back, also when its page has been left meanwhile."""

from collections.abc import Mapping
from typing import Any

import streamlit as st


def state_of(key: str) -> Mapping[str, Any]:
    """Return the state of the component with this key; empty if its page was left.

    A browser may send something a moment after it has left the page, as the story says on which
    screen it is. Streamlit still calls back for it, but has forgotten the component's state.
    """
    state = st.session_state[key] if key in st.session_state else None  # noqa: SIM401
    return state if isinstance(state, Mapping) else {}
