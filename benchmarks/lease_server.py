"""One server's manager without pages, for ``lease_faults.py``: it obeys lines on its input.

    python benchmarks/lease_server.py FOLDER --lease 2 --ahead 3600

Lines are ``start VISITOR``, ``resume VISITOR RUN``, ``stop …``, ``pause …`` and ``unpause …``; each
is answered by a line of JSON. The end of the input closes the manager.
"""

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

from explainer.training import Manager, RefusedError, RunRequest
from explainer.training.limits import Limits, load_limits
from vit_core import TrainConfig, ViTConfig
from vit_core.runs.directory import RunDirectory
from vit_core.runs.fence import Fence
from vit_core.storage.atomic import write_atomically

EPOCHS = 8
REQUEST = RunRequest(
    ViTConfig(patch_size=14, embed_dim=8, depth=1, num_heads=1, pool="mean"),
    TrainConfig(epochs=EPOCHS, batch_size=1024, optimizer="adamw", lr=0.01, augment="none"),
)


def content_of(epoch: int) -> bytes:
    """Return what stands in place of the model of an epoch."""
    return f"epoch {epoch}\n".encode() * 5000


class Trainer:
    """Stands in for ``WorkerProcess``: a thread that writes a run like a worker, and fast."""

    seconds = 0.1  # of an epoch

    def __init__(self, limits: Limits, on_answer: Callable, on_exit: Callable) -> None:
        self.run_id: str | None = None
        self.measuring = None
        self.idle_since = time.monotonic()
        self.on_answer, self.on_exit = on_answer, on_exit
        self.shall_stop, self.is_killed, self.may_go_on = Event(), Event(), Event()

    def send(self, **order: Any) -> None:
        match order["do"]:
            case "run":
                self.shall_stop.clear()
                self.may_go_on.set()
                Thread(target=self.run, args=(order,), daemon=True).start()
            case "pause":
                self.may_go_on.clear()
            case "go on":
                self.may_go_on.set()
            case "stop":
                self.shall_stop.set()
                self.may_go_on.set()
            case "measure":
                self.on_answer(self, {"event": "measured", "speed": None, "message": "not here"})

    def run(self, order: dict[str, Any]) -> None:
        state, message = "finished", ""
        try:
            if not self.train(Path(order["path"]), order["fence"]):
                state = "stopped"
        except Exception as error:
            state, message = "failed", str(error)
        if self.is_killed.is_set():
            self.on_exit(self, -9)
        else:
            self.on_answer(self, {"event": "ended", "state": state, "message": message})

    def train(self, folder: Path, fence: dict[str, str]) -> bool:
        """Write the epochs that are missing; return False if it was told to stop."""
        run = RunDirectory.open(folder, Fence(folder / fence["file"], fence["text"]))
        try:
            whole = 0
            while (folder / f"epoch-{whole + 1:03d}.safetensors").exists():
                whole += 1
            run.keep_metrics_up_to(whole)
            for epoch in range(whole + 1, EPOCHS + 1):
                time.sleep(self.seconds)
                self.may_go_on.wait()
                if self.shall_stop.is_set() or self.is_killed.is_set():
                    return False
                run.append_metrics({"seconds": epoch, "step": epoch, "epoch": epoch})
                run.check_fence()
                write_atomically(folder / f"epoch-{epoch:03d}.safetensors", content_of(epoch))
        finally:
            run.close()
        return True

    def kill(self) -> None:
        self.is_killed.set()
        self.may_go_on.set()

    end = close = kill


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lease", type=int, default=2, help="seconds")
    parser.add_argument("--ahead", type=float, default=0.0, help="seconds of the system clock")
    parser.add_argument("--jumps", action="store_true", help="ahead and behind, every second")
    parser.add_argument("--real", action="store_true", help="workers that train")
    options = parser.parse_args()
    true = time.time

    def wrong() -> float:
        behind = options.jumps and int(time.monotonic()) % 2
        return true() + (-options.ahead if behind else options.ahead)

    time.time = wrong
    limits = dataclasses.replace(
        load_limits(), runs_at_once=1, threads=1, lease_seconds=options.lease
    )
    workers = {} if options.real else {"start_process": Trainer}
    manager = Manager(options.folder, limits, **workers)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        do, visitor, *run = line.split()
        try:
            found = (
                manager.start(visitor, REQUEST)
                if do == "start"
                else getattr(manager, do)(visitor, *run)
            )
            answer = {"run": found.id if found else ""}
        except RefusedError as error:
            answer = {"refused": str(error)}
        print(json.dumps(answer), flush=True)
    manager.close()


if __name__ == "__main__":
    main()
