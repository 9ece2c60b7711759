"""How the runs of one server stand: what the pages ask for, which changes nothing."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock

from explainer.training.clock import FolderClock
from explainer.training.limits import Limits, RefusedError
from explainer.training.ownership import MARKER
from explainer.training.queue import WaitingLine
from explainer.training.run import GOING, Run
from explainer.training.servers import Servers
from explainer.training.store import Note, RunStore, hashed
from explainer.training.wording import SAID
from explainer.training.worker_process import WorkerProcess
from vit_core.runs.history import RunHistory

TOUCH = 600.0  # seconds between two notes on the disk that somebody looks at a run
RECORDED_ID = "recorded-"


@dataclass
class Active:
    """A run that a process is busy with.

    Attributes:
        began: seconds that the run had trained before.
        paused_at: by the monotonic clock; None while it trains.
        stop_said: why it was told to stop; None while nobody did.
    """

    process: WorkerProcess
    began: float
    paused_at: float | None = None
    stop_said: str | None = None


class Standing:
    """All runs of one folder, as one server sees them; may be called from any thread."""

    def __init__(self, root: Path, limits: Limits, recorded: Path) -> None:
        """Look at a folder of runs, which may be missing.

        Args:
            recorded: the folder of the runs that the app brings along.
        """
        self.limits = limits
        self._lock = RLock()
        self._clock = FolderClock(root / MARKER)
        self.store = RunStore(root, self._now)
        # whether a page of a visitor is open, by the hash of their secret; the app knows
        self.is_here: Callable[[str], bool] = lambda owner: False
        self._line = WaitingLine(lambda owner: self.is_here(owner))
        self._active: dict[str, Active] = {}
        self._servers = Servers(root)
        self._looked: dict[str, float] = {}  # when somebody last looked, by the monotonic clock
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
        """Return a run by its id, which whoever has it was given; None if there is none."""
        if run_id.startswith(RECORDED_ID):
            return next((run for run in self._recorded if run.id == run_id), None)
        with self._lock:
            if (note := self.store.read(run_id)) is None:
                return None
            self._look_at(run_id)
            return self._run_of(run_id, note)

    def _look_at(self, run_id: str) -> None:
        self._looked[run_id] = time.monotonic()
        self._line.see(run_id)
        is_own = self.store.ownership.has_made(run_id)
        if is_own and self._now() - self.store.used(run_id) > TOUCH:
            self.store.touch(run_id, self._now())

    def runs_of(self, visitor: str) -> list[Run]:
        """Return a visitor's runs, the newest first."""
        owner = hashed(visitor)
        with self._lock:
            self._line.see_owner(owner)
            runs = [self._run_of(*one) for one in self.store.notes_of(owner).items()]
        return sorted(runs, key=lambda run: run.created, reverse=True)

    def active_of(self, visitor: str) -> Run | None:
        """Return the run of a visitor that waits or trains, if there is one."""
        return next((run for run in self.runs_of(visitor) if run.is_going), None)

    def recorded(self) -> list[Run]:
        """Return the runs that the app brings along, in the order of their names."""
        return list(self._recorded)

    @property
    def is_keeper(self) -> bool:
        """Whether no other server has this folder; only its keeper clears old runs."""
        raise NotImplementedError

    def _get(self, run_id: str) -> Run:
        return self._run_of(run_id, self._note(run_id))

    def _run_of(self, run_id: str, note: Note) -> Run:
        state, said = note.state, note.said
        if state in GOING and not self._is_going(run_id) and not self._goes_elsewhere(run_id, note):
            state, said = "interrupted", SAID["server_stopped"]
        run = Run(
            id=run_id,
            history=self.store.history(run_id),
            status=state,
            said=said,
            title=note.title,
            owner=note.owner,
            created=note.created,
            estimate=note.estimate,
        )
        if run_id not in self._line:
            return run
        place = self._line.index(run_id)
        return replace(run, place=place + 1, wait_seconds=self._wait(place))

    def _note(self, run_id: str) -> Note:
        if (note := self.store.read(run_id)) is None:
            raise RefusedError(SAID["no_run"])
        return note

    def _is_going(self, run_id: str) -> bool:
        """Whether this server queues or trains a run."""
        return run_id in self._active or run_id in self._line

    def _is_busy(self, run_id: str) -> bool:
        """Whether any server queues or trains a run."""
        note = self.store.read(run_id)
        return self._is_going(run_id) or (note is not None and self._goes_elsewhere(run_id, note))

    def _goes_elsewhere(self, run_id: str, note: Note) -> bool:
        """Whether another server queues or trains a run, or is about to."""
        if note.state not in GOING or not self.store.ownership.has_made(run_id):
            return False
        # whoever keeps the folder queues it again at its next look
        is_orphan = note.state == "queued" and (self.is_keeper or self.store.is_writable())
        return is_orphan or self._servers.has_other(note.server)

    def _wait(self, place: int) -> float | None:
        """Return about how long the run at a place of the queue waits, which counts from 0."""
        total = 0.0
        for run_id in self._active:
            if (note := self.store.read(run_id)) is None:  # somebody deleted its folder
                continue
            run = self._run_of(run_id, note)
            left = run.seconds_left if run.seconds_left is not None else run.estimate
            if left is None:
                return None
            total += min(left, self.limits.seconds_while_others_wait)
        for run_id in list(self._line)[:place]:
            note = self.store.read(run_id)
            if note is None or note.estimate is None:
                return None
            total += min(note.estimate, self.limits.seconds_while_others_wait)
        return total / self.limits.runs_at_once

    def _now(self) -> float:
        return self._clock.now()
