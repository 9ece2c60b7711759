"""Loss and accuracy of one run over its epochs."""

import math

import numpy as np
import streamlit as st

from explainer import theme
from explainer.course import Course, Points
from explainer.figures.curves import Curve, accuracies, losses
from explainer.views.train.wording import TEXTS

WORDS = TEXTS["charts"]
GUESSING = math.log(10)
CONFIG = {
    "displayModeBar": "hover",
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
}
LOOKS = {  # kind of points → how they are drawn
    "train": ("line", theme.MUTED),
    "sample": ("dots", theme.ACCENT),
    "val": ("marks", theme.ACCENT),
}


def show_charts(course: Course) -> None:
    """Draw both charts beside each other, with one legend."""
    mode = st.context.theme.type or "light"
    st.html(legend())
    left, right = st.columns(2, gap="medium")
    common = {"epochs": course.epochs, "epoch_axis": WORDS["epoch_axis"], "mode": mode}
    with left:
        st.plotly_chart(
            losses(
                curves_of(course, "losses", 1),
                axis=WORDS["loss_axis"],
                hover=WORDS["hover_loss"],
                level=(GUESSING, WORDS["guess_loss"]),
                cut_off=WORDS["cut_off"],
                name_last=True,
                **common,
            ),
            theme=None,
            key="train-loss",
            config=CONFIG,
            alt=alt("alt_loss", course, "losses", "{:.3f}", 1),
        )
    with right:
        st.plotly_chart(
            accuracies(
                curves_of(course, "accuracies", 100),
                axis=WORDS["accuracy_axis"],
                hover=WORDS["hover_accuracy"],
                level=(10.0, WORDS["guess_accuracy"]),
                name_last=True,
                **common,
            ),
            theme=None,
            key="train-accuracy",
            config=CONFIG,
            alt=alt("alt_accuracy", course, "accuracies", "{:.1f} %", 100),
        )


def curves_of(course: Course, quantity: str, scale: float) -> list[Curve]:
    found = []
    for kind, (look, shade) in LOOKS.items():
        points: Points = getattr(course, kind)
        values = scale * getattr(points, quantity)
        epochs = points.steps / course.steps_per_epoch
        found.append(Curve(WORDS[kind], epochs, values, look, shade))
    return found


def legend() -> str:
    rows = "".join(
        f'<li><i class="{look}" style="--shade: {shade.css}"></i>{WORDS[kind]}</li>'
        for kind, (look, shade) in LOOKS.items()
    )
    return f'<ul class="train-legend" aria-hidden="true">{rows}</ul>'


def alt(name: str, course: Course, quantity: str, written: str, scale: float) -> str:
    def latest(values: np.ndarray) -> str:
        return written.format(scale * values[-1]) if values.size else WORDS["nothing"]

    others = course.val if len(course.val.steps) else course.sample
    return WORDS[name].format(
        epochs=course.epochs,
        train=latest(getattr(course.train, quantity)),
        val=latest(getattr(others, quantity)),
    )
