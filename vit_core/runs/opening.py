"""From the options of a training command to an open run directory, new or resumed."""

import argparse
import dataclasses
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import torch

from vit_core.checkpoint import shipped_names
from vit_core.checks import check_int
from vit_core.config import TrainConfig, ViTConfig
from vit_core.data import ImageData
from vit_core.data.kept import KEPT, file_of, read_images, save_images
from vit_core.data.limit import limited
from vit_core.data.open import MOST_MEMORY, Reading, folder_of, open_data
from vit_core.data.sets import DATASETS
from vit_core.data.streaming import StreamedSplit
from vit_core.mistakes import build_with
from vit_core.presets import PRESETS
from vit_core.runs.directory import RunConfig, RunDirectory, RunError, check_unused
from vit_core.runs.run_data import check_same, open_run_data
from vit_core.runs.train_options import pick
from vit_core.storage.plain_text import decode, plain
from vit_core.training.fitting import step_batch_size
from vit_core.training.initial import checkpoint_of, start_from
from vit_core.training.processes import Group, choose_device
from vit_core.training.thread_choice import choose_threads

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
        if options.dataset and run.config.dataset != KEPT:
            run.config = dataclasses.replace(run.config, dataset=name_of(options.dataset))
        if options.pictures is not None:
            run.config = dataclasses.replace(run.config, takes_pictures=options.pictures)
        return run, None
    if decode(str(options.run_dir)) != str(options.run_dir):
        raise RunError(
            f"--run-dir {plain(options.run_dir)} is no UTF-8 text, and no checkpoint could be read "
            f"from there; choose another name"
        )
    dataset = name_of(options.dataset or "mnist")
    if options.limit_per_class is not None:
        check_int("limit-per-class", options.limit_per_class, at_least=1)
    preset, model, training, init = settings_of(options, dataset)
    kept = None if dataset in DATASETS else file_of(dataset)  # by another run
    if kept:
        whole = read_images(kept)
        if not {"image_size", "in_channels"} & given.keys():
            channels, height, width = whole.train.image_shape
            size = height if height == width else (height, width)
            model = dataclasses.replace(model, in_channels=channels, image_size=size)
    else:
        whole = open_data(dataset, model, reading)
    if "num_classes" not in given:
        model = dataclasses.replace(model, num_classes=len(whole.info.class_names))
    check_data(whole, model)
    data = limited(whole, options.limit_per_class)
    takes_pictures = options.pictures
    if takes_pictures is None:
        takes_pictures = dataset != "mnist"  # the app has digits of its own
    step_batch_size(training, len(data.train), processes)
    if init:
        check_init(init, model, training, data)
    check_unused(options.run_dir)
    config = RunConfig(
        preset=preset,
        model=model,
        train=training,
        threads=options.threads or threads_for(model, training, data, options.device, processes),
        data=data.info.fingerprint,
        dataset=KEPT if kept else dataset,
        statistics=reading.statistics,
        is_streamed=isinstance(data.train, StreamedSplit),
        images=len(data.train),
        val_images=len(data.val),
        test_images=len(data.test),
        limit_per_class=options.limit_per_class,
        init=init,
        takes_pictures=takes_pictures,
        command=decode(shlex.join(["python", "-m", "vit_core.train", *arguments])),
    )
    run = RunDirectory.create(options.run_dir, config)
    if kept:
        save_images(run.path, whole)
    return run, data


def settings_of(
    options: argparse.Namespace, dataset: str
) -> tuple[str, ViTConfig, TrainConfig, str]:
    """Return the preset, the settings, and what the run starts from ("" for random weights).

    The shape of the model is the preset's, if one is named. Otherwise a run that starts from a
    checkpoint has that one's shape, in the size and the channels of the data.

    Raises:
        ValueError: a setting is not allowed, or there is no such checkpoint.
    """
    given = vars(options)
    preset = options.preset or USUAL_PRESETS.get(dataset, OF_FOLDERS)
    model, init = PRESETS[preset].model, options.init or ""
    if init and init not in shipped_names():
        init = str(Path(init).expanduser().absolute())
    if init and options.preset is None:
        shape = checkpoint_of(init).config
        size = model if dataset in DATASETS else shape
        model = dataclasses.replace(shape, image_size=size.image_size, in_channels=size.in_channels)
    return preset, pick(model, given), pick(PRESETS[preset].train, given), init


def check_init(init: str, model: ViTConfig, training: TrainConfig, data: ImageData) -> None:
    """Refuse a checkpoint from which the model cannot start, before a directory is made.

    Raises:
        ValueError: the message says why.
    """
    start_from(build_with(model, training), checkpoint_of(init), data.info.class_names)


def threads_for(
    model: ViTConfig, train: TrainConfig, data: ImageData, device: str, processes: int
) -> int:
    """Choose a new run's number of CPU threads, and say what was measured.

    It is PyTorch's own number where several processes share the work, or a GPU does it. PyTorch's
    is also the largest; the variable OMP_NUM_THREADS can lower it.

    Args:
        device: as ``--device`` takes it.
        processes: number of processes that share the run.

    Raises:
        ValueError: the data does not fit the model.
    """
    most = torch.get_num_threads()
    if processes > 1 or choose_device(device, 0).type != "cpu" or train.compile:
        return most
    threads, seconds = choose_threads(model, train, data, most)
    if seconds:
        found = ", ".join(f"{1000 * value:.0f} ms with {n}" for n, value in seconds.items())
        print(f"threads: {threads}, since a step takes {found}", file=sys.stderr)
    return threads


def name_of(dataset: str) -> str:
    """Return a data set's name, or the whole path of a folder or of a file of images."""
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
        "limit_per_class": run.config.limit_per_class,
        "init": run.config.init,
    }
    if given.get("init") and given["init"] not in shipped_names():
        given = given | {"init": str(Path(given["init"]).expanduser().absolute())}
    if given.get("dataset") and run.config.dataset == KEPT:
        raise RunError(f"{run.path} has its images with it; resume it without --dataset")
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


def data_of(
    folder: Path, config: RunConfig, workers: int, group: Group, known: ImageData | None
) -> ImageData:
    """Return a run's data in each process; the first process of a machine downloads them.

    Args:
        folder: of the run.
        workers: number of processes that read images for this process.
        known: the data, if this process has already opened them.

    Raises:
        ValueError: the data are gone or damaged, or differ from those that the run was started on.
    """
    # a run goes on as it started, in memory or streamed, whatever the limit is now
    reading = Reading(0.0 if config.is_streamed else MOST_MEMORY, workers, config.statistics)
    is_named = config.dataset in (*DATASETS, KEPT)
    if not is_named and not os.path.exists(config.dataset):
        raise RunError(
            f"there is no data set '{plain(config.dataset)}' any more; if its images were moved, "
            f"say where they are now with --dataset"
        )
    if known is None and group.local_rank == 0:
        known = open_run_data(folder, config, reading)
    group.wait()
    if known is None:
        known = open_run_data(folder, config, reading)
    check_same(known, config)
    return known
