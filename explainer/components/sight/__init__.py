"""Has the parts of a page drawn that are in sight, as the browser says which these are."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import streamlit as st

from explainer.components import assets
from explainer.components.component_state import state_of
from explainer.state import sight

ALWAYS = ("head", "sight")  # fragments that are short, and follow every choice

_mount = st.components.v2.component(
    "vit_explainer.sight", html="<i hidden></i>", js=assets.javascript("shared/kept", "sight/sight")
)


def key_of(name: str) -> str:
    """Return the key of a part's fragment."""
    return f"fragment-{name}"


def watch_sight(names: Sequence[str], stale: Sequence[str]) -> None:
    """Watch which parts of the page come near, and draw those that are stale then.

    Args:
        names: of all parts, whose containers have the keys ``part-<name>``.
        stale: those that show an older state, or nothing yet.
    """
    key = "sight"

    def follow() -> None:
        sight.keep(state_of(key).get("near"))
        repaint()

    _mount(key=key, data={"names": list(names), "stale": list(stale)}, on_near_change=follow)


def repaints(callback: Callable[..., None]) -> Callable[..., None]:
    """Return a callback that also has all parts in sight drawn again, if it changed the state.

    The part that is being drawn when this is called is the first: it is the one that somebody
    clicks. Without this, Streamlit would draw only that one. Outside of parts, where the whole page
    is drawn again, the callback is returned as it is.
    """
    seen = sight.current()
    first = seen.drawing if seen else ""
    if not first:
        return callback

    keep = sight.in_this_half(callback)

    @wraps(callback)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        before = sight.shown_state()
        keep(*args, **kwargs)
        after = sight.shown_state()
        if not sight.is_same_choice(before, after) and not sight.DRAWS_ALL:
            st.rerun()  # the whole page, which looks up the model and the picture
        if after != before:
            repaint(first)

    return wrapped


def repaint(first: str = "") -> None:
    """Have the stale parts in sight drawn, instead of what a callback would run.

    Args:
        first: the part to begin with.
    """
    seen = sight.current()
    if seen is None or sight.DRAWS_ALL:
        return
    if seen.is_opening:
        st.rerun()  # not all fragments are there yet, since that run was interrupted
    names = sorted(seen.stale_near(), key=lambda name: name != first)
    seen.asked = set(names)
    st.rerun([key_of(name) for name in (*names, *ALWAYS)])
