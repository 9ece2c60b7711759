"""What a session remembers: the state, and what each page keeps for itself.

The state lives in the session and is mirrored to the address, because the address loses its
parameters at every change of page. Nothing is drawn here.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from explainer.state.choice import Choice
from explainer.state.link import MOST, OWN, READERS, Refusal, State, encode, read_link
from explainer.state.place import Cell

SESSION_KEY = "state"
OWN_KEY = "own"  # view → what was chosen on it alone
VIEW_KEY = "view"  # the page that was shown last
REFUSED_KEY = "refused"  # what the link asked for and did not get
PLAYING_KEY = "epochs-playing"  # the run whose epochs are played, one after another
CELL_KEY = "cell-shown"  # whether the page has the chosen cell


def load() -> State:
    """Return the session's state; a new session starts from its link."""
    if SESSION_KEY not in st.session_state:
        opened, refused = read_link(st.query_params.to_dict())
        st.session_state[SESSION_KEY], st.session_state[REFUSED_KEY] = opened, refused
    return st.session_state[SESSION_KEY]


def save(state: State) -> None:
    """Keep ``state`` in the session and write it to the URL, beside parameters of other owners."""
    st.session_state[SESSION_KEY] = state
    found = st.query_params.to_dict()
    wanted = {name: text for name, text in found.items() if name not in READERS} | encode(state)
    if wanted != found:
        st.query_params.from_dict(wanted)


def refused() -> list[Refusal | str]:
    """Return what was asked for and not given; may be added to. A text is a whole sentence."""
    return st.session_state.setdefault(REFUSED_KEY, [])


def link() -> dict[str, str]:
    """Return what ``st.page_link(query_params=…)`` needs for another page to open on this state."""
    return encode(replace(load(), step=0, **own(State())))


def own(state: State) -> dict[str, Any]:
    """Return the values that belong to one page alone."""
    return {name: getattr(state, name) for name in OWN}


def is_opening() -> bool:
    """Whether the session has yet to show its first page."""
    return VIEW_KEY not in st.session_state


def enter(view: str) -> None:
    """Turn to the page of ``view``.

    What belongs to one page alone stays behind, and comes back with that page; its guide begins
    anew, and no epochs are played on.
    """
    now, left = load(), st.session_state.get(VIEW_KEY)
    if left is None:
        st.session_state[VIEW_KEY] = view
    elif left != view:
        kept = st.session_state.setdefault(OWN_KEY, {})
        kept[left] = own(now)
        st.session_state[VIEW_KEY] = view
        refused().clear()
        st.session_state.pop(PLAYING_KEY, None)
        save(replace(now, step=0, **kept.get(view, own(State()))))


def get_query(choice: Choice, start: int) -> int:
    """Return the chosen token, 0..num_tokens - 1.

    Until one is chosen it is the class token, or the patch ``start`` where there is none.
    """
    query = load().query
    if query is None:
        query = 0 if choice.config.pool == "cls" else choice.config.num_prefix_tokens + start
    return min(query, choice.config.num_tokens - 1)


def set_query(token: int) -> None:
    save(replace(load(), query=clamp(token)))


def get_patch(choice: Choice, start: int) -> int:
    """Return the chosen patch, 0..num_patches - 1 in reading order.

    The chosen token's patch; ``start`` while the chosen token is none.
    """
    patch = get_query(choice, start) - choice.config.num_prefix_tokens
    return patch if patch >= 0 else start


def set_patch(choice: Choice, patch: int) -> None:
    set_query(choice.config.num_prefix_tokens + patch)


def get_block(choice: Choice) -> int:
    """Return the chosen encoder block, 0..depth - 1."""
    return min(load().block, choice.config.depth - 1)


def set_block(block: int) -> None:
    save(replace(load(), block=clamp(block)))


def get_head(choice: Choice) -> int:
    """Return the chosen attention head, 0..num_heads - 1."""
    return min(load().head, choice.config.num_heads - 1)


def set_head(head: int) -> None:
    save(replace(load(), head=clamp(head)))


def get_cell(shapes: Mapping[str, tuple[int, int]]) -> Cell | None:
    """Return the chosen cell, if it lies in one of the page's matrices.

    Args:
        shapes: name of each matrix → its rows and columns.
    """
    matrix, *place = load().cell.split(".")
    if matrix not in shapes:
        return None
    row, column = map(int, place)
    rows, columns = shapes[matrix]
    if row >= rows or column >= columns:
        return None
    st.session_state[CELL_KEY] = True
    return Cell(matrix, row, column)


def cell_is_shown() -> bool:
    """Whether a page has asked for the chosen cell and has it."""
    return CELL_KEY in st.session_state


def set_cell(cell: Cell) -> None:
    save(replace(load(), cell=f"{cell.matrix}.{cell.row}.{cell.column}"))


def change(**values: Any) -> None:
    """Keep other values of the state, as its attributes name them."""
    save(replace(load(), **values))


def clamp(number: int) -> int:
    return max(0, min(int(number), MOST))
