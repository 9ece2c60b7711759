"""One weight, turned: the loss of real passes, and what the gradient foretells."""

from functools import partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explainer.content.numbers import written
from explainer.figures.learning import weight_curve
from explainer.figures.matrix import Matrix
from explainer.figures.theme import Mode
from explainer.observation.learning.lesson import lesson_of, target_of
from explainer.observation.learning.one_weight import (
    as_matrix,
    changes,
    gradient_at,
    nearest,
    nudged,
    shapes,
    starting,
)
from explainer.observation.observe import Observation
from explainer.observation.weights import weights
from explainer.shell import cell_matrices, controls
from explainer.shell.controls import choose
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.fold import fold
from explainer.shell.more import more
from explainer.shell.shown import show_chart
from explainer.shell.table import show_table
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import NUDGES
from explainer.state.place import Cell, Place, Weight
from explainer.views.learning.station import cell_size, numbered
from explainer.views.learning.wording import TEXTS
from vit_core.learning.nudge import Nudged


def show_weight(choice: Choice, seen: Observation, place: Place) -> None:
    texts, weight = TEXTS["parts"]["weight"], weight_of(choice, seen, place)
    choose_matrix(choice, place, weight)
    cell_matrices.show(
        place,
        "weights",
        items=partial(weight_matrices, choice, seen, place),
        cell=Cell("weights", weight.row, weight.column),
        cache=(choice, target_of(seen, place), weight.name),
        on_choose=partial(choose_weight, weight.name),
    )
    found = nudged(choice, target_of(seen, place), weight)
    gradient = gradient_at(lesson_of(choice, seen, place), weight)
    st.markdown(now_words(found, weight, gradient))
    controls.slide(
        texts["slide"],
        NUDGES,
        place.nudge,
        lambda chosen: session.change(nudge=chosen),
        key=place.key("nudge"),
        format_func=partial(change_text, choice, weight),
    )
    left, right = st.columns((3, 2), gap="large", vertical_alignment="center")
    with left:
        st.markdown(f"**{texts['chart']}**")
        show_chart(
            partial(chart, choice, weight, found, gradient, place.nudge),
            place,
            "weight-curve",
            texts["chart"],
            alt=chart_alt(choice, weight, found, gradient),
        )
    right.markdown(turned_words(choice, weight, found, gradient, place.nudge))
    with fold(place, "check", texts["check"]) as is_open:
        if is_open:
            show_check(found, gradient)
    with more(place, "weight"):
        download_csv(
            texts["download"],
            partial(losses_csv, choice, weight, found, gradient),
            "one-weight.csv",
            place.key("weight-csv"),
        )


def weight_of(choice: Choice, seen: Observation, place: Place) -> Weight:
    """Return the chosen weight, or the nearest that the model has."""
    return nearest(place.weight, choice) or starting(lesson_of(choice, seen, place))


def choose_matrix(choice: Choice, place: Place, weight: Weight) -> None:
    choose(
        TEXTS["parts"]["weight"]["matrix"],
        [*shapes(choice)],
        weight.name,
        partial(choose_name, choice),
        key=place.key("matrix"),
        width=320,
    )


def choose_name(choice: Choice, name: str) -> None:
    """Choose another matrix, and of it the first weight until somebody clicks."""
    if name in shapes(choice):
        session.change(weight=str(Weight(name, 0, 0)), nudge=0)


def choose_weight(name: str, cell: Cell) -> None:
    session.change(weight=str(Weight(name, cell.row, cell.column)), nudge=0)


def weight_matrices(choice: Choice, seen: Observation, place: Place) -> list[Matrix]:
    texts, name = TEXTS["parts"]["weight"], weight_of(choice, seen, place).name
    taught = lesson_of(choice, seen, place)
    rows, columns = shapes(choice)[name]
    return [
        Matrix(
            kind,
            as_matrix(values),
            title,
            numbered(texts["row"], rows),
            numbered(texts["column"], columns),
            row_axis="weight_row",
            column_axis="weight_column",
            cell=cell_size(as_matrix(values)),
        )
        for kind, values, title in (
            ("weights", weights(choice)[name], texts["values"].format(name=name)),
            ("weight_gradients", taught.weights[name], texts["gradients"]),
        )
    ]


def change_text(choice: Choice, weight: Weight, step: int) -> str:
    change = changes(weights(choice)[weight.name])[step - NUDGES[0]]
    return f"{'+' if change > 0 else ''}{written(float(change))}"


def now_words(found: Nudged, weight: Weight, gradient: float) -> str:
    texts = TEXTS["parts"]["weight"]
    kind = "grows" if gradient > 0 else "falls" if gradient < 0 else "stays"
    moves = texts[kind].format(gradient=written(abs(gradient)))
    return str(
        texts["now"].format(
            row=weight.row + 1,
            column=weight.column + 1,
            name=weight.name,
            weight=written(found.weight),
            gradient=written(gradient),
            moves=moves,
        )
    )


def turned_words(choice: Choice, weight: Weight, found: Nudged, gradient: float, step: int) -> str:
    texts = TEXTS["parts"]["weight"]
    if not step:
        return str(texts["unturned"])
    index = step - NUDGES[0]
    change = float(changes(weights(choice)[weight.name])[index])
    return str(
        texts["turned"].format(
            change=change_text(choice, weight, step),
            before=written(found.loss),
            after=written(found.losses[index]),
            real=signed(found.losses[index] - found.loss),
            foretold=signed(change * gradient),
        )
    )


def signed(number: float) -> str:
    return f"{'+' if number > 0 else ''}{written(number)}"


def chart(
    choice: Choice, weight: Weight, found: Nudged, gradient: float, step: int, mode: Mode
) -> go.Figure:
    texts = TEXTS["parts"]["weight"]
    return weight_curve(
        changes(weights(choice)[weight.name]),
        np.asarray(found.losses),
        found.weight,
        gradient,
        step - NUDGES[0],
        axes=(texts["weight_axis"], texts["loss_axis"]),
        names=(texts["curve"].format(passes=len(NUDGES)), texts["tangent"]),
        hover=(texts["curve_hover"], texts["tangent_hover"]),
        mode=mode,
    )


def chart_alt(choice: Choice, weight: Weight, found: Nudged, gradient: float) -> str:
    offered = changes(weights(choice)[weight.name])
    return str(
        TEXTS["parts"]["weight"]["chart_alt"].format(
            low=written(found.weight + float(offered[0])),
            high=written(found.weight + float(offered[-1])),
            loss=written(found.loss),
            weight=written(found.weight),
            gradient=written(gradient),
        )
    )


def show_check(found: Nudged, gradient: float) -> None:
    """Compare autograd with a central difference, and with the pass of the page."""
    texts = TEXTS["parts"]["weight"]
    rows = (
        (texts["autograd"], found.gradient),
        (texts["difference"], found.difference),
        (texts["apart"], abs(found.gradient - found.difference)),
        (texts["lesson"], gradient),
    )
    st.markdown(texts["check_text"].format(step=written(found.step)))
    show_table(
        {
            texts["way"]: [name for name, _ in rows],
            texts["found"]: [f"{value:.9g}".replace("-", "−") for _, value in rows],
        },
    )


def losses_csv(choice: Choice, weight: Weight, found: Nudged, gradient: float) -> str:
    offered = changes(weights(choice)[weight.name])
    rows = [
        (found.weight + float(change), loss, found.loss + gradient * float(change))
        for change, loss in zip(offered, found.losses, strict=True)
    ]
    return table_csv(("weight", "loss", "tangent"), rows)
