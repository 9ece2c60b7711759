"""What is measured while models learn, of one run or of several: loss and accuracy over the epochs.

The result is what the component of the same name draws: plain numbers and words, no pixels.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from explainer.figures import theme
from explainer.figures.theme import Shade

MOST = 400  # points of a curve, which is more than a screen shows
HIGHEST = 6.0  # nats on the axis of the loss
LOWEST = 2.5  # nats at its top, at least, so that it stays as it is in most runs
SYMBOLS = ("circle", "diamond", "square", "triangle", "cross", "star")
COLOURS = {
    name: shade.css
    for name, shade in {
        "text": theme.TEXT,
        "muted": theme.MUTED,
        "line": theme.LINE,
        "surface": theme.SURFACE,
        "background": theme.BACKGROUND,
    }.items()
}


@dataclass(frozen=True)
class Curve:
    """One series of measurements.

    Attributes:
        name: what the legend, or pointing at it, calls it.
        epochs: (n,) when, in epochs and parts of them.
        losses: (n,) in nats.
        accuracies: (n,) from 0 to 1.
        kind: "line" is thin, "dots" are small and joined, "marks" are large.
        symbol: of the marks, one of ``SYMBOLS``.
    """

    name: str
    epochs: np.ndarray
    losses: np.ndarray
    accuracies: np.ndarray
    kind: Literal["line", "dots", "marks"]
    shade: Shade
    symbol: str = "circle"


def curves(
    curves_shown: Sequence[Curve],
    *,
    epochs: int,
    texts: Mapping[str, str],
    alts: tuple[str, str],
    legend: Sequence[Mapping[str, str]] | None = None,
    loss_level: tuple[float, str] | None = None,
    classes: int | None = 10,
    name_last: bool = False,
) -> dict[str, Any]:
    """Return both charts as plain values.

    Args:
        epochs: of the longest run, where the axis ends.
        texts: ``loss_axis``, ``accuracy_axis``, ``epoch_axis``, ``guess_loss`` with ``number`` and
            ``loss``, ``guess_accuracy`` with ``share``, ``cut_off`` with ``most``, and ``at`` with
            ``epoch``.
        alts: what loss and accuracy show now, in words.
        legend: other rows than one for each curve, as ``legend_of`` makes them.
        loss_level: a loss to compare with other than that of guessing, and what it is.
        classes: whose number says what guessing gives; None where the curves are of different ones.
        name_last: whether the last mark of a curve has its value beside it.

    Raises:
        ValueError: a curve has not one finite number of each kind for each of its places.
    """
    for curve in curves_shown:
        check(curve)
    most = max(
        (float(curve.losses.max()) for curve in curves_shown if curve.losses.size), default=0.0
    )
    loss_guess = accuracy_guess = None
    if classes:
        # what it costs, in nats, to give all classes the same probability
        loss, share = math.log(classes), 100 / classes
        loss_guess = level(loss, texts["guess_loss"].format(number=classes, loss=f"{loss:.3f}"))
        accuracy_guess = level(share, texts["guess_accuracy"].format(share=f"{share:.3g}"))
    if loss_level:
        loss_guess = level(*loss_level)
    top = round(float(np.clip(1.05 * most, LOWEST, HIGHEST)), 2)
    return {
        "epochs": epochs,
        "ticks": ticks(epochs),
        "texts": {"epoch_axis": texts["epoch_axis"], "at": texts["at"]},
        "colours": COLOURS,
        "legend": list(legend if legend is not None else map(legend_of, curves_shown)),
        "name_last": name_last,
        "newest": max(
            (float(curve.epochs[-1]) for curve in curves_shown if curve.epochs.size), default=-1.0
        ),
        "panels": [
            {
                "name": "loss",
                "title": texts["loss_axis"],
                "alt": alts[0],
                "high": top,
                "ticks": [tick / 2 for tick in range(int(2 * top) + 1)]
                if top < 3
                else list(range(int(top) + 1)),
                "digits": 3,
                "unit": "",
                "level": loss_guess,
                "cut_off": texts["cut_off"].format(most=f"{most:,.3g}") if most > top else "",
                "curves": [series(curve, curve.losses, 4) for curve in curves_shown],
            },
            {
                "name": "accuracy",
                "title": texts["accuracy_axis"],
                "alt": alts[1],
                "high": 104,
                "ticks": [0, 25, 50, 75, 100],
                "digits": 1,
                "unit": " %",
                "level": accuracy_guess,
                "cut_off": "",
                "curves": [series(curve, 100 * curve.accuracies, 2) for curve in curves_shown],
            },
        ],
    }


def level(at: float, text: str) -> dict[str, Any]:
    return {"at": at, "text": text}


def check(curve: Curve) -> None:
    for values in (curve.losses, curve.accuracies):
        if values.shape != curve.epochs.shape or not np.isfinite(values).all():
            raise ValueError(f"{curve.name}: each place needs one finite number")
    if curve.symbol not in SYMBOLS:
        raise ValueError(f"{curve.name}: a mark is one of {', '.join(SYMBOLS)}")


def series(curve: Curve, values: np.ndarray, digits: int) -> dict[str, Any]:
    indices = thinned(len(values))
    return legend_of(curve) | {
        "x": curve.epochs[indices].round(4).tolist(),
        "y": values[indices].round(digits).tolist(),
    }


def legend_of(curve: Curve) -> dict[str, str]:
    """Return what a row of the legend needs of a curve."""
    return {
        "name": curve.name,
        "kind": curve.kind,
        "symbol": curve.symbol,
        "shade": curve.shade.css,
    }


def thinned(count: int) -> np.ndarray:
    """Return which of so many points are drawn: evenly spaced, the first and the last of them."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST)).round().astype(int))


def ticks(epochs: int) -> list[int]:
    """Return whole epochs to name on the axis, not too many of them."""
    apart = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1_000, 10_000) if epochs / step <= 10)
    return list(range(0, epochs + 1, apart))
