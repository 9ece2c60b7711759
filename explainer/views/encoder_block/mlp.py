"""The MLP, its hidden units and their activation."""

from functools import partial

import numpy as np
import streamlit as st

from explainer.content.numbers import fixed, percent
from explainer.content.token_names import token_names
from explainer.figures.layer_norm import gelu_curve, gelu_ends
from explainer.figures.looks import look, looks
from explainer.figures.matrix import Matrix
from explainer.observation.limits import common_limits
from explainer.observation.observe import Observation
from explainer.shell import cell_matrices
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.fold import fold
from explainer.shell.more import more
from explainer.shell.notes import note_scale
from explainer.shell.shown import show_chart, show_html
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.encoder_block.cells import chosen_cell, drawn_for, explain
from explainer.views.encoder_block.wording import (
    TEXTS,
    active_units,
    facts,
    numbered,
    row,
)
from vit_core import ViTConfig


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
    cell_matrices.show(
        place,
        "block-hidden",
        items=partial(hidden_matrices, choice, seen, place),
        cell=chosen_cell(place, "hidden") or Cell("hidden", 1, unit),
        on_choose=choose_unit,
        cache=drawn_for(choice, seen, place),
    )
    explain(choice, seen, place, hidden_matrices(choice, seen, place))
    st.markdown(texts["active"].format(active=active_units(choice, seen, place), **page_facts))
    show_unit(choice, seen, place, unit)
    with fold(place, "curve", TEXTS["curve"]["title"]) as is_open:
        if is_open:
            show_curve(choice, seen, place, unit)
    with fold(place, "work", TEXTS["work"]["title"]) as is_open:
        if is_open:
            st.markdown(work_words(config))
    with more(place, "mlp"):
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
    limits = common_limits("unit", choice, seen, place, unit_limit)
    limit = float(amounts.max() if limits is None else limits)
    picture = look(seen.pixels, amounts, alt, max(limit, 1e-6))
    title = texts["unit_title"].format(unit=unit + 1)
    show_html(looks([(picture, title, lines)]), "unit", title)
    note_scale(place)


def unit_limit(choice: Choice, seen: Observation, place: Place) -> float:
    """Return the largest activation of the chosen unit on a patch."""
    values = seen.tensors[f"blocks.{place.block}.mlp.post"][:, unit_of(choice, seen, place)]
    return max(float(values[seen.config.num_prefix_tokens :].max()), 0.0)


def curve_ends(choice: Choice, seen: Observation, place: Place) -> tuple[float, float]:
    return gelu_ends(row(choice, seen, place, "mlp.pre"))


def show_curve(choice: Choice, seen: Observation, place: Place, unit: int) -> None:
    texts, page_facts = TEXTS["curve"], facts(choice, seen, place)
    ends = common_limits("curve", choice, seen, place, curve_ends)
    st.markdown(texts["text"])
    show_chart(
        lambda mode: gelu_curve(
            row(choice, seen, place, "mlp.pre"),
            row(choice, seen, place, "mlp.post"),
            unit,
            axis=texts["x"],
            height_axis=texts["y"],
            hover=texts["hover"],
            mode=mode,
            ends=None if ends is None else (float(ends[0]), float(ends[1])),
        ),
        place,
        "block-gelu",
        texts["title"],
        alt=texts["alt"].format(active=active_units(choice, seen, place), **page_facts),
    )
    note_scale(place)


def work_words(config: ViTConfig) -> str:
    """Say how many numbers a block has learned, and how much each of its parts multiplies."""
    texts, tokens, width = TEXTS["work"], config.num_tokens, config.embed_dim
    attention, mlp = 4 * width**2, 2 * width * config.mlp_dim
    everything = config.parameters_by_part["blocks"] // config.depth
    ratio, remainder = divmod(config.mlp_dim, width)
    rule = "" if remainder else texts["rule"].format(ratio=ratio, factor=4 + 2 * ratio)
    pairs, projections, hidden = 2 * tokens**2 * width, tokens * attention, tokens * mlp
    numbers = {
        "all": everything,
        "attention": attention,
        "mlp": mlp,
        "rest": everything - attention - mlp,
        "mlp_work": hidden,
        "projection_work": projections,
        "pair_work": pairs,
    }
    return "\n".join((texts["numbers"], texts["work"])).format(
        **{name: f"{number:,}" for name, number in numbers.items()},
        units=config.mlp_dim,
        tokens=tokens,
        rule=rule,
        others=texts["others" if config.layer_scale is None else "others_layer_scale"],
        pair_share=percent(pairs / (pairs + projections + hidden)),
    )
