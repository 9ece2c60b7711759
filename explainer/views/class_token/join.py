"""The class token joins the patches."""

from functools import partial

import numpy as np

from explainer.caching import remember
from explainer.components.row_joins import row_joins
from explainer.content.token_names import token_names
from explainer.figures.maps import map_of
from explainer.figures.matrix import Matrix
from explainer.observation.limits import common_limits, key_of
from explainer.observation.observe import Observation
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.fold import fold
from explainer.shell.more import more
from explainer.shell.notes import note_scale
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.class_token.cells import cell_shapes, show_matrices
from explainer.views.class_token.wording import TEXTS, dimensions, has_class
from vit_core import ViTConfig


def show_join(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = TEXTS["parts"]["join"], seen.config
    if has_class(config):
        limits = common_limits("class token joins", choice, seen, place, token_limit)
        rows, row = remember(
            ("class token joins", choice, key_of(limits)), partial(pictures, seen, limits)
        )
        values = {"count": config.num_patches, "tokens": len(seen.tensors["tokens"])}
        row_joins(
            key=place.key("class-joins"),
            rows=rows,
            row=row,
            texts={
                "rows": texts["rows_name"].format(**values),
                "row": texts["row_name"],
                "before": texts["before"],
                "after": texts["after"],
                "again": texts["again"],
                "alt": texts["alt"].format(**values),
            },
        )
        note_scale(place)
    names = ("patches", "tokens")
    shapes = cell_shapes(config)
    is_chosen = place.cell_in({name: shapes[name] for name in names}) is not None
    with fold(place, "rows", texts["label"], is_open=is_chosen) as is_open:
        if is_open:
            show_matrices("join", joined, Cell("tokens", 0, 0), choice, seen, place, *names)
    with more(place, "join"):
        download_csv(
            texts["download"],
            lambda: matrix_csv(
                seen.tensors["tokens"], joined_names(config), dimensions(config), "token"
            ),
            "tokens.csv",
            place.key("class-tokens-csv"),
        )


def token_limit(choice: Choice, seen: Observation, place: Place) -> float:
    return float(np.abs(seen.tensors["tokens"]).max())


def pictures(seen: Observation, limits: np.ndarray | None = None) -> tuple[str, str]:
    """Return the addresses of the patches' rows and of the class token's, in one scale."""
    tokens = seen.tensors["tokens"]
    limit = float(np.abs(tokens).max() if limits is None else limits) or 1.0
    return map_of(tokens[1:], limit), map_of(tokens[:1], limit)


def joined_names(config: ViTConfig) -> list[str]:
    """Name the tokens as they are before registers join."""
    names = token_names(config)
    return names[: config.pool == "cls"] + names[config.num_prefix_tokens :]


def joined(choice: Choice, seen: Observation) -> list[Matrix]:
    texts, config = TEXTS["parts"]["join"], seen.config
    names, columns = joined_names(config), dimensions(config)
    limit = float(np.abs(seen.tensors["tokens"]).max()) or None
    return [
        Matrix(
            "patches",
            seen.tensors["patch_embed"],
            texts["before"],
            names[has_class(config) :],
            columns,
            row_axis="patch",
            column_axis="dimension",
            colour="patch",
            limit=limit,
        ),
        Matrix(
            "tokens",
            seen.tensors["tokens"],
            texts["after"],
            names,
            columns,
            row_axis="token",
            column_axis="dimension",
            colour="class-token" if has_class(config) else "patch",
            limit=limit,
        ),
    ]
