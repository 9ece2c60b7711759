"""The matrices of one head, and where each of their cells comes from."""

from collections.abc import Callable
from functools import partial

import numpy as np

from explainer.components.matrices import Matrix
from explainer.content.token_names import token_names
from explainer.observation.attention_cells import Head
from explainer.observation.attention_row import AttentionRow, attention_row
from explainer.observation.flaws import flaws
from explainer.observation.observe import Observation
from explainer.observation.weights import weights
from explainer.shell import cell_matrices
from explainer.shell.cell_arithmetic import show_derivation
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.self_attention.wording import TEXTS
from vit_core import ViTConfig


def row_of(choice: Choice, seen: Observation, place: Place) -> AttentionRow:
    return attention_row(
        seen.tensors,
        block=place.block,
        head=place.head,
        query=place.token(seen.telling_patch),
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


def cell_of(place: Place, step: str, start: Cell, config: ViTConfig) -> Cell:
    """Return the chosen cell, or ``start`` while it is in no matrix of this step."""
    shapes = cell_shapes(config)
    return place.cell_in({name: shapes[name] for name in STEPS[step]}) or start


def show_matrices(
    key: str,
    make: Callable[[Choice, Observation, Place], list[Matrix]],
    cell: Cell,
    choice: Choice,
    seen: Observation,
    place: Place,
    *,
    same_for_all: bool = False,
) -> None:
    """Draw the matrices of ``make``.

    Args:
        same_for_all: they are the same whichever token asks, and need not be sent again.
    """
    query = place.token(seen.telling_patch)
    head = choice, place.block, place.head
    cell_matrices.show(
        place,
        key,
        items=partial(make, choice, seen, place),
        cell=cell,
        links={"query": query, "token": query},
        prefix=seen.config.num_prefix_tokens,
        cache=head if same_for_all else (*head, query),
    )


def show_cell(step: str, cell: Cell, choice: Choice, seen: Observation, place: Place) -> None:
    """Draw where the number of a step's cell comes from."""
    query, tokens = place.token(seen.telling_patch), token_names(seen.config)
    labels = {
        "query": tokens[query],
        "row": tokens[cell.row] if cell.row < len(tokens) else "",
        "column": tokens[cell.column] if cell.column < len(tokens) else "",
        "number": cell.column + 1,
    }
    name = f"compare_{cell.row}" if cell.matrix == "compare" else cell.matrix
    block, head = place.block, place.head
    working = Head(seen.config, seen.tensors, weights(choice), block, head, query, flaws(choice))
    derivation = working.origin(cell)
    assert derivation is not None, f"{cell.matrix} is a matrix of this page"
    show_derivation(
        derivation,
        seen,
        place,
        TEXTS["cells"][name].format(**labels),
        key=place.key(f"arithmetic-{step}"),
        is_example=place.cell_in(cell_shapes(seen.config)) != cell,
    )


def of_head(choice: Choice, seen: Observation, place: Place, name: str) -> np.ndarray:
    """Return the chosen head's q, k, v, scores, pattern or z."""
    return seen.tensors[f"blocks.{place.block}.attn.{name}"][place.head]
