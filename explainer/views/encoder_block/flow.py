"""The residual stream through one block, and its two inflows."""

from functools import partial

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.components.token_picker import token_picker
from explainer.content.token_names import prefix_names
from explainer.figures.block_flow import block_flow
from explainer.figures.matrix import Matrix
from explainer.observation.flaws import flaws
from explainer.observation.limits import common_limits, key_of
from explainer.observation.observe import Observation
from explainer.shell import cell_matrices, controls
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.fold import fold
from explainer.shell.more import more
from explainer.shell.notes import note, note_scale
from explainer.shell.shown import show_html
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.encoder_block.cells import COPIES, STREAM, chosen_cell, drawn_for, explain
from explainer.views.encoder_block.formula import show_formula
from explainer.views.encoder_block.norm import show_norm
from explainer.views.encoder_block.overview import show_overview
from explainer.views.encoder_block.sizes import show_sizes
from explainer.views.encoder_block.wording import (
    TEXTS,
    facts,
    length,
    numbered_dimensions,
    row,
)

FOLDS = {
    "sizes": show_sizes,
    "norm": show_norm,
    "overview": show_overview,
    "deeper": show_formula,
}
MATRICES = {"norm": ("learned",), "overview": ("lengths",)}  # of the folds


def show_flow(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = TEXTS["parts"]["flow"], seen.config
    controls.pick_block(place)
    picker, picture = st.columns((2, 5), gap="large", vertical_alignment="center")
    with picker:
        token_picker(
            key=place.key("block-tokens"),
            group=place.prefix,
            image=seen.pixels,
            grid=config.grid_size,
            prefix_names=prefix_names(config),
            query=place.token(seen.telling_patch),
            on_choose=lambda clicked: session.set_query(clicked["query"]),
            width=220,
            cache=choice,
        )
    with picture:
        limits = common_limits("flow", choice, seen, place, widest_row)
        show_html(
            remember(
                ("flow", drawn_for(choice, seen, place), key_of(limits)),
                partial(diagram, choice, seen, place, limits),
            ),
            "diagram",
        )
        note_scale(place)
    cell_matrices.show(
        place,
        "block-stream",
        items=partial(stream_matrices, choice, seen, place),
        cell=chosen_cell(place, "stream", "normed"),
        cache=drawn_for(choice, seen, place),
    )
    explain(choice, seen, place, stream_matrices(choice, seen, place))
    note(texts["note" if flaws(choice).residual else "note_replaced"])
    for name, draw in FOLDS.items():
        is_chosen = chosen_cell(place, *MATRICES.get(name, ())) is not None
        with fold(place, name, TEXTS[name]["title"], is_open=is_chosen) as is_open:
            if is_open:
                draw(choice, seen, place)
    with more(place, "flow"):
        download_csv(
            texts["download"],
            partial(stream_csv, choice, seen, place),
            "stream.csv",
            place.key("block-stream-csv"),
        )


def widest_row(choice: Choice, seen: Observation, place: Place) -> float:
    return max(length(row(choice, seen, place, key)) for key in STREAM)


def diagram(
    choice: Choice, seen: Observation, place: Place, limits: np.ndarray | None = None
) -> str:
    texts, made = TEXTS["parts"]["flow"], flaws(choice)
    names = ("before", "attention", "middle", "mlp", "after")
    lengths = {
        name: length(row(choice, seen, place, key)) for name, key in zip(names, STREAM, strict=True)
    }
    alt = texts["diagram" if made.residual else "diagram_replaced"]
    if not made.layer_norm:
        alt = f"{alt} {texts['diagram_without_norm']}"
    written = {name: f"{value:.2f}" for name, value in lengths.items()}
    return block_flow(
        lengths,
        texts,
        alt.format(**facts(choice, seen, place), **written),
        residual=made.residual,
        layer_norm=made.layer_norm,
        layer_scale=seen.config.layer_scale is not None,
        widest=None if limits is None else float(limits),
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
