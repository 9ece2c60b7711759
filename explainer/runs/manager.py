"""Starts, queues, pauses, stops and resumes the training runs of all visitors of one server.

A run trains in a process of its own kind (``vit_core.worker``), never in the one that serves the
pages. What a run is and how it stands is in its directory; the manager only remembers what is going
on now. After a restart of the server, what had waited waits again, and what was training is
"interrupted" and can be resumed. Several servers may share a folder: one of them keeps it, that is,
clears old runs and takes over what a server that ended has left; when it ends, another keeps it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Thread, Timer

from explainer.runs.crew import Crew
from explainer.runs.housekeeping import (
    clear_half_made,
    clear_old,
    clear_temporary,
    has_room,
    make_room_for_upload,
    over_time,
    take_root,
)
from explainer.runs.limits import Limits, Refused
from explainer.runs.line import PATIENCE
from explainer.runs.process import WorkerProcess
from explainer.runs.run import GOING, Run, RunRequest
from explainer.runs.run_folder import InUseError
from explainer.runs.standing import Active, Standing
from explainer.runs.store import Note, hashed
from explainer.runs.wording import SAID, title_of
from vit_core.config import TrainConfig, ViTConfig
from vit_core.data import mnist_info
from vit_core.locks import Lock, take
from vit_core.run import RunConfig, RunDirectory, RunError
from vit_core.speed import Speed
from vit_core.train_command import command_line

GRACE = 0.7  # seconds from the order to stop until the process is ended
LOOK = 1.0  # seconds between two looks at what exceeds its time
CLEAN = 60  # looks between two clean-ups
UPLOAD_IN_USE = 120.0  # seconds for which an upload that somebody looked at stays
RECORDED = Path(__file__).parents[1] / "recorded_runs"


@dataclass(frozen=True)
class Estimate:
    """How long a run takes, in seconds, and how many images it trains on in one of them."""

    seconds: float
    images_per_second: float


class Manager(Standing):
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
        """Take over a folder of runs, or wait until the server that keeps it ends."""
        super().__init__(root, limits, recorded)
        self._crew = Crew(limits, self._lock, self._ended, start_process)
        self._root_lock: Lock | None = None
        self._half_made: set[str] = set()
        self._arriving = 0  # bytes of the uploads that are being written
        self._closed = Event()
        self.store.ownership.claim_new()
        self._keep_folder()
        Thread(target=self._keep_house, daemon=True).start()

    @property
    def is_keeper(self) -> bool:
        """Whether no other server has this folder; only its keeper clears old runs."""
        return self._root_lock is not None

    def trouble(self) -> str:
        """Return why no run can be kept here, one sentence; empty while nothing is known."""
        return self.store.trouble()

    def start(self, visitor: str, request: RunRequest, address: str | None = None) -> Run:
        """Begin a run, or put it at the end of the queue.

        Args:
            address: of the visitor's computer, as far as it is known; it is not written down.

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
            self._check_free(visitor, address)
            if not has_room(self.store, self.limits, self._now(), self._is_busy):
                raise Refused(SAID["no_room"])
            run_id = ""
            try:
                run_id = self.store.new_id()
                note = Note(
                    owner=hashed(visitor),
                    state="queued",
                    said="",
                    title=title_of(request),
                    created=time.time(),
                    estimate=known.seconds if (known := self._known(model, train)) else None,
                    server=self._servers.join(),
                )
                RunDirectory.create(self.store.folder(run_id), config).close()
                self.store.write(run_id, note)
            except (OSError, RunError) as error:
                with suppress(OSError):
                    self.store.delete(run_id)
                raise Refused(SAID["no_disk"].format(why=reason(error))) from None
            self._line.add(run_id, note.owner, address)
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
            if run_id in self._line:
                self._leave_line(run_id, SAID["left_queue"])
            else:
                self._own_active(visitor, run_id)
                self._stop(run_id, SAID["stopped"])

    def resume(self, visitor: str, run_id: str, address: str | None = None) -> Run:
        """Let a run that ended before its end go on after its last whole epoch."""
        with self._lock:
            self._own(visitor, run_id)
            if not self._get(run_id).can_resume:
                raise Refused(SAID["not_resumable"])
            self._check_free(visitor, address)
            with self._locked(run_id):  # no other server changes it meanwhile
                if not self._get(run_id).can_resume:
                    raise Refused(SAID["not_resumable"])
                server = self._servers.join()
                self.store.change(run_id, state="queued", said="", server=server)
            self._line.add(run_id, hashed(visitor), address)
            self._dispatch()
            return self._get(run_id)

    @contextmanager
    def _locked(self, run_id: str) -> Iterator[None]:
        """Hold a run's own lock.

        Raises:
            Refused: another process has it, or the folder cannot be written.
        """
        try:
            lock = take(self.store.folder(run_id))
        except OSError as error:
            raise Refused(SAID["no_change"].format(why=reason(error))) from None
        if lock is None:
            raise Refused(SAID["elsewhere"])
        try:
            with lock:
                yield
        except OSError as error:
            raise Refused(SAID["no_change"].format(why=reason(error))) from None

    def delete(self, visitor: str, run_id: str) -> None:
        """Remove a run that is not under way, with its models.

        Raises:
            Refused: also where the folder cannot be written, or files of others are in it.
        """
        with self._lock:
            self._own(visitor, run_id)
            if self._get(run_id).is_going:
                raise Refused(SAID["still_going"])
            try:
                stays = self.store.delete(run_id)
            except InUseError:
                raise Refused(SAID["elsewhere"]) from None
            except OSError as error:
                raise Refused(SAID["no_delete"].format(why=reason(error))) from None
        if stays:
            raise Refused(SAID["some_stay"].format(count=len(stays)))

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

    @contextmanager
    def room_for_upload(self, size: int) -> Iterator[None]:
        """Keep so many bytes free while an uploaded model is written.

        Raises:
            Refused: the uploads that are in use take all space that uploads may take.
        """
        with self._lock:
            needed = self._arriving + size
            if not make_room_for_upload(self.store, self.limits, needed, self._is_in_use):
                raise Refused(SAID["no_room_for_upload"])
            self._arriving += size
        try:
            yield
        finally:
            with self._lock:
                self._arriving -= size

    def close(self) -> None:
        """End all processes; what trains is interrupted, and other servers may take over."""
        self._closed.set()
        with self._lock:
            self._crew.close()
            self.store.write_late()
            self._servers.leave()
            if self._root_lock is not None:
                self._root_lock.release()
                self._root_lock = None

    # who may do what

    def _own(self, visitor: str, run_id: str) -> None:
        if self._note(run_id).owner != hashed(visitor):
            raise Refused(SAID["not_yours"])
        if not self.store.is_changeable(run_id):
            raise Refused(SAID["not_made_here"])

    def _own_active(self, visitor: str, run_id: str) -> Active:
        self._own(visitor, run_id)
        if run_id not in self._active:
            is_elsewhere = self._get(run_id).is_going
            raise Refused(SAID["elsewhere" if is_elsewhere else "not_going"])
        return self._active[run_id]

    def _check_free(self, visitor: str, address: str | None) -> None:
        if self.active_of(visitor):
            raise Refused(SAID["one_already"])
        most = max(1, self.limits.queue // 2)
        if address and self._line.count_from(address) >= most:
            self._end_unwatched(address)
            if self._line.count_from(address) >= most:
                raise Refused(SAID["queue_full_for_address"].format(most=most))
        if len(self._line) >= self.limits.queue:
            self._end_unwatched()
        if len(self._line) >= self.limits.queue:
            raise Refused(SAID["queue_full"].format(most=self.limits.queue))

    def _end_unwatched(self, address: str | None = None) -> None:
        """End the waiting run that nobody has looked at for the longest time."""
        for run_id in self._line.unwatched(address)[:1]:
            self._leave_line(run_id, SAID["nobody_looked"])

    def _known(self, model: ViTConfig, train: TrainConfig) -> Estimate | None:
        speed = self._crew.speed(settings(model, train))
        if not isinstance(speed, Speed):
            return None
        return Estimate(speed.seconds(train.epochs), speed.images_per_second)

    def _is_in_use(self, run_id: str) -> bool:
        """Whether somebody looks at a run, or did a moment ago."""
        note = self.store.read(run_id)
        looked = self._looked.get(run_id)
        return (
            self._now() - self.store.used(run_id) < UPLOAD_IN_USE
            or (looked is not None and time.monotonic() - looked < UPLOAD_IN_USE)
            or (note is not None and self.is_here(note.owner))
        )

    # what goes on

    def _leave_line(self, run_id: str, said: str) -> None:
        self._line.remove(run_id)
        self.store.change(run_id, state="stopped", said=said)

    def _dispatch(self) -> None:
        """Give runs that wait to processes that are free."""
        while len(self._line) and len(self._active) < self.limits.runs_at_once:
            run_id = self._line.take()
            if self.store.read(run_id) is None:  # somebody deleted its folder
                continue
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

    def _keep_folder(self) -> None:
        """Become the folder's keeper if it has none, and take over what was left in it."""
        with self._lock:
            if self._root_lock is not None and not self._root_lock.is_in_place():
                self._root_lock.release()  # the folder was deleted, or moved away
                self._root_lock = None
            if not self.is_keeper and not self._closed.is_set():
                self._root_lock = take_root(self.store.root)
                if self.is_keeper:
                    self._take_over()

    def _take_over(self) -> None:
        """Queue again what waited on a server that ended, and note what was interrupted."""
        notes = {run_id: note for run_id in self.store.made() if (note := self.store.read(run_id))}
        for run_id, note in sorted(notes.items(), key=lambda item: item[1].created):
            if (
                note.state not in GOING
                or self._is_going(run_id)
                or self._servers.is_alive(note.server)
            ):
                continue
            if note.state == "queued":
                with suppress(OSError):
                    self.store.change(run_id, server=self._servers.join())
                    self._line.add(run_id, note.owner)
            else:
                said = SAID["server_stopped"]
                self.store.change(run_id, state="interrupted", said=said)
        self._dispatch()

    def _keep_house(self) -> None:
        looks = 0
        while not self._closed.wait(LOOK):
            self._look(is_cleaning=looks % CLEAN == 0)
            looks += 1

    def _look(self, is_cleaning: bool) -> None:
        """Do what has become due."""
        self._keep_folder()
        with self._lock:
            if self._closed.is_set():
                return
            self.store.write_late()
            self._stop_what_is_over_time()
            for run_id in self._line.lapsed():
                self._leave_line(run_id, SAID["nobody_looked"])
            self._crew.end_idle()
            if is_cleaning:
                self.store.let_go()
                if self.is_keeper:
                    self._clean()

    def _clean(self) -> None:
        self._clock.save()
        self._take_over()
        clear_old(self.store, self.limits, self._now(), self._is_busy)
        clear_temporary(self.store, self._is_busy)
        self._half_made = clear_half_made(self.store, self._half_made)
        limit = time.monotonic() - PATIENCE - UPLOAD_IN_USE
        self._looked = {one: at for one, at in self._looked.items() if at > limit}

    def _stop_what_is_over_time(self) -> None:
        for run_id, active in list(self._active.items()):
            trained = self.store.history(run_id).seconds - active.began
            paused = time.monotonic() - active.paused_at if active.paused_at is not None else 0.0
            if said := over_time(self.limits, trained, paused, others_wait=bool(self._line)):
                self._stop(run_id, said)


def settings(model: ViTConfig, train: TrainConfig) -> tuple[ViTConfig, TrainConfig]:
    """Return what the speed of a run depends on, the same for all lengths and seeds."""
    return model, replace(train, epochs=1, seed=0)


def reason(error: Exception) -> str:
    """Return why a folder cannot be used, without naming folders of the server."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
