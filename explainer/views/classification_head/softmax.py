"""From scores to probabilities."""

import math
from functools import partial

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.content.equality import latex_sign, number_of
from explainer.content.numbers import (
    latex_name,
    latex_written,
    percent,
    precise_percent,
    with_article,
)
from explainer.figures.class_bars import class_bars, shortened
from explainer.figures.matrix import Matrix
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import are_all_shown, left_over, names_of, shown_classes
from explainer.observation.text_variants import texts_of
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.fold import fold
from explainer.shell.more import more
from explainer.shell.shown import show_html
from explainer.shell.worked_line import bracketed
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.classification_head.wording import TEXTS, facts
from explainer.views.classification_head.wrong import are_classes_known, show_wrong

LARGEST_LOGIT = 700  # e to its power is still a number


def show_softmax(choice: Choice, seen: Observation, place: Place) -> None:
    texts = texts_of("classification_head", seen)["parts"]["softmax"]
    shares, places = seen.probabilities, shown_classes(seen)
    bars, words = st.columns((3, 2), gap="large")
    drawn = remember(("class bars", choice), partial(draw_bars, choice, seen))
    show_html(drawn, "bars", into=bars, numbers=partial(shares_of, seen))
    sentences = [verdict(choice, seen, place)]
    if not are_all_shown(seen):
        count, rest = left_over(seen, places)
        sentences.append(texts["rest"].format(count=f"{count:,}", share=percent(rest)))
    if choice.trained:
        sentences.append(f":small[{' '.join(texts['sure'].split())}]")
    words.markdown("\n\n".join(sentences))
    with fold(place, "worked", TEXTS["softmax"]["title"]) as is_open:
        if is_open:
            st.markdown(TEXTS["softmax"]["text"])
            st.latex(TEXTS["softmax"]["worked"] % worked(seen))
    if are_classes_known(choice) and not choice.edits:
        with fold(place, "wrong", TEXTS["wrong"]["title"]) as is_open:
            if is_open:  # what is wrong has to be searched for
                show_wrong(choice, seen, place)
    with more(place, "softmax"):
        download_csv(
            texts["download"],
            lambda: matrix_csv(
                np.stack([seen.logits, shares], axis=1),
                seen.class_names,
                ("logit", "probability"),
                "class",
            ),
            "probabilities.csv",
            place.key("head-probabilities-csv"),
        )


def shares_of(seen: Observation) -> list[Matrix]:
    """Return the bars' lengths in numbers."""
    places = shown_classes(seen)
    return [
        Matrix(
            "probabilities",
            seen.probabilities[places, None],
            TEXTS["parts"]["softmax"]["axis"],
            names_of(seen, places),
            [""],
            row_axis="class",
            scale="sequential",
        )
    ]


def draw_bars(choice: Choice, seen: Observation) -> str:
    texts, places = TEXTS["parts"]["softmax"], shown_classes(seen)
    drawn = seen.probabilities[places]
    return class_bars(
        drawn,
        names_of(seen, places),
        None if seen.label is None else places.index(seen.label),
        [percent(float(share)) for share in drawn],
        texts["true_class_before" if choice.edits.changes_picture else "true_class"],
        texts["axis"],
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
    if truth is not None and choice.edits.changes_picture:
        sentence = texts["verdict_changed"].format(a_truth=with_article(names[truth]), **page_facts)
    elif truth is None:
        sentence = texts["verdict_own"].format(**page_facts)
    elif truth == seen.prediction:
        sentence = texts["verdict_right"].format(**page_facts)
    else:
        share = percent(float(seen.probabilities[truth]))
        sentence = texts["verdict_wrong"].format(
            a_truth=with_article(names[truth]),
            truth_share=share,
            written=TEXTS["parts"]["parts"]["title"],
            **page_facts,
        )
    return sentence if choice.trained else f"{sentence} {texts['untrained']}"
