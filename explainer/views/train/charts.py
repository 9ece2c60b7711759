"""Loss and accuracy of one run over its epochs."""

import numpy as np

from explainer import theme
from explainer.components.curves import show_curves
from explainer.course import Course, Points
from explainer.figures.curves import Curve, curves
from explainer.views.train.wording import TEXTS

WORDS = TEXTS["charts"]
LOOKS = {  # kind of points → how they are drawn
    "train": ("line", theme.MUTED),
    "sample": ("dots", theme.ACCENT),
    "val": ("marks", theme.ACCENT),
}


def show_charts(course: Course) -> None:
    """Draw both charts beside each other, with one legend; kinds without points are left out."""
    kinds = ("train", "sample", "val") if is_watched(course) else ("train", "val")
    figure = curves(
        [curve_of(course, kind) for kind in kinds],
        epochs=course.epochs,
        texts=WORDS,
        alts=(
            alt("alt_loss", course, "losses", "{:.3f}", 1),
            alt("alt_accuracy", course, "accuracies", "{:.1f} %", 100),
        ),
        name_last=True,
    )
    show_curves(figure, key="train-curves")


def is_watched(course: Course) -> bool:
    """Whether the run was, or is about to be, looked at between its epochs."""
    return bool(len(course.sample.steps)) or not len(course.val.steps)


def curve_of(course: Course, kind: str) -> Curve:
    look, shade = LOOKS[kind]
    points: Points = getattr(course, kind)
    epochs = points.steps / course.steps_per_epoch
    return Curve(WORDS[kind], epochs, points.losses, points.accuracies, look, shade)


def alt(name: str, course: Course, quantity: str, written: str, scale: float) -> str:
    def latest(values: np.ndarray) -> str:
        return written.format(scale * values[-1]) if values.size else WORDS["nothing"]

    others = course.val if len(course.val.steps) else course.sample
    return WORDS[name].format(
        epochs=course.epochs,
        train=latest(getattr(course.train, quantity)),
        val=latest(getattr(others, quantity)),
    )
