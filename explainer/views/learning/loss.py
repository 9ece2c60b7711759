"""The loss of one picture, and its gradient at each logit."""

from functools import partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explainer.content.numbers import written
from explainer.figures.class_bars import shortened
from explainer.figures.learning import class_gradients, loss_curve
from explainer.figures.theme import Mode
from explainer.inputs.pictures.galleries import DIGITS
from explainer.observation.learning.lesson import Lesson, lesson_of, target_of
from explainer.observation.limits import common_limits
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import are_all_shown, names_of, shown_classes
from explainer.shell.controls import choose
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.fold import fold
from explainer.shell.more import more
from explainer.shell.notes import note, note_scale
from explainer.shell.picker.moves import move_on
from explainer.shell.shown import show_chart
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.learning.wording import TEXTS, facts
from vit_core.learning.loss import guessing_loss

LITTLE = 0.02  # nats that have next to nothing to teach
SAME = 1e-3  # nats by which two losses differ that are called the same


def show_loss(choice: Choice, seen: Observation, place: Place) -> None:
    texts, taught = TEXTS["parts"]["loss"], lesson_of(choice, seen, place)
    page_facts = facts(choice, seen, place)
    if seen.label is None:
        choose_target(seen, place)
    if taught.loss < LITTLE:
        offer_wrong_one(choice, place)
    left, right = st.columns(2, gap="large")
    limits = common_limits("loss", choice, seen, place, loss_of)
    with left:
        st.markdown(f"**{texts['curve']}**")
        show_chart(
            partial(curve, taught, None if limits is None else float(limits)),
            place,
            "loss-curve",
            texts["curve"],
            alt=texts["curve_alt"].format(**page_facts),
        )
    with right:
        st.markdown(f"**{texts['bars']}**")
        show_chart(
            partial(bars, seen, taught),
            place,
            "class-gradients",
            texts["bars"],
            alt=texts["bars_alt"].format(values=spelled_bars(seen, taught)),
        )
    note_scale(place)
    st.markdown(
        "\n\n".join(
            (
                guess_words(seen, taught).format(**page_facts),
                bars_words(seen, page_facts),
            )
        )
    )
    with fold(place, "three", texts["three_title"]) as is_open:
        if is_open:
            st.latex(texts["three"])
            st.markdown(texts["three_text"])
            difference = np.abs(by_hand(taught) - taught.gradients["logits"]).max()
            note(texts["equal"].format(difference=f"{difference:.1e}", **page_facts))
    with more(place, "loss"):
        download_csv(
            texts["download"],
            partial(gradients_csv, seen, taught),
            "loss.csv",
            place.key("loss-csv"),
        )


def loss_of(choice: Choice, seen: Observation, place: Place) -> float:
    return lesson_of(choice, seen, place).loss


def offer_wrong_one(choice: Choice, place: Place) -> None:
    """Say that there is little to learn here, and lead to a digit that the model gets wrong."""
    texts = TEXTS["parts"]["loss"]
    st.markdown(texts["little"])
    if choice.gallery != DIGITS or place.half:
        return
    if st.button(texts["wrong_one"], key=place.key("loss-wrong-one")):
        move_on(choice, "hard")
        st.rerun()  # the whole page, as the sidebar shows the image


def choose_target(seen: Observation, place: Place) -> None:
    """Ask what a picture shows whose class nobody has noted."""
    names = names_of(seen, range(seen.config.num_classes))
    choose(
        TEXTS["parts"]["loss"]["choose"],
        range(len(names)),
        target_of(seen, place),
        lambda target: session.change(target=target),
        key=place.key("target"),
        format_func=lambda index: str(names[index]),
        width=320,
    )


def by_hand(taught: Lesson) -> np.ndarray:
    """Return the gradient at the logits as the three lines give it: p, and p - 1 for the target."""
    found = taught.probabilities.astype(np.float64)
    found[taught.target] -= 1
    return found


def places_of(seen: Observation, taught: Lesson) -> list[int]:
    """Return the classes that are drawn; the one that the loss asks for is among them."""
    classes = shown_classes(seen)
    if taught.target not in classes:
        classes[-1] = taught.target
    return classes


def curve(taught: Lesson, highest: float | None, mode: Mode) -> go.Figure:
    texts = TEXTS["parts"]["loss"]
    classes = len(taught.probabilities)
    return loss_curve(
        taught.loss,
        classes,
        axes=(texts["curve_x"], texts["curve_y"]),
        guessing=texts["guessing"].format(
            classes=f"{classes:,}", guess=written(guessing_loss(classes))
        ),
        hover=(texts["curve_hover"], texts["guess_hover"]),
        mode=mode,
        highest=highest,
    )


def bars(seen: Observation, taught: Lesson, mode: Mode) -> go.Figure:
    texts, places = TEXTS["parts"]["loss"], places_of(seen, taught)
    values = taught.gradients["logits"][places]
    return class_gradients(
        values,
        [shortened(name) for name in names_of(seen, places)],
        places.index(taught.target),
        [written(float(value)) for value in values],
        axis=texts["bars_axis"],
        hover=texts["bars_hover"],
        mode=mode,
    )


def spelled_bars(seen: Observation, taught: Lesson) -> str:
    places = places_of(seen, taught)
    values = taught.gradients["logits"][places]
    pairs = zip(names_of(seen, places), values, strict=True)
    return ", ".join(f"{name!s} {written(float(value))}" for name, value in pairs)


def guess_words(seen: Observation, taught: Lesson) -> str:
    texts = TEXTS["parts"]["loss"]
    more_than_guessing = taught.loss - guessing_loss(seen.config.num_classes)
    if abs(more_than_guessing) < SAME:
        return str(texts["guess_same"])
    return str(texts["guess_worse" if more_than_guessing > 0 else "guess_better"])


def bars_words(seen: Observation, page_facts: object) -> str:
    texts = TEXTS["parts"]["loss"]
    said = texts["bars_text"].format(**page_facts)  # type: ignore[arg-type]
    if are_all_shown(seen):
        return str(said)
    some = texts["bars_some"].format(shown=len(shown_classes(seen)), **page_facts)  # type: ignore[arg-type]
    return f"{said} {some}"


def gradients_csv(seen: Observation, taught: Lesson) -> str:
    table = np.stack([taught.probabilities, taught.gradients["logits"]], axis=1)
    return matrix_csv(table, seen.class_names, ("probability", "gradient"), "class")
