"""The softmax, and the whole attention pattern."""

from functools import partial

import numpy as np
import streamlit as st

from explainer.components.matrices import Matrix
from explainer.components.packing import CLIPPED_SHARE
from explainer.content.token_names import token_names
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.self_attention.cells import cell_of, of_head, row_of, show_cell, show_matrices
from explainer.views.self_attention.wording import TEXTS, show_image


def show_softmax(choice: Choice, seen: Observation, place: Place) -> None:
    texts, names, row = (
        TEXTS["parts"]["softmax"],
        token_names(seen.config),
        row_of(choice, seen, place),
    )
    start = Cell("weights", 0, int(row.strongest[0]))
    cell = cell_of(place, "softmax", start, seen.config)
    show_matrices("step-softmax", softmax_row, cell, choice, seen, place)
    show_cell("softmax", cell, choice, seen, place)
    st.markdown(texts["all"])
    picture, whole = st.columns((1, 3), gap="large")
    with picture:
        st.markdown(f"**{texts['picture'].format(query=names[row.query])}**")
        show_image("looking", choice, seen, place, row.weights)
    with whole:
        show_matrices("step-pattern", whole_pattern, cell, choice, seen, place, same_for_all=True)


def softmax_row(choice: Choice, seen: Observation, place: Place) -> list[Matrix]:
    texts, names, row = (
        TEXTS["parts"]["softmax"],
        token_names(seen.config),
        row_of(choice, seen, place),
    )
    query = names[row.query]
    return [
        Matrix(
            "weights",
            row.weights[None],
            texts["row"].format(query=query),
            [query],
            names,
            column_axis="key",
            scale="sequential",
        )
    ]


def whole_pattern(choice: Choice, seen: Observation, place: Place) -> list[Matrix]:
    texts, names = TEXTS["parts"]["softmax"], token_names(seen.config)
    pattern = of_head(choice, seen, place, "pattern")
    square = partial(
        Matrix, row_names=names, column_names=names, row_axis="query", column_axis="key"
    )
    return [
        square("scores", of_head(choice, seen, place, "scores"), texts["scores"]),
        square(
            "pattern",
            pattern,
            texts["pattern"],
            scale="sequential",
            # a few large weights would leave all others dark
            limit=float(np.quantile(pattern, 1 - CLIPPED_SHARE)) or None,
        ),
    ]
