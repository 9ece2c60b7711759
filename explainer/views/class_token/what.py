"""What it is: the same start for every image, or a mean instead."""

import streamlit as st

from explainer.content.token_names import token_names
from explainer.figures.matrix import Matrix
from explainer.inputs.pictures.galleries import DIGITS, samples
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.shell.fold import fold
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.class_token.cells import cell_shapes, show_matrices
from explainer.views.class_token.values import start_difference, start_rows
from explainer.views.class_token.wording import TEXTS, dimensions, has_class, others


def show_what(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = TEXTS["parts"]["what"], seen.config
    if has_class(config):
        start = Cell("start", 0, 0)
        show_matrices("start", started, start, choice, seen, place, "start", has_hint=False)
        difference = f"{start_difference(choice, seen):g}"
        st.markdown(texts["same"].format(difference=difference))
        return
    show_matrices("mean", averaged, Cell("pooled", 0, 0), choice, seen, place, "pooled")
    is_chosen = place.cell_in({"final": cell_shapes(config)["final"]}) is not None
    with fold(place, "final", texts["final_label"], is_open=is_chosen) as is_open:
        if is_open:
            show_matrices("final", finished, Cell("final", 0, 0), choice, seen, place, "final")


def started(choice: Choice, seen: Observation) -> list[Matrix]:
    texts = TEXTS["parts"]["what"]
    names = [texts["this"], *map(name_of, others(choice))]
    return [
        Matrix(
            "start",
            start_rows(choice, seen),
            texts["rows"],
            names,
            dimensions(seen.config),
            row_axis="image",
            column_axis="dimension",
            colour="class-token",
        )
    ]


def name_of(choice: Choice) -> str:
    """Say in a few words which other picture it is."""
    if choice.gallery == DIGITS:
        return TEXTS["parts"]["what"]["other"].format(digit=choice.digit)
    return samples(choice.gallery)[choice.sample].name


def finished(choice: Choice, seen: Observation) -> list[Matrix]:
    texts, config = texts_of("class_token", seen)["parts"]["what"], seen.config
    prefix = config.num_prefix_tokens
    return [
        Matrix(
            "final",
            seen.tensors["final_norm"][prefix:],
            texts["final"],
            token_names(config)[prefix:],
            dimensions(config),
            row_axis="patch",
            column_axis="dimension",
            colour="patch",
        )
    ]


def averaged(choice: Choice, seen: Observation) -> list[Matrix]:
    texts = TEXTS["parts"]["what"]
    return [
        Matrix(
            "pooled",
            seen.tensors["pooled"][None],
            texts["mean"],
            [texts["mean_row"]],
            dimensions(seen.config),
            column_axis="dimension",
        )
    ]
