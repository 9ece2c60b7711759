"""Starts, queues, pauses, stops and resumes the training runs of all visitors of one server.

A run trains in a process of its own kind (``vit_core.worker``), never in the one that serves the
pages. What a run is and how it stands is in its directory; the manager only remembers what is going
on now. After a restart of the server, what had waited waits again, and what was training is
"interrupted" and can be resumed. Several servers may share a folder: one of them keeps it, that is,
clears old runs and takes over what a server that ended has left; when it ends, another keeps it.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread, Timer

from explainer.training.admission import UPLOAD_IN_USE, Admission, reason
from explainer.training.housekeeping import (
    clear_half_made,
    clear_old,
    clear_temporary,
    has_room,
    over_time,
    take_root,
)
from explainer.training.limits import Limits, RefusedError
from explainer.training.queue import PATIENCE
from explainer.training.run import GOING, Run, RunRequest
from explainer.training.run_folder import InUseError
from explainer.training.standing import Active
from explainer.training.store import Note, hashed
from explainer.training.wording import SAID, title_of
from explainer.training.worker_process import WorkerProcess
from vit_core.data import mnist_info
from vit_core.runs.command import command_line
from vit_core.runs.directory import RunConfig, RunDirectory, RunError
from vit_core.storage.locks import Lock

GRACE = 0.7  # seconds from the order to stop until the process is ended
LOOK = 1.0  # seconds between two looks at what exceeds its time
CLEAN = 60  # looks between two clean-ups
RECORDED = Path(__file__).parent / "recorded_runs"


class Manager(Admission):
    """All runs of one server; its methods may be called from any thread.

    A method that changes a run takes the visitor's secret. It raises ``RefusedError`` if the run
    belongs to somebody else, does not exist, or is in a state that does not allow the change.
    """

    def __init__(
        self,
        root: Path,
        limits: Limits,
        start_process: Callable[..., WorkerProcess] = WorkerProcess,
        recorded: Path = RECORDED,
    ) -> None:
        """Take over a folder of runs, or wait until the server that keeps it ends."""
        super().__init__(root, limits, recorded, start_process)
        self._root_lock: Lock | None = None
        self._half_made: set[str] = set()
        self._closed = Event()
        self.store.ownership.claim_new()
        self._keep_folder()
        Thread(target=self._keep_house, daemon=True).start()

    @property
    def is_keeper(self) -> bool:
        """Whether no other server has this folder; only its keeper clears old runs."""
        return self._root_lock is not None

    def start(self, visitor: str, request: RunRequest, address: str | None = None) -> Run:
        """Begin a run, or put it at the end of the queue.

        Args:
            address: of the visitor's computer, as far as it is known; it is not written down.

        Raises:
            RefusedError: the run is too large, the visitor has one already, or the queue or the
                disk is full.
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
                raise RefusedError(SAID["no_room"])
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
                raise RefusedError(SAID["no_disk"].format(why=reason(error))) from None
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
                raise RefusedError(SAID["not_resumable"])
            self._check_free(visitor, address)
            with self._locked(run_id):  # no other server changes it meanwhile
                if not self._get(run_id).can_resume:
                    raise RefusedError(SAID["not_resumable"])
                server = self._servers.join()
                self.store.change(run_id, state="queued", said="", server=server)
            self._line.add(run_id, hashed(visitor), address)
            self._dispatch()
            return self._get(run_id)

    def delete(self, visitor: str, run_id: str) -> None:
        """Remove a run that is not under way, with its models.

        Raises:
            RefusedError: also where the folder cannot be written, or files of others are in it.
        """
        with self._lock:
            self._own(visitor, run_id)
            if self._get(run_id).is_going:
                raise RefusedError(SAID["still_going"])
            try:
                stays = self.store.delete(run_id)
            except InUseError:
                raise RefusedError(SAID["elsewhere"]) from None
            except OSError as error:
                raise RefusedError(SAID["no_delete"].format(why=reason(error))) from None
        if stays:
            raise RefusedError(SAID["some_stay"].format(count=len(stays)))

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

    # what goes on

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
                self._crew.kill(active.process)

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
                or self._servers.has_other(note.server)
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
