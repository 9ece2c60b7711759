"""The learning rates of a whole run, as training sets them."""

from dataclasses import dataclass

import numpy as np

from vit_core.config import TrainConfig
from vit_core.training.optimizers import lr_factor


@dataclass(frozen=True)
class Schedule:
    """What a run does with its learning rate.

    Attributes:
        factors: (T,) share of the highest rate in each step, 0 to 1; index 0 is the first step.
        steps_per_epoch: steps of one epoch.
        warmup_steps: steps in which the rate rises.
        clean_from: number of steps before the last part, which has no augmentation.
    """

    factors: np.ndarray
    steps_per_epoch: int
    warmup_steps: int
    clean_from: int

    @property
    def total_steps(self) -> int:
        return len(self.factors)


def schedule_of(config: TrainConfig, steps_per_epoch: int) -> Schedule:
    """Return the learning rates of a run.

    Args:
        steps_per_epoch: training images divided by the size of a batch, rounded down.

    Raises:
        ValueError: an epoch has no step.
    """
    if steps_per_epoch < 1:
        raise ValueError(f"an epoch has at least one step, not {steps_per_epoch}")
    total = steps_per_epoch * config.epochs
    return Schedule(
        np.array([lr_factor(step, total, config) for step in range(total)]),
        steps_per_epoch,
        round(config.warmup * total),
        int(np.ceil((1 - config.clean_fraction) * total)),
    )
