"""The runs that come with the app: a healthy one, and one for each classic mistake."""

from functools import cache
from pathlib import Path

import numpy as np

from explainer.figures.two_runs import Curves
from vit_core.history import RunHistory

FOLDER = Path(__file__).parent / "recorded_runs"
HEALTHY = "healthy"


@cache
def recorded(name: str) -> RunHistory:
    """Return a recorded run: ``HEALTHY``, or a mistake as ``vit_core.mistakes`` names it."""
    return RunHistory(FOLDER / name.replace("_", "-"))


def curves(history: RunHistory, name: str) -> Curves:
    """Return what a run's metrics say of its course: each step line, and each epoch's validation.

    Args:
        name: what the run is called in a legend.
    """
    lines = history.metrics()
    steps = [line for line in lines if line.get("val_accuracy") is None]
    epochs = epoch_lines(history)
    return Curves(
        name,
        column(steps, "step"),
        column(steps, "train_loss"),
        column(steps, "train_accuracy"),
        column(epochs, "step"),
        column(epochs, "val_loss"),
        column(epochs, "val_accuracy"),
    )


def epoch_lines(history: RunHistory) -> list[dict]:
    """Return the line of each whole epoch, once."""
    return [
        line
        for line in history.metrics()
        if line.get("val_accuracy") is not None and "test_accuracy" not in line
    ]


def column(lines: list[dict], name: str) -> np.ndarray:
    return np.array([line[name] for line in lines], dtype=np.float64)
