"""Loss and accuracy of one run over its epochs."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from explainer.components.curves import show_curves
from explainer.figures import theme
from explainer.figures.curves import Curve, curves
from explainer.figures.theme import Shade
from explainer.training.progress import Points, Progress
from explainer.views.train.of_data import OfData
from vit_core.runs.snapshot import SAMPLE

LOOKS = {  # kind of points → how they are drawn
    "train": ("line", theme.MUTED),
    "sample": ("dots", theme.ACCENT),
    "val": ("marks", theme.ACCENT),
}


def show_charts(progress: Progress, data: OfData) -> None:
    """Draw both charts beside each other, with one legend; kinds without points are left out."""
    texts = data.texts["charts"]
    counts = {"train": "", "sample": data.counted(1, SAMPLE), "val": data.counted(1)}
    kinds = ("train", "sample", "val") if is_watched(progress) else ("train", "val")
    figure = curves(
        [
            curve_of(progress, kind, texts[kind].format(count=counts[kind]), shade, look=look)
            for kind, (look, shade) in LOOKS.items()
            if kind in kinds
        ],
        epochs=progress.epochs,
        texts=texts,
        alts=(
            alt(texts, "alt_loss", progress, "losses", "{:.3f}", 1),
            alt(texts, "alt_accuracy", progress, "accuracies", "{:.1f} %", 100),
        ),
        classes=len(data.class_names),
        name_last=True,
    )
    show_curves(figure, key="train-curves")


def is_watched(progress: Progress) -> bool:
    """Whether the run was, or is about to be, looked at between its epochs."""
    return bool(len(progress.sample.steps)) or not len(progress.val.steps)


def curve_of(
    progress: Progress, kind: str, name: str, shade: Shade, symbol: str = "circle", look: str = ""
) -> Curve:
    """Return the points of one kind, over epochs.

    Args:
        look: as ``Curve.kind``; a line for training and marks for validation unless it is given.
    """
    points: Points = getattr(progress, kind)
    drawn_as: Any = look or ("line" if kind == "train" else "marks")
    return Curve(
        name,
        points.steps / progress.steps_per_epoch,
        points.losses,
        points.accuracies,
        drawn_as,
        shade,
        symbol,
    )


def alt(
    texts: Mapping[str, str],
    name: str,
    progress: Progress,
    quantity: str,
    written: str,
    scale: float,
) -> str:
    def latest(values: np.ndarray) -> str:
        return written.format(scale * values[-1]) if values.size else texts["nothing"]

    others = progress.val if len(progress.val.steps) else progress.sample
    return texts[name].format(
        epochs=progress.epochs,
        train=latest(getattr(progress.train, quantity)),
        val=latest(getattr(others, quantity)),
    )
