"""What takes seconds is computed when somebody asks for it, beside the page, for all visitors."""

from collections.abc import Callable
from functools import partial
from time import sleep

import streamlit as st

from explainer.shell.more import listeners
from explainer.state.choice import Choice
from explainer.state.place import Place

PACE = 0.5  # seconds between two looks of a page
QUICK_PACE = 0.05  # of one who reads a page without a browser
ASKED_KEY = "asked-for"  # name of what was asked for, in a half of a page → of which choice


def ready(
    is_there: Callable[[], bool],
    words: str,
    place: Place,
    name: str,
    share: Callable[[], float] = lambda: 0.0,
) -> bool:
    """Return whether something has been computed; if not, say so and draw the page once it has.

    Args:
        is_there: whether it is there; if not, it is computed meanwhile.
        words: what is computed.
        name: of what is computed, unlike all others of the page.
        share: how much of it is done, 0 to 1.
    """
    while listeners and not is_there():
        sleep(QUICK_PACE)
    if is_there():
        return True

    def wait() -> None:
        if is_there():
            st.rerun()
        st.progress(min(1.0, max(0.0, share())), text=words)

    with st.container(key=place.key(f"waiting-{name}")):
        st.fragment(wait, run_every=PACE)()
    return False


def is_asked(choice: Choice, label: str, place: Place, name: str) -> bool:
    """Return whether somebody wants to see something of a choice; if not, offer it.

    Args:
        label: of the button.
        name: of what is offered, unlike all others of the page.
    """
    key = place.key(name)
    asked = st.session_state.setdefault(ASKED_KEY, {})
    if listeners or asked.get(key) == choice:
        return True
    st.button(label, key=place.key(f"ask-{name}"), on_click=partial(ask, key, choice))
    return False


def ask(key: str, choice: Choice) -> None:
    st.session_state.setdefault(ASKED_KEY, {})[key] = choice
