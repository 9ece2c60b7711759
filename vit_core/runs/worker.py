"""``python -m vit_core.worker``: a process that trains the run directories that it is told to.

It imports PyTorch and loads the data once, says that it is ready, and then takes one order after
another, a JSON object a line on its standard input:

    {"do": "run", "path": …, "threads": …}      take up that run directory and train to its end
    {"do": "pause"}, {"do": "go on"}             between two steps of the run
    {"do": "stop"}                               before the next step; the last whole epoch stays
    {"do": "measure", "model": {…}, "train": {…}, "threads": …}      how fast such a run would be

and answers on its standard output, also a JSON object a line:

    {"is": "ready"}
    {"is": "paused"}, {"is": "going on"}
    {"is": "ended", "state": "finished" | "stopped" | "failed", "said": one sentence or ""}
    {"is": "measured", "speed": {…} or null, "said": why not, or ""}     (training.speed.Speed)

A step is one of the training; stopping need not wait for those that are evaluated either. Nothing
is interrupted while a file is written.

Whoever started it holds its standard input: when that closes, the starter is gone, and so is this
process.
"""

import argparse
import errno
import json
import os
import queue
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from vit_core.config import TrainConfig, ViTConfig
from vit_core.data import mnist
from vit_core.runs.directory import RunDirectory, RunError
from vit_core.runs.recorder import Cadence, Recorder
from vit_core.training.events import TrainingDivergedError
from vit_core.training.measure_speed import measure_speed
from vit_core.training.process_limits import limit_memory, lower_priority

CADENCE = Cadence(steps=None, seconds=0.25, snapshot_seconds=2.0)


class StopRequested(Exception):
    """The order to stop, raised between two steps. It ends a run and is no error."""


class Worker:
    """Takes orders in one thread and carries them out in the main one."""

    def __init__(self, orders: Any, answers: Any) -> None:
        self.orders, self.answers = orders, answers
        self.waiting: queue.Queue[dict[str, Any]] = queue.Queue()
        self.shall_stop = threading.Event()  # the latest run, even before it has begun
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def say(self, **answer: Any) -> None:
        self.answers.write(json.dumps(answer) + "\n")
        self.answers.flush()

    def listen(self) -> None:
        """Read orders until nobody can give any."""
        for line in self.orders:
            self.take_order(json.loads(line))
        os._exit(0)

    def take_order(self, order: dict[str, Any]) -> None:
        match order["do"]:
            case "pause":
                self.may_go_on.clear()
            case "go on":
                self.may_go_on.set()
            case "stop":
                self.shall_stop.set()
                self.may_go_on.set()  # one that is paused has to hear it, too
            case "run":
                self.shall_stop.clear()
                self.may_go_on.set()
                self.waiting.put(order)
            case _:
                self.waiting.put(order)

    def work(self) -> None:
        self.say(**{"is": "ready"})
        while True:
            order = self.waiting.get()
            if order["do"] == "run":
                self.run(Path(order["path"]), order["threads"])
            else:
                self.measure(order)

    def run(self, path: Path, threads: int) -> None:
        """Train one run directory and say how it ended."""
        try:
            self.train(path, threads)
            state, said = "finished", ""
        except StopRequested:
            state, said = "stopped", ""
        except Exception as error:  # whatever it is, the worker lives on and the page says it
            # nobody needs to know where on the server the run lies
            said = sentence(error).replace(f"{path}{os.sep}", "").replace(str(path), "its folder")
            state = "failed"
        self.say(**{"is": "ended", "state": state, "said": said})

    def train(self, path: Path, threads: int) -> None:
        run = RunDirectory.open(path)
        try:
            self.check_stop()
            torch.set_num_threads(threads)
            recorder = Recorder(run, mnist(), CADENCE)
            training = recorder.training
            # evaluating all images between two epochs takes as long as many steps
            for model in (training.model, training.eval_model):
                model.register_forward_pre_hook(lambda *_: self.check_stop())
            if not recorder.is_complete:
                for _ in recorder.events():
                    self.check_stop()
                    if not self.may_go_on.is_set():
                        self.pause(recorder)
        finally:
            run.close()

    def check_stop(self) -> None:
        """Raise ``StopRequested`` if the run shall stop."""
        if self.shall_stop.is_set():
            raise StopRequested

    def pause(self, recorder: Recorder) -> None:
        began = time.monotonic()
        self.say(**{"is": "paused"})
        self.may_go_on.wait()
        self.check_stop()
        recorder.leave_out(time.monotonic() - began)
        self.say(**{"is": "going on"})

    def measure(self, order: dict[str, Any]) -> None:
        """Measure how fast a run would be, or say why it cannot be tried."""
        answer: dict[str, Any] = {"is": "measured", "speed": None, "said": ""}
        try:
            torch.set_num_threads(order["threads"])
            model = ViTConfig.from_dict(order["model"])
            found = measure_speed(model, TrainConfig.from_dict(order["train"]), mnist())
            answer["speed"] = asdict(found)
        except Exception as error:  # whatever it is, the worker lives on
            answer["said"] = sentence(error)
        self.say(**answer)


def sentence(error: Exception) -> str:
    """Say what ended a run."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full, so the run could not write on."
    if isinstance(error, OSError):
        return f"The run could not write or read its files: {error.strerror or error}."
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return (
            "The run needed more memory than it may have; a smaller batch size, width or number "
            "of blocks, or larger patches, need less."
        )
    if isinstance(error, TrainingDivergedError):
        text = str(error)
        return f"{text[0].upper()}{text[1:]}."
    if isinstance(error, RunError):
        return f"The run cannot go on: {error}."
    return f"The training ended with an error: {type(error).__name__}: {error}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m vit_core.worker")
    parser.add_argument("--nice", type=int, default=0, help="of the process's priority (0)")
    parser.add_argument("--memory", type=int, help="megabytes that it may have (no limit)")
    options = parser.parse_args()
    lower_priority(options.nice)
    if options.memory:
        limit_memory(options.memory)
    worker = Worker(sys.stdin, sys.stdout)
    threading.Thread(target=worker.listen, daemon=True).start()
    mnist()
    worker.work()
