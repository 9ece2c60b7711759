"""A run's metrics as TensorBoard events, where tensorboard is installed; metrics.jsonl has all.

Look at them with ``tensorboard --logdir runs``.
"""

import importlib.util
from pathlib import Path
from typing import Any, Protocol

FOLDER = "tensorboard"  # in the run directory


class Board(Protocol):
    """Where metrics go besides."""

    def add(self, values: dict[str, Any]) -> None: ...

    def close(self) -> None: ...


class NoBoard:
    """Nowhere."""

    def add(self, values: dict[str, Any]) -> None:
        pass

    def close(self) -> None:
        pass


class TensorBoard:
    """Event files in a run directory."""

    def __init__(self, run: Path, step: int) -> None:
        """Open a new event file.

        Args:
            step: that the run stands at; what an earlier file has behind it is no longer shown.
        """
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(run / FOLDER), purge_step=step + 1 if step else None)

    def add(self, values: dict[str, Any]) -> None:
        """Write a line of metrics: each number under its name, at its step."""
        for name, value in values.items():
            if name not in ("step", "epoch") and value is not None:
                self.writer.add_scalar(name, value, values["step"])
        self.writer.flush()

    def close(self) -> None:
        self.writer.close()


def no_board(_: Path, __: int) -> Board:
    return NoBoard()


def open_board(run: Path, step: int) -> Board:
    """Return TensorBoard's event files for a run, or nothing where it is not installed."""
    return TensorBoard(run, step) if is_installed() else NoBoard()


def is_installed() -> bool:
    return importlib.util.find_spec("tensorboard") is not None
