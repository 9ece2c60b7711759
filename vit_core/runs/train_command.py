"""The command line of training: ``python -m vit_core.train --preset fast --run-dir runs/x``.

Under ``torchrun --nproc-per-node 2 -m vit_core.train …`` the same command is run by several
processes, of which the first one writes and speaks.
"""

import argparse
import dataclasses
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from vit_core.config import TrainConfig, ViTConfig
from vit_core.data import ImageData
from vit_core.data.open import DATASETS, MOST_MEMORY, Reading, folder_of, open_data, usual_workers
from vit_core.data.streaming import ReaderLostError, StreamedSplit
from vit_core.mistakes import build_with
from vit_core.presets import PRESETS
from vit_core.runs.directory import RunConfig, RunDirectory, RunError
from vit_core.runs.recorder import Cadence, Recorder
from vit_core.runs.tensorboard import open_board
from vit_core.runs.train_options import build_parser, pick
from vit_core.storage.plain_text import decode, let_output_write_anything, plain, program
from vit_core.training.loop import EpochEnd, StepEnd, Training, TrainingDivergedError, batch_for
from vit_core.training.processes import Group, MainProcessFailedError, is_lost_process

GREY = ("mnist", "fashion-mnist")  # data sets whose preset is "default"


def main(arguments: list[str] | None = None) -> int:
    """Train and return the exit code: 0 done, 2 a mistake that is named, 130 interrupted."""
    arguments = sys.argv[1:] if arguments is None else arguments
    let_output_write_anything()
    options = build_parser().parse_args(arguments)
    group = Group.from_environment()
    # also where a shell started this in the background, with Ctrl-C's signal switched off
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, terminate)
    try:
        with group.joined(options.device) as device:
            take_part(options, arguments, group, device)
    except KeyboardInterrupt as stop:
        # torchrun terminates the rest where one is gone, and that may be the main process
        if group.is_main or (group.rank == 1 and isinstance(stop, Terminated)):
            print(f"\nstopped; {how_to_go_on(options.run_dir, group)}", file=sys.stderr)
        return 130
    except MainProcessFailedError:
        return 2
    except ReaderLostError as error:
        print(f"\nerror: {plain(error)}; {how_to_go_on(options.run_dir, group)}", file=sys.stderr)
        return 2
    except TrainingDivergedError as error:  # which all processes see
        if group.is_main:
            print(f"error: {plain(error)}", file=sys.stderr)
        return 2
    except (ValueError, OSError) as error:
        print(f"error: {plain(error)}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        if group.size == 1 or not is_lost_process(error):
            raise
        # the first one may be the one that is gone
        if group.rank < 2:
            print(
                f"\nerror: process {group.rank} of {group.size} stops, since another one of this "
                f"run is gone; {how_to_go_on(options.run_dir, group)}",
                file=sys.stderr,
            )
        return 2
    return 0


class Terminated(KeyboardInterrupt):
    """The signal that ends a process, taken as an order to stop."""


def terminate(*_: object) -> None:
    raise Terminated


def how_to_go_on(path: Path, group: Group) -> str:
    typed = as_typed(path)
    if group.size > group.local_size:
        return f"go on with the same torchrun commands, and --run-dir {typed} --resume"
    start = program("vit-train", "vit_core.train")
    if group.size > 1:
        start = f"torchrun --nproc-per-node {group.local_size} -m vit_core.train"
    return f"go on with: {start} --run-dir {typed} --resume"


def as_typed(path: Path) -> str:
    """Return a path as a shell of this system takes it, in quotes where it has a space."""
    return subprocess.list2cmdline([str(path)]) if os.name == "nt" else shlex.quote(str(path))


def take_part(
    options: argparse.Namespace, arguments: list[str], group: Group, device: torch.device
) -> None:
    """Do one process's part of a run, from the first look at the options to the end.

    Raises:
        ValueError: a setting is not allowed, or the data or the run directory cannot be used.
        OSError: the directory cannot be written.
        TrainingDivergedError: the loss became infinite or not a number.
    """
    workers = options.workers
    if workers is None:
        workers = usual_workers(group.local_size)
    run: RunDirectory | None = None
    data: ImageData | None = None
    recorder: Recorder | None = None

    def begin() -> str:
        nonlocal run, data
        run, data = open_run(options, arguments, group.size, workers)
        return run.config.to_json()

    def take_up() -> bool:
        nonlocal recorder
        assert run is not None and data is not None
        run.save_config()  # in which the images may have another place now
        recorder = Recorder(run, data, Cadence(steps=options.log_every), group, open_board)
        return recorder.is_complete

    try:
        config = RunConfig.from_json(group.from_main(begin))
        torch.set_num_threads(config.threads)
        data = data_of(config, workers, group, data).to(device)
        is_complete = group.from_main(take_up)
        if not is_complete:
            training = recorder.training if recorder else follow(config, data, group)
            if group.size > 1:
                epoch = group.from_main(lambda: training.epoch)
                training.load(group.tensors_from_main(training.tensors()), epoch)
            if recorder is None:
                for _ in training.events():
                    pass
            else:
                show(recorder, options.log_every)
        if recorder:
            before = f"{options.run_dir} is complete: " if is_complete else ""
            print(f"{before}{summary(recorder)}")
    finally:
        if recorder:
            recorder.board.close()
        if run:
            run.close()


def follow(config: RunConfig, data: ImageData, group: Group) -> Training:
    """Return the training of a process that writes nothing."""
    model = build_with(config.model, config.train, config.train.seed)
    return Training(model.to(data.train.labels.device), data, config.train, group)


def data_of(config: RunConfig, workers: int, group: Group, known: ImageData | None) -> ImageData:
    """Return a run's data in each process; the first one of a machine downloads what is missing.

    Raises:
        RunError: they are other data than those that the run was started on.
    """
    # what is in memory stays there, whatever today's limit is
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
    # of a folder that is streamed, runs of earlier versions know the first part of the hash
    if not config.data or not known.info.fingerprint.startswith(config.data):
        raise RunError(
            f"{plain(config.dataset)} holds other data now than when this run was started"
        )
    return known


def open_run(
    options: argparse.Namespace, arguments: list[str], processes: int, workers: int
) -> tuple[RunDirectory, ImageData | None]:
    """Make the run directory that the options describe, or open the one to resume.

    Args:
        processes: that are to share the run.
        workers: processes that read for each of them.

    Returns:
        It, and the data of a new one.

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
    preset = options.preset or ("default" if dataset in GREY else "cifar10")
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
    batch_for(training, len(data.train), processes)
    return RunDirectory.create(options.run_dir, config), data


def name_of(dataset: str) -> str:
    """Return a data set's name, or the whole path of a folder."""
    return dataset if dataset in DATASETS else str(folder_of(dataset).absolute())


def check_data(data: ImageData, model: ViTConfig) -> None:
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

    The images of a folder may lie in another place now: whether they are the same is known when
    they were read.
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


def show(recorder: Recorder, log_every: int) -> None:
    """Train on to the end with a bar on the terminal, writing as it goes."""
    training = recorder.training
    images = training.steps_per_epoch * training.batch_size
    with tqdm(
        total=images * training.config.epochs,
        initial=images * training.epoch,
        unit=" images",
        unit_scale=True,
        dynamic_ncols=True,
    ) as bar:
        losses: list[float] = []
        said = ""
        for event in recorder.events():
            if isinstance(event, StepEnd):
                bar.update(event.images)
                losses.append(event.train_loss)
                if event.step % log_every == 0:
                    bar.set_postfix_str(postfix(losses, recorder.last.get("val_accuracy")))
                    losses.clear()
            if not said or isinstance(event, EpochEnd):
                skipped = str(training.data.skipped or "")
                # what was said before is not said again
                for line in [line for line in skipped.splitlines() if line not in said]:
                    bar.write(line, file=sys.stderr)
                said = skipped


def summary(recorder: Recorder) -> str:
    last = recorder.last
    return f"test accuracy {last['test_accuracy']:.2%} after {last['seconds']:.0f} s"


def postfix(losses: list[float], accuracy: float | None) -> str:
    shown = "–" if accuracy is None else f"{accuracy:.2%}"
    return f"loss {sum(losses) / len(losses):.3f}, val accuracy {shown}"


def command_line(preset: str | None, model: ViTConfig, train: TrainConfig, threads: int) -> str:
    """Return the command that trains the same: the preset, and an option for what differs."""
    base = PRESETS[preset or "default"]
    words = ["python", "-m", "vit_core.train", "--preset", preset or "default"]
    for config, start in ((model, base.model), (train, base.train)):
        for field in dataclasses.fields(config):
            value = getattr(config, field.name)
            if value != getattr(start, field.name):
                words += option(field.name, value)
    return shlex.join([*words, "--threads", str(threads), "--run-dir", f"runs/{preset or 'own'}"])


def option(name: str, value: object) -> list[str]:
    """Return the words that set one field on the command line."""
    dashed = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{dashed}" if value else f"--no-{dashed}"]
    if isinstance(value, tuple):
        return [f"--{dashed}", "x".join(map(str, value))]
    return [f"--{dashed}", str(value)]
