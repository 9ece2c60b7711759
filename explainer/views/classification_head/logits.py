"""One score for each class."""

from functools import partial

import numpy as np
import streamlit as st

from explainer.components.matrices import Matrix
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import are_all_shown, names_of, shown_classes
from explainer.observation.text_variants import texts_of
from explainer.observation.weights import weights
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.notes import note
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.classification_head.cells import show_matrices
from explainer.views.classification_head.wording import TEXTS, facts, numbered


def show_logits(choice: Choice, seen: Observation, place: Place) -> None:
    texts = texts_of("classification_head", seen)["parts"]["logits"]
    config = seen.config
    start = Cell("logits", shown_classes(seen).index(seen.prediction), 0)
    show_matrices("logits", logit_matrices, start, choice, seen, place)
    if not are_all_shown(seen):
        note(texts["some"].format(classes=f"{len(seen.class_names):,}"))
    st.latex(texts["formula" if config.pool == "cls" else "formula_mean"])
    paper = texts["paper" if config.pool == "cls" else "paper_mean"]
    st.markdown(paper.format(**facts(choice, seen, place)))
    download_csv(
        texts["download"],
        partial(logits_csv, choice, seen),
        "head.csv",
        place.key("head-logits-csv"),
    )


def logit_matrices(choice: Choice, seen: Observation) -> list[Matrix]:
    texts, config, places = TEXTS["parts"]["logits"], seen.config, shown_classes(seen)
    names, dimensions = names_of(seen, places), numbered(config.embed_dim)
    return [
        Matrix(
            "row",
            seen.tensors["pooled"][None],
            texts["row"],
            [TEXTS["parts"]["pooled"]["pooled_row"]],
            dimensions,
            column_axis="dimension",
        ),
        Matrix(
            "weights",
            weights(choice)["head.weight"][places],
            texts["weights"],
            names,
            dimensions,
            row_axis="class",
            column_axis="dimension",
        ),
        Matrix(
            "logits",
            seen.logits[places, None],
            texts["logits"],
            names,
            [texts["logit"]],
            row_axis="class",
        ),
    ]


def logits_csv(choice: Choice, seen: Observation) -> str:
    held = weights(choice)
    table = np.concatenate(
        [held["head.weight"], held["head.bias"][:, None], seen.logits[:, None]], axis=1
    )
    columns = [*numbered(seen.config.embed_dim), "bias", "logit"]
    return matrix_csv(table, seen.class_names, columns, "class")
