"""The worker processes of one server: which are free, what each trains, and measured speeds."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import RLock
from typing import Any

from explainer.measuring import happened
from explainer.training.limits import Limits
from explainer.training.wording import MESSAGES
from explainer.training.worker_process import LOST, WorkerProcess
from vit_core.config import TrainConfig, ViTConfig
from vit_core.data.sets import Counts
from vit_core.training.speed import Speed

MAX_WANTED = 20  # settings whose speed is still to be measured
MAX_SPEEDS = 500  # settings whose speeds are kept
KEPT_SPEEDS = 5  # of the same settings
SPEED_LIFETIME = 30.0  # seconds, after which a speed is measured again if somebody asks

Settings = tuple[ViTConfig, TrainConfig, Counts]  # with how many images there are


@dataclass(frozen=True)
class Measured:
    """What the latest measurements of some settings gave.

    Attributes:
        result: a sentence that says why these settings cannot be trained here; empty if they can.
        speeds: the latest ones, the newest last; none if they cannot be trained.
        at: when it was measured, by the monotonic clock.
    """

    result: str
    speeds: tuple[Speed, ...]
    at: float

    @property
    def speed(self) -> Speed:
        """The median of the latest speeds, with the least time that any of them needed.

        So one measurement on a busy machine changes little.
        """
        median = sorted(self.speeds, key=lambda one: one.epoch_seconds)[(len(self.speeds) - 1) // 2]
        alone = min(one.epoch_seconds / one.slowdown for one in self.speeds)
        return replace(median, slowdown=max(1.0, median.epoch_seconds / alone))


class WorkerPool:
    """Starts processes when they are needed and ends them when they are not.

    Its methods are called under ``lock``. Answers of the processes arrive in their own threads,
    which take the lock first.
    """

    def __init__(
        self,
        limits: Limits,
        lock: RLock,
        on_ended: Callable[[str, str, str], None],
        start_process: Callable[..., WorkerProcess],
        on_first_point: Callable[[str], None] = lambda run_id: None,
    ) -> None:
        """Start with no workers.

        Args:
            on_ended: called under the lock with a run's id, the state that it ended in, and why.
            on_first_point: called under the lock with the id of a run that has trained a step.
        """
        self.limits, self.lock = limits, lock
        self._on_ended, self._start_process = on_ended, start_process
        self._on_first_point = on_first_point
        self._processes: list[WorkerProcess] = []
        self._wanted: list[Settings] = []
        self._speeds: dict[Settings, Measured] = {}
        self._is_closed = False

    def warm_up(self) -> None:
        """Start as many processes as may train at once."""
        while len(self._processes) < self.limits.runs_at_once and self._add():
            pass

    def train(
        self, run_id: str, folder: str, fence: dict[str, str] | None = None
    ) -> WorkerProcess | None:
        """Give a run to a process; return None if none is free and none can be started.

        Args:
            fence: by which the process sees that it may still write; see ``vit_core.runs.worker``.
        """
        free = [process for process in self._processes if process.run_id is None]
        # a process that measures will be free soon, but one without work can start now
        process = min(free, key=lambda one: one.measuring is not None, default=None)
        if process is None and len(self._processes) < self.limits.runs_at_once:
            process = self._add()
        if process:
            process.run_id = run_id
            order = {"path": folder, "threads": self.limits.threads}
            process.send(do="run", **order | ({"fence": fence} if fence else {}))
        return process

    def speed(self, settings: Settings) -> Speed | str | None:
        """Return how fast settings train here, or a sentence that says why they cannot.

        Returns:
            None if no process has measured them; ``request_speed`` asks for that.
        """
        known = self._speeds.get(settings)
        return (known.result or known.speed) if known else None

    def request_speed(self, settings: Settings) -> None:
        """Have the speed of settings measured, unless that was done a moment ago.

        Speeds are measured again after a while, because a busy machine measures too slow.
        """
        known = self._speeds.get(settings)
        is_fresh = known is not None and time.monotonic() - known.at < SPEED_LIFETIME
        requested = (*self._wanted, *(process.measuring for process in self._processes))
        if not is_fresh and settings not in requested:
            self._add_wanted(settings)
        self.measure_next()

    def measure_next(self) -> None:
        """Let each free process measure the settings that were requested last."""
        for process in self._processes:
            if self._wanted and process.run_id is None and process.measuring is None:
                process.measuring = model, train, counts = self._wanted.pop()
                process.send(
                    do="measure",
                    model=model.to_dict(),
                    train=train.to_dict(),
                    images=list(counts),
                    threads=self.limits.threads,
                )

    def end_idle(self) -> None:
        """End processes that have had no work for ``worker_idle_seconds``."""
        for process in list(self._processes):
            is_idle = process.run_id is None and process.measuring is None
            if is_idle and time.monotonic() - process.idle_since > self.limits.worker_idle_seconds:
                self._processes.remove(process)
                process.close()

    def kill(self, process: WorkerProcess) -> None:
        """End a process that did not stop when it was told to.

        It is removed first: it may still answer that its run has ended, and a run that it received
        after that answer would be killed with it. Settings that it was measuring are measured
        again, since the end of the process says nothing about them.
        """
        if process.measuring:
            self._add_wanted(process.measuring)
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
            process = self._start_process(self.limits, self._on_answer, self._on_exit)
        except OSError:
            happened("worker", "not_started")
            return None
        happened("worker", "started")
        self._processes.append(process)
        return process

    def _add_wanted(self, settings: Settings) -> None:
        self._wanted = [*self._wanted[1 - MAX_WANTED :], settings]

    def _on_answer(self, process: WorkerProcess, answer: dict[str, Any]) -> None:
        with self.lock:
            if answer["event"] == "measured" and process.measuring:
                speed = answer["speed"]
                self._store_speed(process.measuring, Speed(**speed) if speed else answer["message"])
                process.measuring = None
                process.idle_since = time.monotonic()
                if not speed and process.run_id is None:
                    self._replace(process)
            elif answer["event"] == "first_point" and process.run_id:
                self._on_first_point(process.run_id)
            elif answer["event"] == "ended" and process.run_id:
                if answer["state"] == "failed":
                    self._replace(process)
                self._end_run(process, answer["state"], answer["message"])
            self.measure_next()

    def _store_speed(self, settings: Settings, result: Speed | str) -> None:
        before = self._speeds.pop(settings, None)
        if isinstance(result, str):
            measured = Measured(result, (), time.monotonic())
        else:
            kept = (*(before.speeds if before else ()), result)[-KEPT_SPEEDS:]
            measured = Measured("", kept, time.monotonic())
        self._speeds[settings] = measured
        while len(self._speeds) > MAX_SPEEDS:
            self._speeds.pop(next(iter(self._speeds)))

    def _replace(self, process: WorkerProcess) -> None:
        """Replace a process after a failure, because it may have little memory left."""
        if process in self._processes:
            self._processes.remove(process)
            process.close()
            self._add()

    def _end_run(self, process: WorkerProcess, state: str, message: str) -> None:
        run_id, process.run_id = process.run_id, None
        process.idle_since = time.monotonic()
        if run_id and not self._is_closed:
            self._on_ended(run_id, state, message)

    def _on_exit(self, process: WorkerProcess, code: int) -> None:
        """Report the run of a process that has ended as failed, or as interrupted if it is lost."""
        happened("worker", end_of(code), code=code)
        with self.lock:
            if process in self._processes:
                self._processes.remove(process)
            if code == LOST:
                if process.measuring:
                    self._add_wanted(process.measuring)
                self._end_run(process, "interrupted", MESSAGES["machine_lost"])
                return
            if process.measuring:
                self._store_speed(process.measuring, MESSAGES["unmeasurable"])
            message = MESSAGES["killed"] if code < 0 else MESSAGES["worker_ended"]
            self._end_run(process, "failed", message.format(code=abs(code)))


def end_of(code: int) -> str:
    """Return how a process ended, as the log names it."""
    if code == LOST:
        return "lost"
    return "killed" if code < 0 else "failed" if code else "ended"
