"""The scores before the softmax."""

import numpy as np

from explainer.components.matrices import Matrix
from explainer.content.token_names import token_names
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.self_attention.cells import cell_of, of_head, row_of, show_cell, show_matrices
from explainer.views.self_attention.wording import TEXTS


def show_scores(choice: Choice, seen: Observation, place: Place) -> None:
    start = Cell("compare", 1, int(row_of(choice, seen, place).strongest[0]))
    cell = cell_of(place, "scores", start, seen.config)
    show_matrices("step-scores", compared, cell, choice, seen, place)
    show_cell("scores", cell, choice, seen, place)


def compared(choice: Choice, seen: Observation, place: Place) -> list[Matrix]:
    """The dot products of the query's row, and below each what is left after the division."""
    texts, names, row = (
        TEXTS["parts"]["scores"],
        token_names(seen.config),
        row_of(choice, seen, place),
    )
    products = of_head(choice, seen, place, "q")[row.query] @ of_head(choice, seen, place, "k").T
    return [
        Matrix(
            "compare",
            np.stack([products, row.scores]),
            texts["compare"].format(query=names[row.query]),
            [texts["product"], texts["score"]],
            names,
            column_axis="key",
        )
    ]
