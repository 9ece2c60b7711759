"""``python -m vit_core.worker``: a process that trains the run directories that it is given.

It imports PyTorch, loads the data once and reports that it is ready. Then it reads commands from
its standard input, one JSON object per line:

    {"do": "run", "path": …, "threads": …, "fence": {"file": …, "text": …}}
        train that run directory to its end. "fence" is optional: the worker writes only as long as
        that file of the run directory holds that text (see ``vit_core.runs.fence``).
    {"do": "pause"}, {"do": "go on"}             between two steps of the run
    {"do": "stop"}                               before the next step; the last whole epoch is kept
    {"do": "measure", "model": {…}, "train": {…}, "images": […], "threads": …}   how fast such a
        run would be, on so many images for training, validation and test

and answers on its standard output, also one JSON object per line:

    {"event": "ready", "device": "cpu" | "cuda"}     that it trains on
    {"event": "first_point"}    once a run, when its first step, or a resumed run's, is written
    {"event": "paused"}, {"event": "going on"}
    {"event": "ended", "state": "finished" | "stopped" | "failed", "message": a sentence or ""}
    {"event": "measured", "speed": {…} or null, "message": why not, or ""}    (training.speed.Speed)

A step is a training step; to stop, the evaluation is interrupted too. Nothing is interrupted while
a file is being written.

The process that started it holds its standard input. When that closes, the starter is gone, and
this process ends.
"""

import argparse
import errno
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TextIO

import torch

from vit_core.config import TrainConfig, ViTConfig
from vit_core.data import ImageData
from vit_core.data.kept import KEPT
from vit_core.data.limit import limited
from vit_core.data.open import Reading, open_data
from vit_core.data.packed import packed_mnist
from vit_core.data.sets import DATASETS
from vit_core.errors import VitError
from vit_core.lean.freed_memory import return_freed_memory
from vit_core.runs.directory import RunDirectory, RunError
from vit_core.runs.fence import Fence
from vit_core.runs.recorder import Cadence, Recorder
from vit_core.runs.run_data import check_same, open_run_data
from vit_core.training.events import EpochEnd, TrainingDivergedError
from vit_core.training.measure_speed import measure_speed, stand_in
from vit_core.training.process_limits import be_ended_first, limit_memory, lower_priority
from vit_core.training.processes import DEVICES, choose_device

PAUSE_CHECK_SECONDS = 0.5  # between two checks in a pause whether the run is still ours
CADENCE = Cadence(steps=None, seconds=0.25, snapshot_seconds=2.0)


class StopRequested(Exception):
    """The order to stop, raised between two steps. It ends a run and is no error."""


