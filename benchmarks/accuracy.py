"""Train a preset from scratch with several seeds: test accuracy and seconds, mean and each.

``python benchmarks/accuracy.py fast --epochs 4``; the training command's options change the preset.
Seconds are those of the whole training with its validations, without the one test at the end; they
mean something on an idle machine only.
"""

import argparse
import dataclasses
import statistics
import time

import torch
from timing import print_table

from vit_core import PRESETS, TrainConfig, ViTConfig, build
from vit_core.data import mnist
from vit_core.runs.train_options import add_option, pick
from vit_core.training.events import Done, EpochEnd
from vit_core.training.loop import fit


def train(model: ViTConfig, config: TrainConfig) -> tuple[float, float, float]:
    """Return the last validation accuracy, the test accuracy and the training's seconds."""
    data = mnist()
    started = time.perf_counter()
    for event in fit(build(model, config.seed), data, config):
        if isinstance(event, EpochEnd):
            seconds, validation = time.perf_counter() - started, event.val_accuracy
        if isinstance(event, Done):
            test = event.test_accuracy
    return validation, test, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("preset", choices=PRESETS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    for field in dataclasses.fields(TrainConfig):
        add_option(parser, field)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    preset = PRESETS[options.preset]
    config = pick(preset.train, vars(options))
    results = [
        train(preset.model, dataclasses.replace(config, seed=seed)) for seed in range(options.seeds)
    ]
    validation, test, seconds = (statistics.mean(column) for column in zip(*results, strict=True))
    row = [
        options.preset,
        str(config.epochs),
        f"{validation:.2%}",
        f"{test:.2%}",
        ", ".join(f"{result[1]:.2%}" for result in results),
        f"{seconds:.0f}",
    ]
    print_table(["preset", "epochs", "validation", "test, mean", "test, each", "seconds"], [row])


if __name__ == "__main__":
    main()
