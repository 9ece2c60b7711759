"""What a session remembers: the state, and what each page keeps for itself.

The state lives in the session and is mirrored to the address, because the address loses its
parameters at every change of page. Nothing is drawn here.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explainer.state.choice import Choice
from explainer.state.link import (
    MOST,
    OF_SECOND,
    PAGE_LOCAL,
    READERS,
    Refusal,
    State,
    encode,
    read_link,
)
from explainer.state.place import Cell, Place
from explainer.state.second import changed_second, same_token
from vit_core import ViTConfig
from vit_core.interpret.heads import Head

SESSION_KEY = "state"
PAGE_LOCAL_KEY = "own"  # view → values that belong to it alone
VIEW_KEY = "view"  # the page that was shown last
REFUSED_KEY = "refused"  # what the link asked for and did not get
OF_OLD: dict[str, Any] = {"mode": "free", "step": 0}  # left behind with the page of an old link
HEADLESS_KEY = "headless"  # whether the model that was observed last has no head
PLAYING_KEY = "epochs-playing"  # the run whose epochs are played, one after another
SECOND_PREFIX = "b-"  # of the keys of everything in the second half of a comparison


@dataclass(frozen=True)
class Second:
    """The second half of a comparison, while it is drawn or a callback of it runs.

    Attributes:
        first, config: of the models of both halves.
    """

    first: ViTConfig
    config: ViTConfig


_acting: ContextVar[Second | None] = ContextVar("acting", default=None)


def load() -> State:
    """Return the session's state; a new session starts from its link."""
    if SESSION_KEY not in st.session_state:
        opened, refused = read_link(st.query_params.to_dict())
        st.session_state[SESSION_KEY], st.session_state[REFUSED_KEY] = opened, refused
    return st.session_state[SESSION_KEY]


def peek() -> State:
    """Return the session's state, or that of an empty link where nothing has begun a session."""
    return st.session_state.get(SESSION_KEY, State())


def follow_history() -> None:
    """Begin anew from the link, if the browser went back or forward to it."""
    if not came_through_history():
        return
    if (left := st.session_state.get(VIEW_KEY)) is not None:
        keep_page_local(left)
    for key in (SESSION_KEY, VIEW_KEY, REFUSED_KEY, PLAYING_KEY):
        st.session_state.pop(key, None)


def came_through_history() -> bool:
    """Whether this run was asked for by the browser's Back or Forward."""
    return bool(getattr(get_script_run_ctx(suppress_warning=True), "is_history_navigation", False))


def save(state: State) -> None:
    """Keep ``state`` in the session and write it to the URL, beside parameters of other owners."""
    st.session_state[SESSION_KEY] = state
    shown = st.query_params.to_dict()
    wanted = {name: text for name, text in shown.items() if name not in READERS} | encode(state)
    if wanted != shown:
        st.query_params.from_dict(wanted)


def refused() -> list[Refusal | str]:
    """Return what was asked for and not given; may be added to. A text is a whole sentence."""
    return st.session_state.setdefault(REFUSED_KEY, [])


def link() -> dict[str, str]:
    """Return what ``st.page_link(query_params=…)`` needs for another page to open on this state."""
    return encode(replace(load(), **OF_OLD, **page_local(State())))


def page_local(state: State) -> dict[str, Any]:
    """Return the values that belong to one page alone."""
    return {name: getattr(state, name) for name in PAGE_LOCAL}


def is_opening() -> bool:
    """Whether the session has yet to show its first page."""
    return VIEW_KEY not in st.session_state


def view() -> str:
    """Return the page that is shown; empty before the first."""
    return st.session_state.get(VIEW_KEY, "")


def enter(view: str) -> None:
    """Turn to the page of ``view``.

    What belongs to one page alone stays behind, and comes back with that page; no epochs are played
    on.
    """
    now, left = load(), st.session_state.get(VIEW_KEY)
    if left is None:
        st.session_state[VIEW_KEY] = view
    elif left != view:
        values = keep_page_local(left)
        st.session_state[VIEW_KEY] = view
        refused().clear()
        st.session_state.pop(PLAYING_KEY, None)
        here = values.get(view, page_local(State()))
        if view == "story" and "screen" in st.query_params:  # a link to one of its screens
            here = here | {"screen": read_link(st.query_params.to_dict())[0].screen}
        save(replace(now, **OF_OLD, **here))


def keep_page_local(view: str) -> dict[str, dict[str, Any]]:
    """Keep what belongs to the page of ``view`` alone, and return that of all pages."""
    values = st.session_state.setdefault(PAGE_LOCAL_KEY, {})
    values[view] = page_local(load())
    return values


def keep_for(view: str, state: State) -> None:
    """Have another page open on a state's values of those that belong to one page alone."""
    st.session_state.setdefault(PAGE_LOCAL_KEY, {})[view] = page_local(state)


def is_headless() -> bool:
    """Whether the model that was observed last has no head, but features."""
    return bool(st.session_state.get(HEADLESS_KEY))


def note_headless(headless: bool) -> bool:
    """Keep whether the observed model has no head; return whether that is news."""
    is_news = headless != is_headless()
    st.session_state[HEADLESS_KEY] = headless
    return is_news


def place(choice: Choice, prefix: str = "") -> Place:
    """Return the place that the session looks at in a model.

    Args:
        prefix: of the keys of everything that is drawn for this place.
    """
    return Place.from_state(load(), choice.config, prefix)


def places(first: Choice, second: Choice, start: int) -> tuple[Place, Place]:
    """Return the places of both halves of a comparison, which follow the same patch.

    Args:
        start: the patch that is followed until somebody chooses another, 0..num_patches - 1 of the
            first half's model.
    """
    now = load()
    of_first = Place.from_state(now, first.config, half="a", other=second)
    query = same_token(of_first.token(start), first.config, second.config)
    of_second = Place.from_state(
        replace(now, query=query), second.config, SECOND_PREFIX, half="b", other=first
    )
    return replace(of_first, beside=of_second), replace(of_second, beside=of_first)


@contextmanager
def acting(half: Second | None) -> Iterator[None]:
    """Let what is chosen inside of the ``with`` count as chosen in this half; None is the first."""
    token = _acting.set(half)
    try:
        yield
    finally:
        _acting.reset(token)


def acting_half() -> Second | None:
    """Return the half in which something is drawn or chosen now; None for the first."""
    return _acting.get()


def set_query(token: int) -> None:
    change(query=clamp(token))


def set_patch(choice: Choice, patch: int) -> None:
    set_query(choice.config.num_prefix_tokens + patch)


def set_block(block: int) -> None:
    save(replace(load(), block=clamp(block)))


def set_head(head: int) -> None:
    save(replace(load(), head=clamp(head)))


def set_cell(cell: Cell) -> None:
    save(replace(load(), cell=str(cell)))


def set_off(heads: Iterable[Head]) -> None:
    """Switch these heads off, and all others on."""
    save(replace(load(), off="_".join(f"{head.block}.{head.head}" for head in sorted(heads))))


def change(**values: Any) -> None:
    """Keep other values of the state, as its attributes name them.

    What is chosen in the second half of a comparison is a place of both, or the model or the
    picture of that half alone.
    """
    state = load()
    if half := acting_half():
        own = {name: values.pop(name) for name in OF_SECOND if name in values}
        if own and state.b:
            state = changed_second(state, **own)
        if values.get("query") is not None:
            values["query"] = same_token(values["query"], half.config, half.first)
    save(replace(state, **values))


def clamp(number: int) -> int:
    return max(0, min(int(number), MOST))
