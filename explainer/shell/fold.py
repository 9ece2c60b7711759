"""A fold: a part of a page that is drawn, and computed, only while somebody has it open."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from explainer.state.place import Place


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
        is_open: how it stands until somebody opens or closes it.

    Yields:
        True while the fold is open. What is drawn inside of the ``with`` stands in the fold.
    """
    shown = st.expander(label, is_open, key=place.key(f"fold-{name}"), on_change="rerun")
    with shown:
        yield bool(shown.open)
