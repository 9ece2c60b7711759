"""What was measured during a run, as arrays; whatever is damaged in it is left out."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from vit_core.runs.history import Mark, RunHistory

KINDS = ("train", "sample", "val")
# by the reader of the run; an entry is freed together with its reader
_cache: WeakKeyDictionary[RunHistory, tuple[Mark, "Progress"]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Points:
    """Measurements of one kind.

    Attributes:
        steps: (n,) optimizer steps taken until then.
        losses: (n,) in nats.
        accuracies: (n,) from 0 to 1.
    """

    steps: np.ndarray
    losses: np.ndarray
    accuracies: np.ndarray


@dataclass(frozen=True)
class Progress:
    """What a run has measured so far.

    Attributes:
        train: means over some steps, of the training images as they were shown.
        sample: of the first validation images, now and then.
        val: of all validation images, after each whole epoch.
        steps_per_epoch, epochs: of the whole run.
    """

    train: Points
    sample: Points
    val: Points
    steps_per_epoch: int
    epochs: int

    @property
    def latest_accuracy(self) -> float | None:
        """The newest share of validation images that were right; None before there is one."""
        newest = max(
            (points for points in (self.sample, self.val) if len(points.steps)),
            key=lambda points: points.steps[-1],
            default=None,
        )
        return None if newest is None else float(newest.accuracies[-1])


def progress_of(history: RunHistory) -> Progress:
    """Return the progress of a run; only lines that the run has added since are read.

    Raises:
        RunError: the run's settings are damaged.
    """
    mark, progress = _cache.get(history, (None, None))
    update = history.metrics_since(mark)
    if progress is None or update.replaces:
        none = points([], "train")
        epochs = history.config.train.epochs
        progress = Progress(none, none, none, history.steps_per_epoch, epochs)
    if update.lines:
        progress = extended(progress, update.lines)
    _cache[history] = (update.mark, progress)
    return progress


def extended(progress: Progress, lines: list[dict[str, Any]]) -> Progress:
    """Return the progress with the measurements of more lines behind its own."""
    # the last line of a finished run repeats the last epoch
    measured = [line for line in lines if "test_accuracy" not in line]
    curves: dict[str, Any] = {
        kind: joined(getattr(progress, kind), points(measured, kind)) for kind in KINDS
    }
    return replace(progress, **curves)


def joined(first: Points, second: Points) -> Points:
    return Points(
        np.concatenate((first.steps, second.steps)),
        np.concatenate((first.losses, second.losses)),
        np.concatenate((first.accuracies, second.accuracies)),
    )


def points(lines: Iterable[dict[str, Any]], kind: str) -> Points:
    """Collect the lines that have finite numbers of one kind, one of ``KINDS``."""
    names = ("step", f"{kind}_loss", f"{kind}_accuracy")
    is_whole = kind == "val"
    rows = [
        [line[name] for name in names]
        for line in lines
        # the line of a whole epoch repeats the means of its steps
        if all(is_number(line.get(name)) for name in names)
        and (is_whole or not is_number(line.get("val_accuracy")))
    ]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 3)
    return Points(*table.T)


def is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)
