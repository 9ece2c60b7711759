"""Controls of the pages: each shows one value of the state and reports what is chosen.

A widget whose value is set at every run jumps back under a quick hand. These are set only where
they show another value. Each gets its value as its default, too: a browser that has only begun to
draw a widget sends the default along with whatever else is clicked, as if somebody had chosen it.
"""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, Literal, TypeVar

import streamlit as st

from explainer.components.sight import repaints
from explainer.content import load_texts
from explainer.state import session
from explainer.state.place import Place

Option = TypeVar("Option")
SYNCED_KEY = "told"  # key of a widget → the page on which its value was set last


def pick(
    label: str,
    options: Sequence[Option],
    chosen: Option,
    keep: Callable[[Option], None],
    *,
    key: str,
    format_func: Callable[[Option], str] = str,
    help: str | None = None,
    label_visibility: Literal["visible", "collapsed"] = "visible",
) -> None:
    """Offer a few options side by side.

    Args:
        chosen: what is shown, one of ``options``.
        keep: called with the option that somebody chose, before the page runs again.
    """
    sync_widget(key, chosen)
    st.segmented_control(
        label,
        options,
        default=chosen,
        key=key,
        required=True,
        format_func=format_func,
        help=help,
        label_visibility=label_visibility,
        on_change=repaints(partial(on_change, key, keep, options)),
    )


def slide(
    label: str,
    options: Sequence[Option],
    chosen: Option,
    keep: Callable[[Option], None],
    *,
    key: str,
    format_func: Callable[[Option], str] = str,
    help: str | None = None,
) -> None:
    """Offer options that have an order on a slider; otherwise as ``pick``."""
    sync_widget(key, chosen)
    st.select_slider(
        label,
        options,
        value=chosen,
        key=key,
        format_func=format_func,
        help=help,
        disabled=len(options) < 2,
        on_change=repaints(partial(on_change, key, keep, options)),
    )


def choose(
    label: str,
    options: Sequence[Option],
    chosen: Option,
    keep: Callable[[Option], None],
    *,
    key: str,
    format_func: Callable[[Option], str] = str,
    help: str | None = None,
    width: int | Literal["stretch"] = "stretch",
) -> None:
    """Offer a list that opens; otherwise as ``pick``."""
    sync_widget(key, chosen)
    st.selectbox(
        label,
        options,
        index=options.index(chosen),
        key=key,
        format_func=format_func,
        help=help,
        on_change=repaints(partial(on_change, key, keep, options)),
        width=width,
    )


def enter(
    label: str,
    chosen: int,
    keep: Callable[[int], None],
    *,
    key: str,
    most: int,
    help: str | None = None,
) -> None:
    """Offer a field for a whole number from 0 to ``most``, which it says; otherwise as ``pick``."""
    sync_widget(key, chosen)
    st.number_input(
        load_texts("frame")["number_box"].format(label=label, most=most),
        min_value=0,
        max_value=most,
        value=chosen,
        step=1,
        key=key,
        help=help,
        on_change=repaints(partial(on_change, key, keep)),
    )


def switch(
    label: str,
    is_on: bool,
    keep: Callable[[bool], None],
    *,
    key: str,
    help: str | None = None,
) -> None:
    """Offer something to switch on and off; otherwise as ``pick``."""
    sync_widget(key, is_on)
    st.toggle(label, is_on, key=key, help=help, on_change=repaints(partial(on_change, key, keep)))


def pick_block(place: Place) -> None:
    """Offer the model's encoder blocks, which count from 1 here and from 0 in state and code."""
    depth = place.config.depth
    pick_number("block", depth, place.block, session.set_block, key=place.key("block"))


def pick_head(place: Place) -> None:
    """Offer the heads of a block, which count from 1 here and from 0 in state and code."""
    heads = place.config.num_heads
    pick_number("head", heads, place.head, session.set_head, key=place.key("head"))


def pick_number(
    name: str, count: int, chosen: int, keep: Callable[[int], None], *, key: str
) -> None:
    """Offer the numbers from 0 on, shown from 1 on; ``name`` is that of the texts."""
    texts = load_texts("frame")
    pick(
        texts[name],
        range(count),
        chosen,
        keep,
        key=key,
        format_func=lambda index: str(index + 1),
        help=texts[f"{name}_help"],
    )


def sync_widget(key: str, value: object) -> None:
    """Let a widget show a value.

    On another page it is another widget, which has no value yet, although its key still has one.
    """
    view = st.session_state.get(session.VIEW_KEY)
    synced = st.session_state.setdefault(SYNCED_KEY, {})
    is_new = key not in st.session_state or synced.get(key, view) != view
    if is_new or st.session_state[key] != value:
        st.session_state[key] = value
    synced[key] = view


def on_change(
    key: str, keep: Callable[[Any], None], options: Collection[Any] | None = None
) -> None:
    """Keep what was chosen.

    A browser that has only begun to draw a control sends it without a value when somebody clicks
    something else. One that has yet to hear of other options, or of other names for the same ones,
    sends an old name, which Streamlit hands on as a text. Nobody has chosen anything then.

    Args:
        keep: gets the value, or the list of values.
        options: that may be chosen; any value if None.
    """
    value = st.session_state[key]
    chosen = value if isinstance(value, list) else [value]
    if value is not None and (options is None or all(one in options for one in chosen)):
        keep(value)
