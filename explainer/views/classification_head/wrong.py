"""Pictures that the model gets wrong: test digits, or those of its gallery whose class is known."""

from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from explainer.content.numbers import with_article
from explainer.content.strangers_words import plain_format
from explainer.figures.looks import image_alone, looks
from explainer.inputs.models import load
from explainer.inputs.pictures.galleries import DIGITS, samples
from explainer.inputs.pictures.test_digits import test_digit
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.observation.wrong_digits import first_misclassified
from explainer.observation.wrong_samples import labelled_count, misclassified_samples
from explainer.shell.shown import show_html
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place

SHOWN_MISTAKES = 4
WIDTH = 620  # pixels, of all pictures together


class Mistake(NamedTuple):
    """A picture that the model gets wrong.

    Attributes:
        truth, predicted: classes.
        chosen: what the state has when this picture is looked at.
    """

    pixels: np.ndarray
    truth: int
    predicted: int
    chosen: dict[str, Any]


def show_wrong(choice: Choice, seen: Observation, place: Place) -> None:
    texts, names = texts_of("classification_head", seen)["wrong"], seen.class_names
    mistakes = mistakes_of(choice)
    if not mistakes:
        st.markdown(texts["none"])
        return
    st.markdown(texts["which_trained" if choice.trained else "which_untrained"])
    labels_of_each = [
        {
            "a_truth": with_article(names[one.truth]),
            "a_said": with_article(names[one.predicted]),
            "number": index + 1,
        }
        for index, one in enumerate(mistakes)
    ]
    show_html(
        looks(
            [
                (
                    image_alone(one.pixels, plain_format(texts["alt"], **labels)),
                    plain_format(texts["taken"], **labels),
                    (),
                )
                for one, labels in zip(mistakes, labels_of_each, strict=True)
            ]
        ),
        "wrong",
        texts["title"],
        into=st.container(width=WIDTH),
    )
    with st.container(horizontal=True):
        for index, (one, labels) in enumerate(zip(mistakes, labels_of_each, strict=True)):
            if st.button(texts["look"].format(**labels), key=place.key(f"head-mistake-{index}")):
                session.change(**one.chosen)
                st.rerun()  # the whole page, as the sidebar shows the image


def mistakes_of(choice: Choice) -> list[Mistake]:
    if choice.gallery == DIGITS:
        return [
            Mistake(
                test_digit(one.digit, one.index),
                one.digit,
                one.predicted,
                {"digit": one.digit, "index": one.index, "picture": ""},
            )
            for one in first_misclassified(choice, SHOWN_MISTAKES)
        ]
    source = load.source_of(choice)
    return [
        Mistake(
            source.prepare(samples(choice.gallery)[one.index].open()),
            one.label,
            one.predicted,
            {"sample": one.index, "photo": ""},
        )
        for one in misclassified_samples(choice)[:SHOWN_MISTAKES]
    ]


def are_classes_known(choice: Choice) -> bool:
    """Whether there are pictures of which it is known what they show."""
    return choice.gallery == DIGITS or labelled_count(choice) > 0
