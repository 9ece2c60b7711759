"""The training processes of one server: who is free, who trains what, how fast settings are."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock
from typing import Any

from explainer.training.limits import Limits
from explainer.training.wording import SAID
from explainer.training.worker_process import WorkerProcess
from vit_core.config import TrainConfig, ViTConfig
from vit_core.training.speed import Speed

MOST_WANTED = 20  # settings whose speed is still to be measured
MOST_KEPT = 500  # speeds

FRESH = 30.0  # seconds until a speed is measured again, if somebody asks

Settings = tuple[ViTConfig, TrainConfig]


@dataclass(frozen=True)
class Measured:
    """A speed, or why there is none, and when that was found by the monotonic clock."""

    found: Speed | str
    at: float


class Crew:
    """Starts processes when they are needed and ends them when they are not.

    Its methods are called under ``lock``; answers of the processes come in by their own threads and
    take it.
    """

    def __init__(
        self,
        limits: Limits,
        lock: RLock,
        on_ended: Callable[[str, str, str], None],
        start_process: Callable[..., WorkerProcess],
    ) -> None:
        """Hire nobody yet.

        Args:
            on_ended: called under the lock with a run's id, how it ended and why.
        """
        self.limits, self.lock = limits, lock
        self._on_ended, self._start_process = on_ended, start_process
        self._processes: list[WorkerProcess] = []
        self._wanted: list[Settings] = []
        self._speeds: dict[Settings, Measured] = {}
        self._is_closed = False

    def warm_up(self) -> None:
        """Start processes for all runs that there may be at once."""
        while len(self._processes) < self.limits.runs_at_once and self._add():
            pass

    def train(self, run_id: str, folder: str) -> WorkerProcess | None:
        """Give a run to a process; None where none is free or can be started."""
        free = [process for process in self._processes if process.run_id is None]
        # one that measures is done with it soon, but not at once
        process = min(free, key=lambda one: one.measuring is not None, default=None)
        if process is None and len(self._processes) < self.limits.runs_at_once:
            process = self._add()
        if process:
            process.run_id = run_id
            process.order(do="run", path=folder, threads=self.limits.threads)
        return process

    def speed(self, settings: Settings) -> Speed | str | None:
        """Return how fast settings train here, or a sentence that says why they cannot.

        None until a process has tried, which ``want`` asks for.
        """
        known = self._speeds.get(settings)
        return known and known.found

    def want(self, settings: Settings) -> None:
        """Ask for the speed of settings, if nobody has of late: a busy machine measures slow."""
        known = self._speeds.get(settings)
        is_fresh = known is not None and time.monotonic() - known.at < FRESH
        asked = (*self._wanted, *(one.measuring for one in self._processes))
        if not is_fresh and settings not in asked:
            self._wanted = [*self._wanted[1 - MOST_WANTED :], settings]
        self.measure()

    def measure(self) -> None:
        """Have the settings measured that somebody asked for last, if a process is free."""
        for process in self._processes:
            if self._wanted and process.run_id is None and process.measuring is None:
                process.measuring = model, train = self._wanted.pop()
                process.order(
                    do="measure",
                    model=model.to_dict(),
                    train=train.to_dict(),
                    threads=self.limits.threads,
                )

    def end_idle(self) -> None:
        """End processes that nobody has needed for long."""
        for process in list(self._processes):
            idle = process.run_id is None and process.measuring is None
            if idle and time.monotonic() - process.idle_since > self.limits.worker_idle_seconds:
                self._processes.remove(process)
                process.close()

    def kill(self, process: WorkerProcess) -> None:
        """End a process that does not hear, which is given nothing more to do.

        It may say yet that its run has ended, and would be killed in what came next. That it ends
        says nothing of the settings that it measures.
        """
        if process.measuring:
            self._wanted = [*self._wanted[1 - MOST_WANTED :], process.measuring]
            process.measuring = None
        if process in self._processes:
            self._processes.remove(process)
        process.kill()

    def close(self) -> None:
        """End all processes at once."""
        self._is_closed = True
        for process in self._processes:
            process.end()
        self._processes.clear()

    def _add(self) -> WorkerProcess | None:
        try:
            process = self._start_process(self.limits, self._hear, self._mourn)
        except OSError:
            return None
        self._processes.append(process)
        return process

    def _hear(self, process: WorkerProcess, answer: dict[str, Any]) -> None:
        with self.lock:
            if answer["is"] == "measured" and process.measuring:
                speed = answer["speed"]
                self._note(process.measuring, Speed(**speed) if speed else answer["said"])
                process.measuring = None
                process.idle_since = time.monotonic()
                if not speed and process.run_id is None:
                    self._retire(process)
            elif answer["is"] == "ended" and process.run_id:
                if answer["state"] == "failed":
                    self._retire(process)
                self._release(process, answer["state"], answer["said"])
            self.measure()

    def _note(self, settings: Settings, found: Speed | str) -> None:
        self._speeds[settings] = Measured(found, time.monotonic())
        while len(self._speeds) > MOST_KEPT:
            self._speeds.pop(next(iter(self._speeds)))

    def _retire(self, process: WorkerProcess) -> None:
        """Replace a process that something went wrong in: it may have little memory left."""
        if process in self._processes:
            self._processes.remove(process)
            process.close()
            self._add()

    def _release(self, process: WorkerProcess, state: str, said: str) -> None:
        run_id, process.run_id = process.run_id, None
        process.idle_since = time.monotonic()
        if run_id and not self._is_closed:
            self._on_ended(run_id, state, said)

    def _mourn(self, process: WorkerProcess, code: int) -> None:
        """Say what became of the run of a process that is no more."""
        with self.lock:
            if process in self._processes:
                self._processes.remove(process)
            if process.measuring:
                self._note(process.measuring, SAID["unmeasurable"])
            said = SAID["killed"] if code < 0 else SAID["worker_ended"]
            self._release(process, "failed", said.format(code=abs(code)))
