"""LayerNorm on the chosen token."""

from functools import partial

import numpy as np
import streamlit as st

from explainer.content.numbers import fixed
from explainer.figures.layer_norm import before_and_after, ends_of
from explainer.figures.matrix import Matrix
from explainer.observation.flaws import flaws
from explainer.observation.limits import common_limits
from explainer.observation.observe import Observation
from explainer.observation.weights import weights
from explainer.shell import cell_matrices
from explainer.shell.notes import note, note_scale
from explainer.shell.shown import show_chart
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.encoder_block.cells import chosen_cell, explain
from explainer.views.encoder_block.wording import (
    TEXTS,
    facts,
    numbered_dimensions,
    row,
)


def show_norm(choice: Choice, seen: Observation, place: Place) -> None:
    texts, page_facts = TEXTS["norm"], facts(choice, seen, place)
    st.markdown(texts["text" if flaws(choice).layer_norm else "text_missing"])
    st.latex(texts["formula"])
    before, after = row(choice, seen, place, "resid_pre"), row(choice, seen, place, "norm1")
    numbers = {
        f"{name}_{when}": fixed(value, 3)
        for when, values in (("before", before), ("after", after))
        for name, value in (("mean", values.mean()), ("deviation", values.std()))
    }
    for column, when in zip(st.columns(2), ("before", "after"), strict=True):
        said = texts["statistics"].format(
            mean=numbers[f"mean_{when}"], deviation=numbers[f"deviation_{when}"]
        )
        column.markdown(f"**{texts[when].format(**page_facts)}**  \n:small[{said}]")
    ends = common_limits("norm", choice, seen, place, histogram_ends)
    show_chart(
        lambda mode: before_and_after(
            before,
            after,
            axis=texts["value"],
            count_axis=texts["count"],
            mode=mode,
            ends=ends,
        ),
        place,
        "block-norm",
        texts["title"],
        alt=texts["alt"].format(**numbers, **page_facts),
    )
    note_scale(place)
    cell_matrices.show(
        place,
        "block-learned",
        items=partial(learned_matrices, choice, seen, place),
        cell=chosen_cell(place, "learned"),
        cache=(choice, place.block),
    )
    explain(choice, seen, place, learned_matrices(choice, seen, place))
    note(texts["note"].format(epsilon=f"{seen.config.norm_eps:g}"))


def histogram_ends(choice: Choice, seen: Observation, place: Place) -> list[tuple[float, ...]]:
    return [ends_of(row(choice, seen, place, name)) for name in ("resid_pre", "norm1")]


def learned_matrices(choice: Choice, seen: Observation, place: Place) -> list[Matrix]:
    texts, held = TEXTS["norm"], weights(choice)
    name = f"blocks.{place.block}.norm1"
    return [
        Matrix(
            "learned",
            np.stack([held[f"{name}.weight"], held[f"{name}.bias"]]),
            texts["learned" if choice.trained else "learned_untrained"],
            [texts["gamma"], texts["beta"]],
            numbered_dimensions(seen.config),
            row_axis="parameter",
            column_axis="dimension",
        )
    ]
