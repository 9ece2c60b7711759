"""The command line of training: ``python -m vit_core.train --preset fast --run-dir runs/x``.

Under ``torchrun --nproc-per-node 2 -m vit_core.train …`` the same command is run by several
processes, of which only the first one writes files and messages.
"""

import argparse
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import torch
from tqdm import tqdm

from vit_core.data import ImageData
from vit_core.data.open import usual_workers
from vit_core.data.streaming import ReaderLostError
from vit_core.mistakes import build_with
from vit_core.runs.directory import RunConfig, RunDirectory
from vit_core.runs.opening import data_of, open_run
from vit_core.runs.recorder import Cadence, Recorder
from vit_core.runs.tensorboard import open_tensorboard
from vit_core.runs.train_options import build_parser
from vit_core.storage.plain_text import let_output_write_anything, plain, program
from vit_core.training.events import EpochEnd, StepEnd, TrainingDivergedError
from vit_core.training.loop import Training
from vit_core.training.processes import Group, MainProcessFailedError, is_lost_process


def main(arguments: list[str] | None = None) -> int:
    """Train and return the exit code: 0 done, 2 for a mistake that is named, 130 interrupted."""
    arguments = sys.argv[1:] if arguments is None else arguments
    let_output_write_anything()
    options = build_parser().parse_args(arguments)
    group = Group.from_environment()
    # a shell that starts this in the background switches the signal of Ctrl-C off
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, terminate)
    try:
        with group.joined(options.device) as device:
            take_part(options, arguments, group, device)
    except KeyboardInterrupt as stop:
        # if a process dies, torchrun terminates the others; the dead one may be the main process
        if group.is_main or (group.rank == 1 and isinstance(stop, Terminated)):
            print(f"\nstopped; {how_to_go_on(options.run_dir, group)}", file=sys.stderr)
        return 130
    except MainProcessFailedError:
        return 2
    except ReaderLostError as error:
        print(f"\nerror: {plain(error)}; {how_to_go_on(options.run_dir, group)}", file=sys.stderr)
        return 2
    except TrainingDivergedError as error:  # all processes raise it
        if group.is_main:
            print(f"error: {plain(error)}", file=sys.stderr)
        return 2
    except (ValueError, OSError) as error:
        print(f"error: {plain(error)}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        if group.size == 1 or not is_lost_process(error):
            raise
        # the second process speaks as well, since the first may be the one that is gone
        if group.rank < 2:
            print(
                f"\nerror: process {group.rank} of {group.size} stops, since another one of this "
                f"run is gone; {how_to_go_on(options.run_dir, group)}",
                file=sys.stderr,
            )
        return 2
    return 0


class Terminated(KeyboardInterrupt):
    """SIGTERM, handled like Ctrl-C."""


def terminate(*_: object) -> None:
    raise Terminated


def how_to_go_on(path: Path, group: Group) -> str:
    """Return the end of a sentence: the command that resumes the run."""
    typed = as_typed(path)
    if group.size > group.local_size:
        return f"go on with the same torchrun commands, and --run-dir {typed} --resume"
    start = program("vit-train", "vit_core.train")
    if group.size > 1:
        start = f"torchrun --nproc-per-node {group.local_size} -m vit_core.train"
    return f"go on with: {start} --run-dir {typed} --resume"


def as_typed(path: Path) -> str:
    """Return a path as a shell of this system takes it, quoted if it has a space."""
    return subprocess.list2cmdline([str(path)]) if os.name == "nt" else shlex.quote(str(path))


def take_part(
    options: argparse.Namespace, arguments: list[str], group: Group, device: torch.device
) -> None:
    """Do one process's part of a run, from its options to the end.

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

    def open_main() -> str:
        nonlocal run, data
        run, data = open_run(options, arguments, group.size, workers)
        return run.config.to_json()

    def record_main() -> bool:
        nonlocal recorder
        assert run is not None and data is not None
        run.save_config()  # the images may have moved
        recorder = Recorder(
            run,
            data,
            Cadence(steps=options.log_every),
            group,
            open_tensorboard,
        )
        if run.config.taken and not recorder.last:
            print(f"starts from {plain(run.config.init)}: {run.config.taken}")
        return recorder.is_complete

    try:
        config = RunConfig.from_json(group.from_main(open_main))
        torch.set_num_threads(config.threads)
        data = data_of(options.run_dir, config, workers, group, data).to(device)
        is_complete = group.from_main(record_main)
        if not is_complete:
            training = recorder.training if recorder else silent_training(config, data, group)
            if group.size > 1:
                epoch = group.from_main(lambda: training.epoch)
                training.load(group.tensors_from_main(training.tensors()), epoch)
            if recorder is None:
                for _ in training.events():
                    pass
            else:
                train_with_bar(recorder, options.log_every)
        if recorder:
            before = f"{options.run_dir} is complete: " if is_complete else ""
            print(f"{before}{summary(recorder)}")
    finally:
        if recorder:
            recorder.metrics_sink.close()
        if run:
            run.close()


def silent_training(config: RunConfig, data: ImageData, group: Group) -> Training:
    """Return the training of a process that is not the main one and writes nothing."""
    model = build_with(config.model, config.train, config.train.seed)
    return Training(model.to(data.train.labels.device), data, config.train, group)


def train_with_bar(recorder: Recorder, log_every: int) -> None:
    """Train to the end with a progress bar on the terminal.

    Args:
        log_every: steps between two updates of the loss on the bar.
    """
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
        reported = ""
        for event in recorder.events():
            if isinstance(event, StepEnd):
                bar.update(event.images)
                losses.append(event.train_loss)
                if event.step % log_every == 0:
                    bar.set_postfix_str(postfix(losses, recorder.last.get("val_accuracy")))
                    losses.clear()
            if not reported or isinstance(event, EpochEnd):
                skipped = str(training.data.skipped or "")
                for line in [line for line in skipped.splitlines() if line not in reported]:
                    bar.write(line, file=sys.stderr)
                reported = skipped


def summary(recorder: Recorder) -> str:
    """Return the result of a finished run as a text."""
    last = recorder.last
    return f"test accuracy {last['test_accuracy']:.2%} after {last['seconds']:.0f} s"


def postfix(losses: list[float], accuracy: float | None) -> str:
    """Return the text at the end of the progress bar."""
    val_accuracy = "–" if accuracy is None else f"{accuracy:.2%}"
    return f"loss {sum(losses) / len(losses):.3f}, val accuracy {val_accuracy}"
