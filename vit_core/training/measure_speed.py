"""Measure how fast a run trains on this machine, with a few of its own steps."""

import time
from collections.abc import Sequence
from contextlib import suppress

import torch

from vit_core.config import TrainConfig, ViTConfig
from vit_core.data import Batch, DataInfo, ImageData, Split
from vit_core.mistakes import build_with
from vit_core.training.evaluation import evaluate
from vit_core.training.events import TrainingDivergedError
from vit_core.training.loop import Training
from vit_core.training.speed import Speed

LONG_ENOUGH = 0.25  # seconds of steps
SAMPLE = 500  # images that are evaluated


def stand_in(
    model: ViTConfig, counts: Sequence[int], device: torch.device | str = "cpu"
) -> ImageData:
    """Return a data set that fits a model, in which one image of noise stands for all.

    It takes no memory: how fast a run is depends on how many images there are, and not on what they
    show.

    Args:
        counts: of the images for training, validation and test.
        device: that has the images and labels.
    """
    noise = torch.Generator().manual_seed(0)
    shape = (1, model.in_channels, *model.image_hw)
    image = torch.randint(256, shape, generator=noise, dtype=torch.uint8).to(device)
    classes = max(1, model.num_classes)
    train, val, test = (
        Split(image.expand(count, -1, -1, -1), torch.arange(count, device=device) % classes)
        for count in counts
    )
    even = (0.5,) * model.in_channels
    names = tuple(map(str, range(model.num_classes)))
    return ImageData(train, val, test, DataInfo("noise", "", even, even, names))


def measure_speed(model: ViTConfig, train: TrainConfig, data: ImageData) -> Speed:
    """Train a new model for some steps, evaluate it on a part of the data, and discard it.

    It trains on the device that has the data.

    The first step is slower than the others. It counts only if it takes so long that no second one
    is made.

    Raises:
        ValueError: the data does not fit the model.
    """
    device = data.train.labels.device
    training = Training(build_with(model, train, train.seed).to(device), data, train)
    generator = torch.Generator(device).manual_seed(train.seed)
    order = torch.randperm(len(data.train), generator=generator, device=device)
    order = order.repeat(train.repeats)
    seconds: list[float] = []
    training.model.train()
    began_at, worked_before = time.perf_counter(), time.process_time()
    for step in range(training.steps_per_epoch):
        indices = order[step * training.batch_size : (step + 1) * training.batch_size]
        began = time.perf_counter()
        with suppress(TrainingDivergedError):  # a diverged step takes as long
            training.run_step(step, Batch(data.train.at(indices.tolist()), indices), generator)
        seconds.append(time.perf_counter() - began)
        if sum(seconds[1:]) >= LONG_ENOUGH or seconds[0] >= LONG_ENOUGH:
            break
    counted = sorted(seconds[1:] or seconds)
    step_seconds = counted[len(counted) // 2]
    sample = data.val.first(SAMPLE)
    began = time.perf_counter()
    evaluate(training.model, sample, data.info)
    image_seconds = (time.perf_counter() - began) / len(sample)
    worked = (time.process_time() - worked_before) / torch.get_num_threads()
    passed = time.perf_counter() - began_at
    return Speed(
        epoch_seconds=training.steps_per_epoch * step_seconds + len(data.val) * image_seconds,
        test_seconds=len(data.test) * image_seconds,
        images_per_second=training.batch_size / step_seconds,
        # beside another device, the processor only waits
        slowdown=max(1.0, passed / worked) if device.type == "cpu" and worked > 0 else 1.0,
    )
