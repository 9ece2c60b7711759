"""Loss and accuracy of one run over its epochs."""

import numpy as np

from explainer.components.curves import show_curves
from explainer.figures import theme
from explainer.figures.curves import Curve, curves
from explainer.figures.theme import Shade
from explainer.training.progress import Course, Points
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
        [
            curve_of(course, kind, WORDS[kind], shade, look=look)
            for kind, (look, shade) in LOOKS.items()
            if kind in kinds
        ],
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


def curve_of(
    course: Course, kind: str, name: str, shade: Shade, symbol: str = "circle", look: str = ""
) -> Curve:
    """Return the points of one kind, over epochs.

    Args:
        look: as ``Curve.kind``; a line for training and marks for validation unless it is given.
    """
    points: Points = getattr(course, kind)
    return Curve(
        name,
        points.steps / course.steps_per_epoch,
        points.losses,
        points.accuracies,
        look or ("line" if kind == "train" else "marks"),
        shade,
        symbol,
    )


def alt(name: str, course: Course, quantity: str, written: str, scale: float) -> str:
    def latest(values: np.ndarray) -> str:
        return written.format(scale * values[-1]) if values.size else WORDS["nothing"]

    others = course.val if len(course.val.steps) else course.sample
    return WORDS[name].format(
        epochs=course.epochs,
        train=latest(getattr(course.train, quantity)),
        val=latest(getattr(others, quantity)),
    )
