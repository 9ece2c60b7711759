"""The second choice of a comparison: what a link says of it, and the state that it asks for."""

from dataclasses import replace
from typing import Any

from explainer.state.link import OF_SECOND, State, read_pairs, write_pairs
from vit_core import ViTConfig


def second(state: State) -> State | None:
    """Return the state of the second half; None without a comparison.

    It has the place of the first half, and the model and picture of its own. ``edits`` are its
    alone: the first half has none.
    """
    if not state.b:
        return None
    return replace(state, **{"edits": ""} | read_pairs(state.b), b="")


def compared_with(state: State, other: State) -> State:
    """Return ``state`` with ``other`` as its second half, which may be the same."""
    first = replace(state, edits="")
    unlike = {
        name: getattr(other, name)
        for name in OF_SECOND
        if getattr(other, name) != getattr(first, name)
    }
    return replace(state, b=write_pairs(unlike))


def swapped(state: State) -> State | None:
    """Return the comparison with its halves swapped; None where the first cannot be the second.

    A half with edits is always the second.
    """
    other = second(state)
    if other is None or other.edits:
        return None
    return compared_with(replace(other, edits=state.edits), replace(state, b="", edits=""))


def end(state: State) -> State:
    """Return the state of the first half alone."""
    return replace(state, b="")


def changed_second(state: State, **values: Any) -> State:
    """Return the comparison with other values of its second half.

    What was chosen for that half stays its own, also where it is that of the first half now.

    Raises:
        ValueError: nothing is compared.
    """
    if not state.b:
        raise ValueError("there is no second half")
    return replace(state, b=write_pairs(read_pairs(state.b) | values))


def same_token(token: int, config: ViTConfig, other: ViTConfig) -> int | None:
    """Return the token of another model that stands for the same as this one; None for none.

    A patch is the one at the same place of the picture; the nearest, where the grids differ. Class
    token and registers are the same where both models have them.
    """
    patch = token - config.num_prefix_tokens
    if patch < 0:
        first = token == 0 and config.pool == "cls"
        if first:
            return 0 if other.pool == "cls" else None
        register = token - (config.pool == "cls")
        return register + (other.pool == "cls") if register < other.num_registers else None
    row, column = divmod(patch, config.grid_size[1])
    rows, columns = other.grid_size
    row = (2 * row + 1) * rows // (2 * config.grid_size[0])
    column = (2 * column + 1) * columns // (2 * config.grid_size[1])
    return other.num_prefix_tokens + row * columns + column
