"""The MLP, its hidden units and their activation."""

from functools import partial

import numpy as np
import streamlit as st

from explainer.components.matrices import Matrix
from explainer.content.numbers import fixed
from explainer.content.token_names import token_names
from explainer.figures.layer_norm import gelu_curve
from explainer.figures.looks import look, looks
from explainer.observation.observe import Observation
from explainer.shell import cell_matrices
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.encoder_block.cells import chosen_cell, drawn_for, explain
from explainer.views.encoder_block.wording import (
    CHART,
    TEXTS,
    active_units,
    facts,
    mode,
    numbered,
    row,
)


def unit_of(choice: Choice, seen: Observation, place: Place) -> int:
    """Return the chosen hidden unit, the one that is strongest for the token until one is."""
    unit = place.unit
    if unit is None:
        unit = int(row(choice, seen, place, "mlp.post").argmax())
    return min(unit, seen.config.mlp_dim - 1)


def choose_unit(cell: Cell) -> None:
    session.change(unit=cell.column, cell=str(cell))


def show_mlp(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config, page_facts = TEXTS["parts"]["mlp"], seen.config, facts(choice, seen, place)
    unit = unit_of(choice, seen, place)
    st.latex(texts["formula"])
    cell_matrices.show(
        place,
        "block-hidden",
        items=partial(hidden_matrices, choice, seen, place),
        cell=chosen_cell(place, Cell("hidden", 1, unit), config, "hidden"),
        on_choose=choose_unit,
        cache=drawn_for(choice, seen, place),
    )
    explain(choice, seen, place, hidden_matrices(choice, seen, place))
    st.markdown(texts["active"].format(active=active_units(choice, seen, place), **page_facts))
    left, right = st.columns((1, 3), gap="large")
    with left:
        show_unit(choice, seen, place, unit)
    with right:
        show_curve(choice, seen, place, unit)
    download_csv(
        texts["download"],
        lambda: matrix_csv(
            seen.tensors[f"blocks.{place.block}.mlp.post"],
            token_names(config),
            numbered(texts["unit"], config.mlp_dim),
            "token",
        ),
        "hidden-units.csv",
        place.key("block-hidden-csv"),
    )


def hidden_matrices(choice: Choice, seen: Observation, place: Place) -> list[Matrix]:
    texts = TEXTS["parts"]["mlp"]
    return [
        Matrix(
            "hidden",
            np.stack([row(choice, seen, place, "mlp.pre"), row(choice, seen, place, "mlp.post")]),
            texts["hidden"].format(**facts(choice, seen, place)),
            [texts["pre"], texts["post"]],
            numbered(texts["unit"], seen.config.mlp_dim),
            row_axis="side",
            column_axis="unit",
        )
    ]


def show_unit(choice: Choice, seen: Observation, place: Place, unit: int) -> None:
    """One hidden unit's activation over the image."""
    texts, config = TEXTS["parts"]["mlp"], seen.config
    values = seen.tensors[f"blocks.{place.block}.mlp.post"][:, unit]
    on_patches = values[config.num_prefix_tokens :]
    strongest = config.num_prefix_tokens + int(on_patches.argmax())
    largest = fixed(on_patches.max(), 2)
    names = token_names(config)
    alt = texts["unit_alt"].format(unit=unit + 1, strongest=names[strongest], value=largest)
    amounts = np.maximum(on_patches, 0).reshape(config.grid_size)
    own = fixed(row(choice, seen, place, "mlp.post")[unit], 2)
    lines = [
        texts["unit_value"].format(query=names[place.token(seen.telling_patch)], value=own),
        texts["unit_largest"].format(value=largest),
        texts["unit_note"],
    ]
    picture = look(seen.pixels, amounts, alt, max(float(amounts.max()), 1e-6))
    st.html(looks([(picture, texts["unit_title"].format(unit=unit + 1), lines)]))


def show_curve(choice: Choice, seen: Observation, place: Place, unit: int) -> None:
    texts, page_facts = TEXTS["parts"]["mlp"], facts(choice, seen, place)
    st.markdown(f"**{texts['curve']}**")
    st.plotly_chart(
        gelu_curve(
            row(choice, seen, place, "mlp.pre"),
            row(choice, seen, place, "mlp.post"),
            unit,
            axis=texts["curve_x"],
            height_axis=texts["curve_y"],
            hover=texts["curve_hover"],
            mode=mode(),
        ),
        theme=None,
        key=place.key("block-gelu"),
        config=CHART,
        alt=texts["curve_alt"].format(active=active_units(choice, seen, place), **page_facts),
    )
