"""All blocks at a glance."""

from functools import partial

import streamlit as st

from explainer.content.token_names import token_names
from explainer.figures.matrix import Matrix
from explainer.observation.observe import Observation
from explainer.shell import cell_matrices
from explainer.shell.downloads import download_csv, table_csv
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.encoder_block.cells import chosen_cell
from explainer.views.encoder_block.wording import TEXTS, facts, lengths, numbered


def show_overview(choice: Choice, seen: Observation, place: Place) -> None:
    texts = TEXTS["overview"]
    st.markdown(texts["text"].format(**facts(choice, seen, place)))
    cell_matrices.show(
        place,
        "block-lengths",
        items=partial(length_matrices, choice, seen, place),
        cell=chosen_cell(place, "lengths"),
        on_choose=choose_block,
        cache=(choice, place.token(seen.telling_patch)),
    )
    download_csv(
        texts["download"], partial(lengths_csv, seen), "lengths.csv", place.key("block-lengths-csv")
    )


def choose_block(cell: Cell) -> None:
    session.change(block=cell.column, cell=str(cell))


def length_rows() -> list[str]:
    return [TEXTS["overview"][name] for name in ("stream", "attention", "mlp")]


def length_matrices(choice: Choice, seen: Observation, place: Place) -> list[Matrix]:
    texts = TEXTS["overview"]
    return [
        Matrix(
            "lengths",
            lengths(seen, place.token(seen.telling_patch)),
            texts["table"].format(**facts(choice, seen, place)),
            length_rows(),
            numbered(texts["block"], seen.config.depth),
            row_axis="part",
            column_axis="block",
            scale="sequential",
        )
    ]


def lengths_csv(seen: Observation) -> str:
    blocks = numbered(TEXTS["overview"]["block"], seen.config.depth)
    rows = [
        (name, part, *values)
        for token, name in enumerate(token_names(seen.config))
        for part, values in zip(length_rows(), lengths(seen, token), strict=True)
    ]
    return table_csv((*TEXTS["overview"]["csv_columns"], *blocks), rows)