class Worker:
    """Reads commands in one thread and carries them out in the main thread."""

    def __init__(
        self, commands: Iterable[str], answers: TextIO, device: torch.device | str = "cpu"
    ) -> None:
        self.commands, self.answers, self.device = commands, answers, torch.device(device)
        self.waiting: queue.Queue[dict[str, Any]] = queue.Queue()
        self.shall_stop = threading.Event()  # for the latest run, even before it has started
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        # the data set that was used last, beside MNIST: its name and statistics, and the images
        self.opened: tuple[tuple[str, str], ImageData] | None = None

    def answer(self, **answer: Any) -> None:
        """Write one answer."""
        self.answers.write(json.dumps(answer) + "\n")
        self.answers.flush()

    def listen(self) -> None:
        """Read commands until the standard input closes, then end the process."""
        for line in self.commands:
            self.take(json.loads(line))
        os._exit(0)

    def take(self, command: dict[str, Any]) -> None:
        """Obey a command at once, or put it in line for the main thread."""
        match command["do"]:
            case "pause":
                self.may_go_on.clear()
            case "go on":
                self.may_go_on.set()
            case "stop":
                self.shall_stop.set()
                self.may_go_on.set()  # so that a paused run notices
            case "run":
                self.shall_stop.clear()
                self.may_go_on.set()
                self.waiting.put(command)
            case _:
                self.waiting.put(command)

    def work(self) -> None:
        """Carry out commands one after another, for ever."""
        self.answer(event="ready", device=self.device.type)
        while True:
            command = self.waiting.get()
            if command["do"] == "run":
                self.run(Path(command["path"]), command["threads"], command.get("fence"))
            else:
                self.measure(command)

    def run(self, path: Path, threads: int, fence: dict[str, str] | None = None) -> None:
        """Train one run directory and report how it ended.

        Args:
            fence: the "file" in the directory that must hold the "text", so long as this worker may
                write.
        """
        state, message = "finished", ""
        try:
            self.train(path, threads, Fence(path / fence["file"], fence["text"]) if fence else None)
        except StopRequested:
            state = "stopped"
        except (
            Exception
        ) as error:  # of any kind: the worker goes on, and the page shows the message
            state, message = "failed", sentence(error)
            # visitors need not know where the run is on the server
            message = message.replace(f"{path}{os.sep}", "").replace(str(path), "its folder")
        self.answer(event="ended", state=state, message=message)

    def train(self, path: Path, threads: int, fence: Fence | None = None) -> None:
        """Train one run directory to its end.

        Raises:
            StopRequested: the run shall stop.
            RunError: the directory cannot be used.
            TrainingDivergedError: the loss became infinite or not a number.
            FencedError: another server has taken the run over.
            OSError: the directory cannot be written.
        """
        run = RunDirectory.open(path, fence)

        def check(*_: object) -> None:
            self.check_stop()
            if fence is not None:
                fence.check_sometimes()

        try:
            check()
            torch.set_num_threads(threads)
            recorder = Recorder(run, self.data_of(run).to(self.device), CADENCE)
            training = recorder.training
            # to evaluate all images between two epochs takes as long as many steps
            for model in (training.model, training.eval_model):
                model.register_forward_pre_hook(check)
            if not recorder.is_complete:
                has_point = False
                for event in recorder.events():
                    if not has_point:
                        self.answer(event="first_point")
                        has_point = True
                    if isinstance(event, EpochEnd):  # its evaluation took large tensors
                        return_freed_memory()
                    check()
                    if not self.may_go_on.is_set():
                        self.pause(recorder)
        finally:
            run.close()
            return_freed_memory()
            if self.device.type == "cuda":  # others may train on the same GPU
                torch.cuda.empty_cache()

    def data_of(self, run: RunDirectory) -> ImageData:
        """Return the data that a run learns from.

        Raises:
            ValueError: they are gone, or others than when the run was started.
        """
        config = run.config
        if config.dataset == "mnist":
            return limited(packed_mnist(), config.limit_per_class)
        if config.dataset == KEPT:
            return open_run_data(run.path, config, Reading())
        if config.dataset not in DATASETS:
            raise RunError("it learns from a folder, with which only the command line goes on")
        key = config.dataset, config.statistics
        if self.opened is None or self.opened[0] != key:
            self.opened = None  # two would need the memory of both
            reading = Reading(statistics=config.statistics)
            self.opened = key, open_data(config.dataset, config.model, reading)
        data = self.opened[1]
        if not config.data:  # the server that made the run has not read them
            run.config = replace(config, data=data.info.fingerprint)
            run.save_config()
        check_same(data, run.config)
        return limited(data, config.limit_per_class)

    def check_stop(self) -> None:
        """Raise ``StopRequested`` if the run shall stop."""
        if self.shall_stop.is_set():
            raise StopRequested

    def pause(self, recorder: Recorder) -> None:
        """Wait until the run may go on, and leave the pause out of its time.

        Raises:
            StopRequested: the run shall stop.
            FencedError: another server has taken the run over.
        """
        began = time.monotonic()
        self.answer(event="paused")
        while not self.may_go_on.wait(PAUSE_CHECK_SECONDS):
            recorder.run.check_fence()
        self.check_stop()
        recorder.leave_out(time.monotonic() - began)
        self.answer(event="going on")

    def measure(self, command: dict[str, Any]) -> None:
        """Measure how fast a run would be, or report why that is not possible."""
        speed, message = None, ""
        try:
            torch.set_num_threads(command["threads"])
            model = ViTConfig.from_dict(command["model"])
            train = TrainConfig.from_dict(command["train"])
            counts = command.get("images")
            if counts:
                data = stand_in(model, counts, self.device)
            else:
                data = packed_mnist().to(self.device)
            speed = asdict(measure_speed(model, train, data))
        except Exception as error:  # of any kind: the worker goes on
            message = sentence(error)
        self.answer(event="measured", speed=speed, message=message)


def sentence(error: Exception) -> str:
    """Return a sentence that says why a run ended."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full, so the run could not write on."
    if isinstance(error, OSError):
        return f"The run could not write or read its files: {error.strerror or error}."
    is_out_of_memory = isinstance(error, MemoryError | torch.OutOfMemoryError)
    if is_out_of_memory or "can't allocate memory" in str(error):
        return (
            "The run needed more memory than it may have; a smaller batch size, width or number "
            "of blocks, or larger patches, need less."
        )
    if isinstance(error, TrainingDivergedError):
        text = str(error)
        return f"{text[0].upper()}{text[1:]}."
    if isinstance(error, VitError):
        return f"The run cannot go on: {error}."
    return f"The training ended with an error: {type(error).__name__}: {error}"


def main() -> None:
    """Run a worker on the standard input and output."""
    parser = argparse.ArgumentParser(prog="python -m vit_core.worker")
    parser.add_argument("--nice", type=int, default=0, help="of the process's priority (0)")
    parser.add_argument("--memory", type=int, help="megabytes that it may have (no limit)")
    parser.add_argument(
        "--device", choices=DEVICES, default="cpu", help="a GPU if there is (auto); else cpu"
    )
    options = parser.parse_args()
    lower_priority(options.nice)
    be_ended_first()
    if options.memory:
        limit_memory(options.memory)
    worker = Worker(sys.stdin, sys.stdout, choose_device(options.device, 0))
    threading.Thread(target=worker.listen, daemon=True).start()
    packed_mnist()
    return_freed_memory()  # of the files and the images that it was made of
    worker.work()
