"""Its row from block to block."""

import numpy as np
import streamlit as st

from explainer.content.numbers import fixed
from explainer.figures.matrix import Matrix
from explainer.observation.observe import Observation
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.fold import fold
from explainer.shell.more import more
from explainer.shell.table import show_table
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.class_token.cells import show_matrices
from explainer.views.class_token.values import cosines, journey
from explainer.views.class_token.wording import TEXTS, dimensions, has_class
from vit_core import ViTConfig


def stage_names(config: ViTConfig) -> list[str]:
    texts = TEXTS["parts"]["journey"]
    after = [texts["after"].format(number=block + 1) for block in range(config.depth)]
    return [texts["start"], *after]


def show_journey(choice: Choice, seen: Observation, place: Place) -> None:
    texts, stages = TEXTS["parts"]["journey"], stage_names(seen.config)
    rows = journey(seen)
    turns = cosines(rows)
    start = Cell("journey", 0, 0)
    show_matrices("journey", travelled, start, choice, seen, place, "journey", has_hint=False)
    most = int(turns.argmin())
    st.markdown(texts["most"].format(block=most + 1, cosine=fixed(float(turns[most]), 2)))
    with fold(place, "lengths", texts["label"]) as is_open:
        if is_open:
            show_table(
                {
                    texts["table_stage"]: stages,
                    texts["table_length"]: [f"{size:.2f}" for size in np.linalg.norm(rows, axis=1)],
                    texts["table_cosine"]: ["", *(fixed(float(turn), 2) for turn in turns)],
                },
            )
    with more(place, "journey"):
        download_csv(
            texts["download"],
            lambda: matrix_csv(rows, stages, dimensions(seen.config), "stage"),
            "rows.csv",
            place.key("class-journey-csv"),
        )


def travelled(choice: Choice, seen: Observation) -> list[Matrix]:
    texts = TEXTS["parts"]["journey"]
    name = texts["class_name" if has_class(seen.config) else "mean_name"]
    return [
        Matrix(
            "journey",
            journey(seen),
            texts["rows"].format(name=name),
            stage_names(seen.config),
            dimensions(seen.config),
            row_axis="stage",
            column_axis="dimension",
            colour="class-token" if has_class(seen.config) else None,
        )
    ]
