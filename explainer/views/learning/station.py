"""One tensor of the pass, and its gradient beside it."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal

import numpy as np

from explainer.content.numbers import written
from explainer.content.token_names import patch_names, prefix_names, token_names, value_names
from explainer.figures.matrix import Matrix
from explainer.observation.learning.backwards import key_of, sizes
from explainer.observation.learning.lesson import lesson_of, target_of
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import names_of
from explainer.shell import cell_matrices
from explainer.shell.notes import note
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.learning.wording import TEXTS, station_name
from vit_core import ViTConfig

WRITTEN_FROM = 0.1  # size of the largest number of a matrix whose numbers stand in its cells
MOST_COLUMNS = 32  # of which a matrix of more has no numbers in its cells anyway
SIDE = 18.0  # pixels of a cell without a number
OF_HEADS = ("attn.q", "attn.k", "attn.v", "attn.z", "attn.scores", "attn.pattern")


def show_station(choice: Choice, seen: Observation, place: Place) -> None:
    """Draw the chosen tensor and its gradient."""
    texts, target = TEXTS["parts"]["backwards"], target_of(seen, place)
    chosen = (choice, target, place.station, place.block, place.head)
    shape = matrix_of(seen, place, seen.tensors).shape
    cell = place.cell_in({"tensor": shape, "gradient": shape})
    cell_matrices.show(
        place,
        "station",
        items=partial(station_matrices, choice, seen, place),
        cell=cell,
        cache=chosen,
        prefix=seen.config.num_prefix_tokens,
    )
    if sizes(choice, target)[key_of(place.station, place.block)]:
        note(texts["note"])
    else:
        note(texts["all_zero"])


def station_matrices(choice: Choice, seen: Observation, place: Place) -> list[Matrix]:
    texts, taught = TEXTS["parts"]["backwards"], lesson_of(choice, seen, place)
    size = sizes(choice, taught.target)[key_of(place.station, place.block)]
    name = station_name(place.station, place.block)
    if place.station in OF_HEADS:
        name = texts["of_head"].format(station=name, head=place.head + 1)
    titles = {
        "tensor": texts["tensor_matrix"].format(station=name),
        "gradient": texts["gradient_matrix"].format(size=written(size)),
    }
    rows, columns, axes = names_at(seen, place)
    return [
        Matrix(
            kind,
            matrix_of(seen, place, source),
            titles[kind],
            rows,
            columns,
            row_axis=axes[0],
            column_axis=axes[1],
            cell=cell_size(matrix_of(seen, place, source)),
        )
        for kind, source in (("tensor", seen.tensors), ("gradient", taught.gradients))
    ]


def cell_size(values: np.ndarray) -> float | Literal["auto"]:
    """Return how large cells are: where two decimals would read 0.00, none has its number in it."""
    is_tiny = bool(np.abs(values).max() < WRITTEN_FROM)
    return SIDE if is_tiny and values.shape[1] <= MOST_COLUMNS else "auto"


def matrix_of(seen: Observation, place: Place, source: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the chosen tensor of a pass as a matrix: of the chosen head, if heads have one each.

    Args:
        source: trace key → array without the batch axis.
    """
    array = source[key_of(place.station, place.block)]
    if array.ndim == 3:
        array = array[place.head]
    return array[None] if array.ndim == 1 else array


def names_at(seen: Observation, place: Place) -> tuple[Sequence[str], Sequence[str], list[str]]:
    """Return what the rows and columns of the chosen tensor are called, and their axes."""
    texts, config, station = TEXTS["parts"]["backwards"], seen.config, place.station
    if station == "patches":
        return patch_names(config), value_names(config), ["patch", "value"]
    if station == "logits":
        return [""], names_of(seen, range(config.num_classes)), ["", "class"]
    dimensions = numbered(texts["dimension"], config.embed_dim)
    if station == "pooled":
        return [""], dimensions, ["", "dimension"]
    if station == "patch_embed":
        return patch_names(config), dimensions, ["patch", "dimension"]
    if station == "tokens":
        return tokens_without_registers(config), dimensions, ["", "dimension"]
    tokens = token_names(config)
    if station in ("attn.scores", "attn.pattern"):
        return tokens, tokens, ["query", "key"]
    if station in OF_HEADS:
        return tokens, numbered(texts["number"], config.head_dim), ["token", "number"]
    if station in ("mlp.pre", "mlp.post"):
        return tokens, numbered(texts["unit"], config.mlp_dim), ["token", "unit"]
    return tokens, dimensions, ["token", "dimension"]


def tokens_without_registers(config: ViTConfig) -> list[str]:
    """Name the tokens before the registers join them."""
    return prefix_names(config)[: int(config.pool == "cls")] + patch_names(config)


def numbered(template: str, count: int) -> list[str]:
    return [template.format(number=index + 1) for index in range(count)]
