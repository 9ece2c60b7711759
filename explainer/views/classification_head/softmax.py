"""From scores to probabilities."""

import math

import numpy as np
import streamlit as st

from explainer.content.equality import latex_sign, number_of
from explainer.content.numbers import (
    latex_name,
    latex_written,
    percent,
    precise_percent,
    with_article,
)
from explainer.content.strangers_words import plain_format
from explainer.figures.probabilities import probabilities, shortened
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import are_all_shown, left_over, names_of, shown_classes
from explainer.observation.text_variants import texts_of
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.notes import note
from explainer.shell.worked_line import bracketed
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.classification_head.wording import facts

LARGEST_LOGIT = 700  # e to its power is still a number


def show_softmax(choice: Choice, seen: Observation, place: Place) -> None:
    texts = texts_of("classification_head", seen)["parts"]["softmax"]
    names = seen.class_names
    shares, places = seen.probabilities, shown_classes(seen)
    drawn, labels = shares[places], names_of(seen, places)
    written_shares = [percent(float(share)) for share in drawn]
    left, right = st.columns((3, 2), gap="large")
    with left:
        st.plotly_chart(
            probabilities(
                drawn,
                labels,
                None if seen.label is None else places.index(seen.label),
                written_shares,
                axis=texts["axis" if seen.label is not None else "axis_own"],
                mode=st.context.theme.type or "light",
            ),
            theme=None,
            key=place.key("head-probabilities"),
            config={"displayModeBar": "hover", "displaylogo": False},
            alt=plain_format(
                texts["alt"],
                values=", ".join(map(" ".join, zip(labels, written_shares, strict=True))),
            ),
        )
        if not are_all_shown(seen):
            count, rest = left_over(seen, places)
            note(texts["rest"].format(count=f"{count:,}", share=percent(rest)))
    with right:
        st.markdown(verdict(choice, seen, place))
        st.latex(texts["worked"] % worked(seen))
        if choice.trained:
            note(texts["sure"])
        download_csv(
            texts["download"],
            lambda: matrix_csv(
                np.stack([seen.logits, shares], axis=1), names, ("logit", "probability"), "class"
            ),
            "probabilities.csv",
            place.key("head-probabilities-csv"),
        )


def worked(seen: Observation) -> tuple[str, ...]:
    """Return what the worked formula of the answer's probability needs, signs included."""
    logits = seen.logits.astype(np.float64)
    best = float(logits[seen.prediction])
    # beyond that a power of e cannot be written; subtracting the largest changes no share
    most = best if abs(best) > LARGEST_LOGIT else 0.0
    powers = np.exp(logits - most)
    logit, less = latex_written(best), latex_written(most)
    power, total = latex_written(math.exp(best - most)), latex_written(float(powers.sum()))
    share = precise_percent(float(seen.probabilities[seen.prediction]))
    shifted = f" - {bracketed(less)}" if most else ""
    return (
        latex_name(shortened(seen.class_names[seen.prediction])),
        logit + shifted,
        shifted,
        latex_sign(math.exp(number_of(logit) - number_of(less)), power),
        power,
        total,
        latex_sign(number_of(power) / number_of(total), share),
        share.replace("%", r"\%"),
    )


def verdict(choice: Choice, seen: Observation, place: Place) -> str:
    texts = texts_of("classification_head", seen)["parts"]["softmax"]
    names, truth = seen.class_names, seen.label
    page_facts = facts(choice, seen, place)
    if truth is None:
        sentence = texts["verdict_own"].format(**page_facts)
    elif truth == seen.prediction:
        sentence = texts["verdict_right"].format(**page_facts)
    else:
        share = percent(float(seen.probabilities[truth]))
        sentence = texts["verdict_wrong"].format(
            truth=names[truth], a_truth=with_article(names[truth]), truth_share=share, **page_facts
        )
    return sentence if choice.trained else f"{sentence} {texts['untrained']}"
