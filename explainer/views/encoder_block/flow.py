"""The residual stream through one block, and its two inflows."""

from functools import partial

import numpy as np
import streamlit as st

from explainer.components.matrices import Matrix
from explainer.components.token_picker import token_picker
from explainer.content.token_names import prefix_names
from explainer.figures.block_flow import block_flow
from explainer.observation.flaws import flaws
from explainer.observation.observe import Observation
from explainer.shell import cell_matrices, controls
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.notes import note
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.encoder_block.cells import COPIES, STREAM, chosen_cell, drawn_for, explain
from explainer.views.encoder_block.wording import (
    TEXTS,
    facts,
    length,
    numbered_dimensions,
    row,
)


def show_flow(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = TEXTS["parts"]["flow"], seen.config
    controls.pick_block(place)
    picker, picture = st.columns((1, 3), gap="large", vertical_alignment="center")
    with picker:
        token_picker(
            key=place.key("block-tokens"),
            group=place.prefix,
            image=seen.pixels,
            grid=config.grid_size,
            prefix_names=prefix_names(config),
            query=place.token(seen.telling_patch),
            on_choose=lambda clicked: session.set_query(clicked["query"]),
            width=200,
            cache=choice,
        )
    with picture:
        show_diagram(choice, seen, place)
    cell_matrices.show(
        place,
        "block-stream",
        items=partial(stream_matrices, choice, seen, place),
        cell=chosen_cell(place, Cell("stream", 2, 0), config, "stream", "normed"),
        cache=drawn_for(choice, seen, place),
    )
    explain(choice, seen, place, stream_matrices(choice, seen, place))
    note(texts["note" if flaws(choice).residual else "note_replaced"])
    st.markdown(texts["why"])
    download_csv(
        texts["download"],
        partial(stream_csv, choice, seen, place),
        "stream.csv",
        place.key("block-stream-csv"),
    )


def show_diagram(choice: Choice, seen: Observation, place: Place) -> None:
    texts = TEXTS["parts"]["flow"]
    names = ("before", "attention", "middle", "mlp", "after")
    lengths = {
        name: f"{length(row(choice, seen, place, key)):.2f}"
        for name, key in zip(names, STREAM, strict=True)
    }
    made = flaws(choice)
    alt = texts["diagram" if made.residual else "diagram_replaced"]
    if not made.layer_norm:
        alt = f"{alt} {texts['diagram_without_norm']}"
    st.html(
        block_flow(
            lengths,
            texts,
            alt.format(**facts(choice, seen, place), **lengths),
            residual=made.residual,
            layer_norm=made.layer_norm,
        )
    )


def stream_matrices(choice: Choice, seen: Observation, place: Place) -> list[Matrix]:
    texts, dimensions = TEXTS["parts"]["flow"], numbered_dimensions(seen.config)
    return [
        Matrix(
            "stream",
            np.stack([row(choice, seen, place, name) for name in STREAM]),
            texts["stream"].format(**facts(choice, seen, place)),
            [texts[name] for name in STREAM],
            dimensions,
            row_axis="station",
            column_axis="dimension",
        ),
        Matrix(
            "normed",
            np.stack([row(choice, seen, place, name) for name in COPIES]),
            texts["normed"],
            [texts[name] for name in COPIES],
            dimensions,
            row_axis="copy",
            column_axis="dimension",
        ),
    ]


def stream_csv(choice: Choice, seen: Observation, place: Place) -> str:
    names = (*STREAM, *COPIES)
    table = np.stack([row(choice, seen, place, name) for name in names])
    return matrix_csv(table, names, numbered_dimensions(seen.config), "station")
