"""Starts, queues, pauses, stops and resumes the training runs of all visitors of one server.

A run trains in a process of its own kind (``vit_core.worker``), never in the one that serves the
pages. What a run is and how it stands is in its directory; the manager only remembers what is going
on now. After a restart of the server it queues again what had waited, and what was training is
"interrupted" and can be resumed.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, RLock, Thread, Timer

from explainer.runs.crew import Crew
from explainer.runs.housekeeping import clear_old, has_room, over_time, take_root
from explainer.runs.limits import Limits, Refused
from explainer.runs.process import WorkerProcess
from explainer.runs.run import GOING, Run, RunRequest
from explainer.runs.store import Note, RunStore, hashed
from explainer.runs.wording import SAID, title_of
from vit_core.config import TrainConfig, ViTConfig
from vit_core.data import mnist_info
from vit_core.history import RunHistory
from vit_core.run import RunConfig, RunDirectory
from vit_core.speed import Speed
from vit_core.train_command import command_line

GRACE = 0.7  # seconds from the order to stop until the process is ended
LOOK = 1.0  # seconds between two looks at what exceeds its time
CLEAN = 60  # looks between two clean-ups
TOUCH = 600.0  # seconds between two notes on the disk that somebody looks at a run
RECORDED = Path(__file__).parents[1] / "recorded_runs"
RECORDED_ID = "recorded-"


@dataclass(frozen=True)
class Estimate:
    """How long a run takes, in seconds, and how many images it trains on in one of them."""

    seconds: float
    images_per_second: float


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


class Manager:
    """All runs of one server; its methods may be called from any thread.

    Those that change a run take the visitor's secret, and raise ``Refused`` with a sentence for a
    run that is not theirs, that there is not, or that is in another state.
    """

    def __init__(
        self,
        root: Path,
        limits: Limits,
        start_process: Callable[..., WorkerProcess] = WorkerProcess,
        recorded: Path = RECORDED,
    ) -> None:
        """Take over a folder of runs, which is made when the first run begins."""
        self.limits, self.store = limits, RunStore(root)
        self._lock = RLock()
        self._queue: list[str] = []
        self._active: dict[str, Active] = {}
        self._crew = Crew(limits, self._lock, self._ended, start_process)
        self._recorded = [
            Run(
                id=f"{RECORDED_ID}{path.parent.name}",
                history=RunHistory(path.parent),
                status="recorded",
                title=path.parent.name,
            )
            for path in sorted(recorded.glob("*/config.json"))
        ]
        self._looked: dict[str, float] = {}
        # a jump of the clock changes no run's age
        self._clock = time.time() - time.monotonic()
        self._closed = Event()
        self._root_lock = take_root(root)
        if self.is_keeper:
            self._take_over()
        Thread(target=self._keep_house, daemon=True).start()

    @property
    def is_keeper(self) -> bool:
        """Whether no other server has this folder; only its keeper queues and clears old runs."""
        return self._root_lock is not None

    def start(self, visitor: str, request: RunRequest) -> Run:
        """Begin a run, or put it at the end of the queue.

        Raises:
            Refused: the run is too large, the visitor has one already, the queue or the disk is
                full.
        """
        model, train, threads = request.model, request.train, self.limits.threads
        self.check(model, train)
        config = RunConfig(
            preset=request.preset,
            model=model,
            train=train,
            threads=threads,
            data=mnist_info().fingerprint,
            command=command_line(request.preset, model, train, threads),
        )
        with self._lock:
            self._check_free(visitor)
            if not has_room(self.store, self.limits, self._now(), self._is_going):
                raise Refused(SAID["no_room"])
            run_id = self.store.new_id()
            note = Note(
                owner=hashed(visitor),
                state="queued",
                said="",
                title=title_of(request),
                created=self._now(),
                estimate=known.seconds if (known := self._known(model, train)) else None,
            )
            try:
                RunDirectory.create(self.store.folder(run_id), config).close()
                self.store.write(run_id, note)
            except OSError as error:
                self.store.delete(run_id)
                raise Refused(SAID["no_disk"].format(why=error.strerror or error)) from None
            self._queue.append(run_id)
            self._dispatch()
            return self._get(run_id)

    def pause(self, visitor: str, run_id: str) -> None:
        """Hold a run between two of its steps."""
        with self._lock:
            active = self._own_active(visitor, run_id)
            if active.paused_at is None:
                active.paused_at = time.monotonic()
                active.process.order(do="pause")
                self.store.change(run_id, state="paused")

    def go_on(self, visitor: str, run_id: str) -> None:
        """Let a paused run go on."""
        with self._lock:
            active = self._own_active(visitor, run_id)
            if active.paused_at is not None:
                active.paused_at = None
                active.process.order(do="go on")
                self.store.change(run_id, state="running")

    def stop(self, visitor: str, run_id: str) -> None:
        """End a run, or take it out of the queue; its whole epochs stay, and it can be resumed."""
        with self._lock:
            self._own(visitor, run_id)
            if run_id in self._queue:
                self._queue.remove(run_id)
                self.store.change(run_id, state="stopped", said=SAID["left_queue"])
            else:
                self._own_active(visitor, run_id)
                self._stop(run_id, SAID["stopped"])

    def resume(self, visitor: str, run_id: str) -> Run:
        """Let a run that ended before its end go on after its last whole epoch."""
        with self._lock:
            self._own(visitor, run_id)
            if not self._get(run_id).can_resume:
                raise Refused(SAID["not_resumable"])
            self._check_free(visitor)
            self.store.change(run_id, state="queued", said="")
            self._queue.append(run_id)
            self._dispatch()
            return self._get(run_id)

    def delete(self, visitor: str, run_id: str) -> None:
        """Remove a run that is not under way, with its models."""
        with self._lock:
            self._own(visitor, run_id)
            if self._is_going(run_id):
                raise Refused(SAID["still_going"])
            self.store.delete(run_id)

    def find(self, run_id: str) -> Run | None:
        """Return a run by its id, which whoever has it was given; None if there is none."""
        if run_id.startswith(RECORDED_ID):
            return next((run for run in self._recorded if run.id == run_id), None)
        with self._lock:
            if self.store.read(run_id) is None:
                return None
            now = time.monotonic()
            if now - self._looked.get(run_id, -math.inf) > TOUCH:
                self._looked[run_id] = now
                self.store.touch(run_id, self._now())
            return self._get(run_id)

    def runs_of(self, visitor: str) -> list[Run]:
        """Return a visitor's runs, the newest first."""
        owner = hashed(visitor)
        with self._lock:
            runs = [self._get(run_id) for run_id in self.store.of(owner)]
        return sorted(runs, key=lambda run: run.created, reverse=True)

    def active_of(self, visitor: str) -> Run | None:
        """Return the run of a visitor that waits or trains, if there is one."""
        owner = hashed(visitor)
        with self._lock:
            for run_id in (*self._active, *self._queue):
                note = self.store.read(run_id)
                if note and note.owner == owner:
                    return self._get(run_id)
        return None

    def recorded(self) -> list[Run]:
        """Return the runs that the app brings along, in the order of their names."""
        return list(self._recorded)

    def estimate(self, model: ViTConfig, train: TrainConfig) -> Estimate | None:
        """Return how long a run takes, measured on this machine; None until that is done.

        It is measured by a process that has nothing else to do, so that no run waits for it.
        """
        with self._lock:
            self._crew.want(settings(model, train))
            return self._known(model, train)

    def check(self, model: ViTConfig, train: TrainConfig) -> None:
        """Refuse a run that this server cannot take, as far as anybody knows yet.

        Raises:
            Refused: it is beyond a limit, or needed too much memory when it was tried.
        """
        self.limits.check(model, train)
        with self._lock:
            speed = self._crew.speed(settings(model, train))
        if isinstance(speed, str):
            raise Refused(speed)

    def process_of(self, run_id: str) -> int:
        """Return the process id that trains a run.

        Raises:
            Refused: none does.
        """
        with self._lock:
            if run_id not in self._active:
                raise Refused(SAID["not_going"])
            return self._active[run_id].process.pid

    def warm_up(self) -> None:
        """Start the processes that runs will need, so that a start is felt at once."""
        with self._lock:
            self._crew.warm_up()

    def close(self) -> None:
        """End all processes; what trains is interrupted."""
        self._closed.set()
        with self._lock:
            self._crew.close()
            if self._root_lock is not None:
                self._root_lock.release()
                self._root_lock = None

    # how a run stands

    def _get(self, run_id: str) -> Run:
        note = self.store.read(run_id)
        if note is None:
            raise Refused(SAID["no_run"])
        state, said = note.state, note.said
        if self.is_keeper and state in GOING and not self._is_going(run_id):
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
        if run_id not in self._queue:
            return run
        place = self._queue.index(run_id)
        return replace(run, place=place + 1, wait_seconds=self._wait(place))

    def _wait(self, place: int) -> float | None:
        """Return about how long the run at a place of the queue waits, which counts from 0."""
        total = 0.0
        for run_id in self._active:
            run = self._get(run_id)
            left = run.seconds_left if run.seconds_left is not None else run.estimate
            if left is None:
                return None
            total += min(left, self.limits.seconds_while_others_wait)
        for run_id in self._queue[:place]:
            note = self.store.read(run_id)
            if note is None or note.estimate is None:
                return None
            total += min(note.estimate, self.limits.seconds_while_others_wait)
        return total / self.limits.runs_at_once

    def _is_going(self, run_id: str) -> bool:
        return run_id in self._active or run_id in self._queue

    def _own(self, visitor: str, run_id: str) -> None:
        note = self.store.read(run_id)
        if note is None:
            raise Refused(SAID["no_run"])
        if note.owner != hashed(visitor):
            raise Refused(SAID["not_yours"])

    def _own_active(self, visitor: str, run_id: str) -> Active:
        self._own(visitor, run_id)
        if run_id not in self._active:
            raise Refused(SAID["not_going"])
        return self._active[run_id]

    def _check_free(self, visitor: str) -> None:
        if self.active_of(visitor):
            raise Refused(SAID["one_already"])
        if len(self._queue) >= self.limits.queue:
            raise Refused(SAID["queue_full"].format(most=self.limits.queue))

    def _known(self, model: ViTConfig, train: TrainConfig) -> Estimate | None:
        speed = self._crew.speed(settings(model, train))
        if not isinstance(speed, Speed):
            return None
        return Estimate(speed.seconds(train.epochs), speed.images_per_second)

    def _now(self) -> float:
        return self._clock + time.monotonic()

    # what goes on

    def _dispatch(self) -> None:
        """Give runs that wait to processes that are free."""
        while self._queue and len(self._active) < self.limits.runs_at_once:
            run_id = self._queue.pop(0)
            folder = self.store.folder(run_id)
            process = self._crew.train(run_id, str(folder.resolve()))
            if process:
                began = self.store.history(run_id).seconds
                self._active[run_id] = Active(process, began)
                self.store.change(run_id, state="running", said="")
            else:
                self.store.change(run_id, state="failed", said=SAID["no_process"])

    def _ended(self, run_id: str, state: str, said: str) -> None:
        """Note how a run ended, and let the next one begin."""
        active = self._active.pop(run_id, None)
        if active and active.stop_said and state != "finished":
            state, said = "stopped", active.stop_said
        self.store.change(run_id, state=state, said=said)
        self._dispatch()

    def _stop(self, run_id: str, said: str) -> None:
        """Tell a run to stop; one that does not hear loses its process."""
        active = self._active[run_id]
        if active.stop_said is None:
            active.stop_said = said
            active.process.order(do="stop")
            timer = Timer(GRACE, self._end, (run_id, active))
            timer.daemon = True
            timer.start()

    def _end(self, run_id: str, active: Active) -> None:
        with self._lock:
            if self._active.get(run_id) is active:
                active.process.kill()

    def _take_over(self) -> None:
        """Queue again what waited when the last server stopped, and note what was interrupted."""
        notes = {run_id: self.store.read(run_id) for run_id in self.store.ids()}
        for run_id, note in sorted(
            notes.items(), key=lambda item: item[1].created if item[1] else 0
        ):
            if note and note.state == "queued":
                self._queue.append(run_id)
            elif note and note.state in GOING:
                self.store.change(run_id, state="interrupted", said=SAID["server_stopped"])
        self._dispatch()

    def _keep_house(self) -> None:
        looks = 0
        while not self._closed.wait(LOOK):
            with self._lock:
                self._stop_what_is_over_time()
                self._crew.end_idle()
                if self.is_keeper and looks % CLEAN == 0:
                    clear_old(self.store, self.limits, self._now(), self._is_going)
            looks += 1

    def _stop_what_is_over_time(self) -> None:
        for run_id, active in self._active.items():
            trained = self.store.history(run_id).seconds - active.began
            paused = time.monotonic() - active.paused_at if active.paused_at is not None else 0.0
            if said := over_time(self.limits, trained, paused, others_wait=bool(self._queue)):
                self._stop(run_id, said)


def settings(model: ViTConfig, train: TrainConfig) -> tuple[ViTConfig, TrainConfig]:
    """Return what the speed of a run depends on, the same for all lengths and seeds."""
    return model, replace(train, epochs=1, seed=0)
