"""The weighted sum of the values."""

import numpy as np

from explainer.components.matrices import Matrix
from explainer.content.token_names import token_names
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.self_attention.cells import cell_of, of_head, row_of, show_cell, show_matrices
from explainer.views.self_attention.wording import TEXTS, numbered


def show_mix(choice: Choice, seen: Observation, place: Place) -> None:
    cell = cell_of(place, "mix", Cell("z", place.token(seen.telling_patch), 0), seen.config)
    show_matrices("step-mix", mix_matrices, cell, choice, seen, place)
    show_cell("mix", cell, choice, seen, place)


def mix_matrices(choice: Choice, seen: Observation, place: Place) -> list[Matrix]:
    texts, config, names = TEXTS["parts"]["mix"], seen.config, token_names(seen.config)
    row, numbers = row_of(choice, seen, place), numbered("number", config.head_dim)
    values = of_head(choice, seen, place, "v")
    # one scale, so that a weight's effect shows
    limit = float(np.abs(values).max()) or None
    return [
        Matrix(
            "shares",
            row.weights[:, None],
            texts["shares"],
            names,
            [texts["weight"]],
            row_axis="key",
            scale="sequential",
        ),
        Matrix(
            "values",
            values,
            texts["values"],
            names,
            numbers,
            row_axis="key",
            column_axis="number",
            colour="value",
            limit=limit,
        ),
        Matrix(
            "weighted",
            row.weights[:, None] * values,
            texts["weighted"],
            names,
            numbers,
            row_axis="key",
            column_axis="number",
            colour="value",
            limit=limit,
        ),
        Matrix(
            "z",
            of_head(choice, seen, place, "z"),
            texts["z"],
            names,
            numbers,
            row_axis="query",
            column_axis="number",
            limit=limit,
        ),
    ]
