"""How fast a run trains on this machine, measured on some of its own steps."""

import time
from contextlib import suppress
from dataclasses import dataclass

import torch

from vit_core.config import TrainConfig, ViTConfig
from vit_core.data import Batch, ImageData
from vit_core.mistakes import build_with
from vit_core.training.evaluation import evaluate
from vit_core.training.loop import Training, TrainingDivergedError

LONG_ENOUGH = 0.25  # seconds of steps
SAMPLE = 500  # images evaluated


@dataclass(frozen=True)
class Speed:
    """Seconds of an epoch with its validation and of the test; images a second in its steps."""

    epoch_seconds: float
    test_seconds: float
    images_per_second: float

    def seconds(self, epochs: int) -> float:
        """Return how long a whole run takes."""
        return epochs * self.epoch_seconds + self.test_seconds


def measure_speed(model: ViTConfig, train: TrainConfig, data: ImageData) -> Speed:
    """Take the first steps of such a run, which nobody keeps, and evaluate a part of the data.

    The first step, which is slower than the others, only counts where it takes long.

    Raises:
        ValueError: the data does not fit the model.
    """
    training = Training(build_with(model, train, train.seed), data, train)
    generator = torch.Generator().manual_seed(train.seed)
    order = torch.randperm(len(data.train), generator=generator)
    taken: list[float] = []
    training.model.train()
    for step in range(training.steps_per_epoch):
        indices = order[step * training.batch_size : (step + 1) * training.batch_size]
        began = time.perf_counter()
        with suppress(TrainingDivergedError):  # it takes as long
            training.run_step(step, Batch(data.train.images[indices], indices), generator)
        taken.append(time.perf_counter() - began)
        if sum(taken[1:]) >= LONG_ENOUGH or taken[0] >= LONG_ENOUGH:
            break
    counted = sorted(taken[1:] or taken)
    step_seconds = counted[len(counted) // 2]
    sample = data.val.first(SAMPLE)
    began = time.perf_counter()
    evaluate(training.model, sample, data.info)
    image_seconds = (time.perf_counter() - began) / len(sample)
    return Speed(
        epoch_seconds=training.steps_per_epoch * step_seconds + len(data.val) * image_seconds,
        test_seconds=len(data.test) * image_seconds,
        images_per_second=training.batch_size / step_seconds,
    )
