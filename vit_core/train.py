"""``python -m vit_core.train --preset fast --run-dir runs/x``: train a model; see ``--help``."""

from typing import NoReturn

from vit_core.runs.train_command import main
from vit_core.training.events import Done, EpochEnd, StepEnd, TrainingDivergedError
from vit_core.training.loop import Training, fit
from vit_core.training.processes import leave

__all__ = [
    "Done",
    "EpochEnd",
    "StepEnd",
    "Training",
    "TrainingDivergedError",
    "command",
    "fit",
    "main",
]


def command() -> NoReturn:
    """Train as the command line says, and end this process, also as one of torchrun's several."""
    leave(main())


if __name__ == "__main__":
    command()
