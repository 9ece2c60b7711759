"""One score for each class."""

from functools import partial

import numpy as np
import streamlit as st

from explainer.figures.matrix import Matrix
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import are_all_shown, names_of, shown_classes
from explainer.observation.text_variants import texts_of
from explainer.observation.weights import weights
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.fold import fold
from explainer.shell.more import more
from explainer.shell.notes import note
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.classification_head.cells import chosen_cell, show_matrices
from explainer.views.classification_head.pooled import show_pooled
from explainer.views.classification_head.wording import TEXTS, facts, numbered


def show_logits(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = TEXTS["parts"]["logits"], seen.config
    show_matrices("logits", logit_matrices, choice, seen, place)
    if not are_all_shown(seen):
        note(texts["some"].format(classes=f"{len(seen.class_names):,}"))
    pooled = texts_of("classification_head", seen)["pooled"]
    is_chosen = chosen_cell(seen, place, "pooled") is not None
    with fold(place, "pooled", pooled["title"], is_open=is_chosen) as is_open:
        if is_open:
            st.markdown(pooled["text"].format(**facts(choice, seen, place)))
            show_pooled(choice, seen, place)
    deeper = texts_of("classification_head", seen)["deeper"]
    with fold(place, "deeper-logits", deeper["title"]) as is_open:
        if is_open:
            kind = "" if config.pool == "cls" else "_mean"
            st.latex(deeper[f"formula{kind}"])
            st.markdown(deeper[f"paper{kind}"].format(**facts(choice, seen, place)))
    with more(place, "logits"):
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
