"""The class token joins the patches."""

import numpy as np

from explainer.components.matrices import Matrix
from explainer.content.token_names import token_names
from explainer.observation.observe import Observation
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.class_token.cells import show_matrices
from explainer.views.class_token.wording import TEXTS, dimensions, has_class
from vit_core import ViTConfig


def show_join(choice: Choice, seen: Observation, place: Place) -> None:
    texts = TEXTS["parts"]["join"]
    show_matrices("join", joined, Cell("tokens", 0, 0), choice, seen, place, "patches", "tokens")
    download_csv(
        texts["download"],
        lambda: matrix_csv(
            seen.tensors["tokens"], joined_names(seen.config), dimensions(seen.config), "token"
        ),
        "tokens.csv",
        place.key("class-tokens-csv"),
    )


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
