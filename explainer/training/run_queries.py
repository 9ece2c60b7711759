"""Questions about the runs of one server that change no run: what the pages show of them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock

from explainer.training.clock import FolderClock
from explainer.training.lease import Holder, Leases
from explainer.training.limits import Limits, RefusedError
from explainer.training.ownership import MARKER
from explainer.training.queue import RunQueue
from explainer.training.run import ACTIVE_STATES, Run
from explainer.training.servers import Servers
from explainer.training.store import Note, RunStore, hashed
from explainer.training.wording import MESSAGES
from explainer.training.worker_process import WorkerProcess
from vit_core.runs.history import RunHistory

TOUCH_SECONDS = 60.0  # at least, between two updates of the file time that records the last use
RECORDED_ID = "recorded-"


@dataclass
class Running:
    """A run that a process trains.

    Attributes:
        seconds_before: that the run had trained before it was given to this process.
        paused_at: by the monotonic clock; None while it trains.
        stop_message: why it was told to stop; None if it was not.
    """

    process: WorkerProcess
    seconds_before: float
    paused_at: float | None = None
    stop_message: str | None = None


class RunQueries:
    """All runs of one folder, as one server sees them; may be called from any thread."""

    def __init__(self, root: Path, limits: Limits, recorded: Path) -> None:
        """Read a folder of runs, which need not exist yet.

        Args:
            recorded: the folder of the runs that come with the app.
        """
        self.limits = limits
        self._lock = RLock()
        self._clock = FolderClock(root / MARKER)
        self.store = RunStore(root, self._now)
        # whether a visitor, given by the hash of their secret, has a page open; set by the app
        self.has_open_page: Callable[[str], bool] = lambda owner: False
        self._queue = RunQueue(lambda owner: self.has_open_page(owner))
        self._running: dict[str, Running] = {}
        self._servers = Servers(root)
        self._leases = Leases(root, self._servers, limits.lease_seconds)
        self._viewed: dict[str, float] = {}  # run id → last look, by the monotonic clock
        self._recorded = [
            Run(
                id=f"{RECORDED_ID}{path.parent.name}",
                history=RunHistory(path.parent),
                status="recorded",
                title=path.parent.name,
            )
            for path in sorted(recorded.glob("*/config.json"))
        ]

    def find(self, run_id: str) -> Run | None:
        """Return the run with an id, for anybody who knows the id; None if there is none."""
        if run_id.startswith(RECORDED_ID):
            return next((run for run in self._recorded if run.id == run_id), None)
        with self._lock:
            if (note := self.store.read(run_id)) is None:
                return None
            self._mark_viewed(run_id)
            return self._run_of(run_id, note)

    def _mark_viewed(self, run_id: str) -> None:
        self._viewed[run_id] = time.monotonic()
        self._queue.mark_seen(run_id)
        is_ours = self.store.ownership.has_made(run_id)
        if is_ours and self._now() - self.store.last_used(run_id) > TOUCH_SECONDS:
            self.store.touch(run_id, self._now())

    def runs_of(self, visitor: str) -> list[Run]:
        """Return a visitor's runs, the newest first."""
        owner = hashed(visitor)
        with self._lock:
            self._queue.mark_owner_seen(owner)
            runs = [
                self._run_of(run_id, note) for run_id, note in self.store.notes_of(owner).items()
            ]
        return sorted(runs, key=lambda run: run.created, reverse=True)

    def active_of(self, visitor: str) -> Run | None:
        """Return the run of a visitor that waits, trains or pauses, if there is one."""
        return next((run for run in self.runs_of(visitor) if run.is_active), None)

    def recorded(self) -> list[Run]:
        """Return the runs that come with the app, ordered by name."""
        return list(self._recorded)

    def _get(self, run_id: str) -> Run:
        return self._run_of(run_id, self._note(run_id))

    def _run_of(self, run_id: str, note: Note) -> Run:
        state, message = note.state, note.message
        if state in ACTIVE_STATES and not (
            self._is_active_here(run_id) or self._is_active_elsewhere(run_id, note)
        ):
            state, message = "interrupted", MESSAGES["server_stopped"]
        run = Run(
            id=run_id,
            history=self.store.history(run_id),
            status=state,
            message=message,
            title=note.title,
            owner=note.owner,
            created=note.created,
            estimate=note.estimate,
        )
        if run_id not in self._queue:
            return run
        index = self._queue.index(run_id)
        return replace(
            run,
            queue_position=index + 1,
            wait_seconds=self._wait_seconds(index),
            waits_for=self._waits_for(),
        )

    def _note(self, run_id: str) -> Note:
        if (note := self.store.read(run_id)) is None:
            raise RefusedError(MESSAGES["no_run"], "not_there")
        return note

    def _is_active_here(self, run_id: str) -> bool:
        """Return whether this server queues or trains a run."""
        return run_id in self._running or run_id in self._queue

    def _is_active(self, run_id: str) -> bool:
        """Return whether any server queues or trains a run, or has it for another reason."""
        if self._is_active_here(run_id) or self._leases.holder(run_id) is Holder.OTHER:
            return True
        note = self.store.read(run_id)
        return note is not None and self._is_active_elsewhere(run_id, note)

    def _is_active_elsewhere(self, run_id: str, note: Note) -> bool:
        """Return whether another server queues or trains a run, or will do so soon."""
        if note.state not in ACTIVE_STATES or not self.store.ownership.has_made(run_id):
            return False
        if note.state == "queued" and self.store.is_writable():
            return True  # if its server is gone, another one queues it again in a moment
        match self._leases.holder(run_id):
            case Holder.NOBODY:  # it may be a run of a server of an earlier version
                return self._servers.has_other(note.server)
            case holder:
                return holder is not Holder.GONE

    def _wait_seconds(self, index: int) -> float | None:
        """Return about how long a run waits whose index in the queue, from 0, is given.

        Returns:
            None if a run that starts earlier has no estimate.
        """
        total = 0.0
        for run_id in self._running:
            if (note := self.store.read(run_id)) is None:  # somebody deleted its folder
                continue
            run = self._run_of(run_id, note)
            left = run.seconds_left if run.seconds_left is not None else run.estimate
            if left is None:
                return None
            total += min(left, self.limits.seconds_while_others_wait)
        for run_id in list(self._queue)[:index]:
            note = self.store.read(run_id)
            if note is None or note.estimate is None:
                return None
            total += min(note.estimate, self.limits.seconds_while_others_wait)
        return total / self.limits.runs_at_once

    def _waits_for(self) -> str:
        """Return what ``Run.waits_for`` is of the runs in the queue."""
        return ""

    def _now(self) -> float:
        return self._clock.now()
