"""The matrices of one head, and where each of their cells comes from."""

from collections.abc import Callable
from functools import partial

import numpy as np

from explainer.components.matrices import Matrix, matrices
from explainer.observation.attention_cells import Head
from explainer.observation.attention_row import AttentionRow, attention_row
from explainer.observation.flaws import flaws
from explainer.observation.observe import Observation
from explainer.observation.weights import weights
from explainer.shell.cell_arithmetic import show_derivation
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Cell
from explainer.views.self_attention.wording import TEXTS, names_of, query_of
from vit_core import ViTConfig


def row_of(choice: Choice, seen: Observation) -> AttentionRow:
    return attention_row(
        seen.tensors,
        block=session.get_block(choice),
        head=session.get_head(choice),
        query=query_of(choice, seen),
    )


STEPS = {  # the matrices of each step
    "qkv": ("norm", "q", "k", "v"),
    "scores": ("compare",),
    "softmax": ("weights", "scores", "pattern"),
    "mix": ("shares", "values", "weighted", "z"),
}


def cell_shapes(config: ViTConfig) -> dict[str, tuple[int, int]]:
    """Return rows and columns of every matrix of the page."""
    tokens, head_dim = config.num_tokens, config.head_dim
    each = dict.fromkeys(("q", "k", "v", "values", "weighted", "z"), (tokens, head_dim))
    return {
        "norm": (tokens, config.embed_dim),
        "compare": (2, tokens),
        "weights": (1, tokens),
        "scores": (tokens, tokens),
        "pattern": (tokens, tokens),
        "shares": (tokens, 1),
        **each,
    }


def cell_of(step: str, start: Cell, config: ViTConfig) -> Cell:
    """Return the chosen cell, or ``start`` while it is in no matrix of this step."""
    shapes = cell_shapes(config)
    return session.get_cell({name: shapes[name] for name in STEPS[step]}) or start


def show_matrices(
    key: str,
    make: Callable[[Choice, Observation], list[Matrix]],
    cell: Cell,
    choice: Choice,
    seen: Observation,
    *,
    same_for_all: bool = False,
) -> None:
    """Draw the matrices of ``make``.

    Args:
        same_for_all: they are the same whichever token asks, and need not be sent again.
    """
    query = query_of(choice, seen)
    head = choice, session.get_block(choice), session.get_head(choice)
    matrices(
        key=key,
        items=partial(make, choice, seen),
        cell=cell,
        on_choose=session.set_cell,
        links={"query": query, "token": query},
        prefix=seen.config.num_prefix_tokens,
        cache=head if same_for_all else (*head, query),
    )


def show_cell(step: str, cell: Cell, choice: Choice, seen: Observation) -> None:
    """Draw where the number of a step's cell comes from."""
    query, tokens = query_of(choice, seen), names_of(seen.config)
    words = {
        "query": tokens[query],
        "row": tokens[cell.row] if cell.row < len(tokens) else "",
        "column": tokens[cell.column] if cell.column < len(tokens) else "",
        "number": cell.column + 1,
    }
    name = f"compare_{cell.row}" if cell.matrix == "compare" else cell.matrix
    block, head = session.get_block(choice), session.get_head(choice)
    working = Head(seen.config, seen.tensors, weights(choice), block, head, query, flaws(choice))
    show_derivation(
        working.origin(cell),
        seen,
        TEXTS["cells"][name].format(**words),
        key=f"arithmetic-{step}",
        is_example=session.get_cell(cell_shapes(seen.config)) != cell,
    )


def of_head(choice: Choice, seen: Observation, name: str) -> np.ndarray:
    """Return the chosen head's q, k, v, scores, pattern or z."""
    return seen.tensors[f"blocks.{session.get_block(choice)}.attn.{name}"][session.get_head(choice)]
