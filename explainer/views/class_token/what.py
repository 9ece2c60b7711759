"""What it is: the same start for every image, or a mean instead."""

import streamlit as st

from explainer.components.matrices import Matrix
from explainer.content.token_names import token_names
from explainer.inputs.pictures.galleries import DIGITS, samples
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.class_token.cells import show_matrices
from explainer.views.class_token.values import start_difference, start_rows
from explainer.views.class_token.wording import TEXTS, dimensions, has_class, others


def show_what(choice: Choice, seen: Observation, place: Place) -> None:
    texts = TEXTS["parts"]["what"]
    if has_class(seen.config):
        show_matrices("start", started, Cell("start", 0, 0), choice, seen, place, "start")
        difference = f"{start_difference(choice, seen):g}"
        st.markdown(texts["same"].format(difference=difference))
    else:
        show_matrices(
            "mean", averaged, Cell("pooled", 0, 0), choice, seen, place, "final", "pooled"
        )


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


def averaged(choice: Choice, seen: Observation) -> list[Matrix]:
    texts, config = texts_of("class_token", seen)["parts"]["what"], seen.config
    prefix, columns = config.num_prefix_tokens, dimensions(config)
    return [
        Matrix(
            "final",
            seen.tensors["final_norm"][prefix:],
            texts["final"],
            token_names(config)[prefix:],
            columns,
            row_axis="patch",
            column_axis="dimension",
            colour="patch",
        ),
        Matrix(
            "pooled",
            seen.tensors["pooled"][None],
            texts["mean"],
            [texts["mean_row"]],
            columns,
            column_axis="dimension",
        ),
    ]
