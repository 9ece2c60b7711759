"""From scores to probabilities."""

import numpy as np
import streamlit as st

from explainer.classes import are_all_shown, left_over, names_of, shown_classes
from explainer.export import download_csv, matrix_csv
from explainer.figures.probabilities import probabilities
from explainer.notation import (
    latex_name,
    latex_number,
    latex_written,
    percent,
    precise_percent,
    with_article,
)
from explainer.services import Observation
from explainer.small_print import note
from explainer.state import Choice
from explainer.strangers_words import plain_format
from explainer.told import texts_of
from explainer.views.classification_head.wording import facts


def show_softmax(choice: Choice, seen: Observation) -> None:
    texts = texts_of("classification_head", seen)["parts"]["softmax"]
    names, best = seen.class_names, seen.prediction
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
            key="head-probabilities",
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
        st.markdown(verdict(choice, seen))
        powers = np.exp(seen.logits.astype(np.float64))
        st.latex(
            texts["worked"]
            % (
                latex_name(names[best]),
                latex_number(float(seen.logits[best])),
                latex_written(float(powers[best])),
                latex_written(float(powers.sum())),
                precise_percent(float(shares[best])).replace("%", r"\%"),
            )
        )
        if choice.trained:
            st.markdown(f":small[{texts['sure'].strip()}]")
        download_csv(
            texts["download"],
            lambda: matrix_csv(
                np.stack([seen.logits, shares], axis=1), names, ("logit", "probability"), "class"
            ),
            "probabilities.csv",
            "head-probabilities-csv",
        )


def verdict(choice: Choice, seen: Observation) -> str:
    texts = texts_of("classification_head", seen)["parts"]["softmax"]
    names, truth = seen.class_names, seen.label
    words = facts(choice, seen)
    if truth is None:
        said = texts["verdict_own"].format(**words)
    elif truth == seen.prediction:
        said = texts["verdict_right"].format(**words)
    else:
        share = percent(float(seen.probabilities[truth]))
        said = texts["verdict_wrong"].format(
            truth=names[truth], a_truth=with_article(names[truth]), truth_share=share, **words
        )
    return said if choice.trained else f"{said} {texts['untrained']}"
