"""From the options of a training command to an open run directory, new or resumed."""

import argparse
import dataclasses
import os
import shlex
from typing import Any

import torch

from vit_core.config import ViTConfig
from vit_core.data import ImageData
from vit_core.data.open import MOST_MEMORY, Reading, folder_of, open_data
from vit_core.data.sets import DATASETS
from vit_core.data.streaming import StreamedSplit
from vit_core.presets import PRESETS
from vit_core.runs.directory import RunConfig, RunDirectory, RunError
from vit_core.runs.train_options import pick
from vit_core.storage.plain_text import decode, plain
from vit_core.training.fitting import step_batch_size
from vit_core.training.processes import Group

USUAL_PRESETS = {"mnist": "default", "fashion-mnist": "default", "cifar10": "cifar10"}
OF_FOLDERS = "photographs"  # the usual preset of an image folder


def open_run(
    options: argparse.Namespace, arguments: list[str], processes: int, workers: int
) -> tuple[RunDirectory, ImageData | None]:
    """Make the run directory that the options describe, or open the one to resume.

    Args:
        options: of the command.
        arguments: of the command, as the user typed them.
        processes: number of processes that share the run.
        workers: number of processes that read images for each of them.

    Returns:
        The directory and, for a new run, its data.

    Raises:
        ValueError: a setting is not allowed, or differs from those of the run to resume.
        OSError: the directory cannot be written.
    """
    given = vars(options)
    if options.threads is not None and not 1 <= options.threads <= 1024:
        raise ValueError(f"threads must be from 1 to 1024, not {options.threads}")
    if options.log_every < 1:
        raise ValueError(f"log-every must be at least 1, not {options.log_every}")
    reading = Reading(options.memory, workers, options.statistics or Reading.statistics)
    if options.resume:
        run = RunDirectory.open(options.run_dir)
        try:
            refuse_other_settings(run, given)
        except ValueError:
            run.close()
            raise
        if options.dataset:
            run.config = dataclasses.replace(run.config, dataset=name_of(options.dataset))
        return run, None
    if decode(str(options.run_dir)) != str(options.run_dir):
        raise RunError(
            f"--run-dir {plain(options.run_dir)} is no UTF-8 text, and no checkpoint could be read "
            f"from there; choose another name"
        )
    dataset = name_of(options.dataset or "mnist")
    preset = options.preset or USUAL_PRESETS.get(dataset, OF_FOLDERS)
    model, training = pick(PRESETS[preset].model, given), pick(PRESETS[preset].train, given)
    data = open_data(dataset, model, reading)
    if "num_classes" not in given:
        model = dataclasses.replace(model, num_classes=len(data.info.class_names))
    config = RunConfig(
        preset=preset,
        model=model,
        train=training,
        threads=options.threads or torch.get_num_threads(),
        data=data.info.fingerprint,
        dataset=dataset,
        statistics=reading.statistics,
        is_streamed=isinstance(data.train, StreamedSplit),
        images=len(data.train),
        command=decode(shlex.join(["python", "-m", "vit_core.train", *arguments])),
    )
    check_data(data, model)
    step_batch_size(training, len(data.train), processes)
    return RunDirectory.create(options.run_dir, config), data


def name_of(dataset: str) -> str:
    """Return a data set's name, or the whole path of a folder."""
    return dataset if dataset in DATASETS else str(folder_of(dataset).absolute())


def check_data(data: ImageData, model: ViTConfig) -> None:
    """Refuse data that do not fit the model.

    Raises:
        ValueError: the message names the options to change.
    """
    shape = data.train.image_shape
    if shape != (model.in_channels, *model.image_hw) or model.num_classes != len(
        data.info.class_names
    ):
        raise ValueError(
            f"{data.info.name} has {len(data.info.class_names)} classes and images of "
            f"{' x '.join(map(str, shape))}; image-size, in-channels and num-classes must fit them"
        )


def refuse_other_settings(run: RunDirectory, given: dict[str, Any]) -> None:
    """Refuse to resume with settings that would change the result half-way.

    The path of an image folder may differ, since the folder may have moved. Whether it holds the
    same images is checked when they are read.

    Raises:
        RunError: the message names the setting.
    """
    known = {
        **run.config.model.to_dict(),
        **run.config.train.to_dict(),
        "preset": run.config.preset,
        "threads": run.config.threads,
        "dataset": run.config.dataset,
        "statistics": run.config.statistics,
    }
    if given.get("dataset"):
        dataset = name_of(given["dataset"])
        is_moved = not {dataset, run.config.dataset} & set(DATASETS)
        given = given | {"dataset": run.config.dataset if is_moved else dataset}
    for name, value in given.items():
        value = list(value) if isinstance(value, tuple) else value
        if name in known and value is not None and value != known[name]:
            raise RunError(
                f"{run.path} was started with {name} {known[name]!r}, not {value!r}; resume it "
                f"without that option, or start a new run"
            )


def data_of(config: RunConfig, workers: int, group: Group, known: ImageData | None) -> ImageData:
    """Return a run's data in each process; the first process of a machine downloads them.

    Args:
        workers: number of processes that read images for this process.
        known: the data, if this process has already opened them.

    Raises:
        RunError: the data differ from those that the run was started on.
    """
    # a run goes on as it started, in memory or streamed, whatever the limit is now
    reading = Reading(0.0 if config.is_streamed else MOST_MEMORY, workers, config.statistics)
    if config.dataset not in DATASETS and not os.path.exists(config.dataset):
        raise RunError(
            f"there is no data set '{plain(config.dataset)}' any more; if its images were moved, "
            f"say where they are now with --dataset"
        )
    if known is None and group.local_rank == 0:
        known = open_data(config.dataset, config.model, reading)
    group.wait()
    if known is None:
        known = open_data(config.dataset, config.model, reading)
    # for a streamed folder, runs of earlier versions have only the first part of the hash
    if not config.data or not known.info.fingerprint.startswith(config.data):
        raise RunError(
            f"{plain(config.dataset)} holds other data now than when this run was started"
        )
    return known
