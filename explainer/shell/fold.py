"""A fold: a part of a page that is drawn, and computed, only while somebody has it open."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from explainer.state import session
from explainer.state.place import Place

FOLDS_KEY = "folds"  # page → name of each fold → whether it was left open there
STARTS_KEY = "fold-starts"  # page → name of each fold → how it began there
SEEDED_KEY = "folds-seeded"  # name of a fold → the page on which it was drawn last


@contextmanager
def fold(place: Place, name: str, label: str, *, is_open: bool = False) -> Iterator[bool]:
    """Draw a fold, and say whether its contents are to be drawn.

    ::

        with fold(place, "deeper-norm", texts["deeper"]) as is_open:
            if is_open:
                show_norm(choice, seen, place)

    Args:
        name: of the fold, unlike all others of its page.
        label: Markdown, always in sight.
        is_open: how it stands when its page opens. Later it makes no difference: a fold does not
            open or close under the hand of somebody who clicks elsewhere on the page.

    Yields:
        True while the fold is open. What is drawn inside of the ``with`` stands in the fold.
    """
    key, view = place.key(f"fold-{name}"), st.session_state.get(session.VIEW_KEY)
    left = st.session_state.setdefault(FOLDS_KEY, {}).setdefault(view, {})
    seeded = st.session_state.setdefault(SEEDED_KEY, {})
    if key in left and (key not in st.session_state or seeded.get(key) != view):
        st.session_state[key] = left[key]  # back on a page that was left with this fold so
    seeded[key] = view
    # another start would make another fold of it
    starts = st.session_state.setdefault(STARTS_KEY, {}).setdefault(view, {})
    start = starts.setdefault(key, is_open)
    shown = st.expander(label, start, key=key, on_change="rerun")
    left[key] = bool(shown.open)
    with shown:
        yield bool(shown.open)
