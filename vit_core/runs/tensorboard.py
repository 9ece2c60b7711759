"""A run's metrics as TensorBoard events, if tensorboard is installed.

metrics.jsonl has the same numbers. Look at the events with ``tensorboard --logdir runs``.
"""

import importlib.util
from pathlib import Path
from typing import Any, Protocol

FOLDER = "tensorboard"  # in the run directory


class MetricsSink(Protocol):
    """An extra metrics sink."""

    def add(self, values: dict[str, Any]) -> None:
        """Take a line of metrics, as metrics.jsonl has it."""
        ...

    def close(self) -> None:
        """Take no more lines."""
        ...


class NoMetrics:
    """A sink that ignores all metrics."""

    def add(self, values: dict[str, Any]) -> None:
        pass

    def close(self) -> None:
        pass


class TensorBoard:
    """Event files in a run directory."""

    def __init__(self, run: Path, step: int) -> None:
        """Open a new event file.

        Args:
            run: the run directory.
            step: at which the run resumes; TensorBoard then hides later steps of earlier files.
        """
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(run / FOLDER), purge_step=step + 1 if step else None)

    def add(self, values: dict[str, Any]) -> None:
        """Write each number of a line of metrics under its name, at the line's step."""
        for name, value in values.items():
            if name not in ("step", "epoch") and value is not None:
                self.writer.add_scalar(name, value, values["step"])
        self.writer.flush()

    def close(self) -> None:
        self.writer.close()


def no_metrics(_: Path, __: int) -> MetricsSink:
    """Return a sink that ignores all metrics."""
    return NoMetrics()


def open_tensorboard(run: Path, step: int) -> MetricsSink:
    """Return event files for a run, or a sink that ignores all if tensorboard is not installed."""
    return TensorBoard(run, step) if is_installed() else NoMetrics()


def is_installed() -> bool:
    return importlib.util.find_spec("tensorboard") is not None
