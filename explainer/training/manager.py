"""What visitors may do with runs: start, pause, stop, resume and delete them.

A run trains in a worker process (``vit_core.worker``), never in the process that serves the pages.
Its folder holds its settings, its results and a note with its state; the manager remembers only
which runs wait or train now. After a restart of the server, the runs that waited are queued again,
and those that trained are "interrupted" and can be resumed. Several servers may share a folder:
each run that waits or trains has a lease, which says whose it is (see ``lease``).
"""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from explainer import measuring
from explainer.training.admission import reason
from explainer.training.command import CHECKPOINT
from explainer.training.housekeeping import has_room
from explainer.training.limits import Limits, RefusedError
from explainer.training.recorded import FOLDER as RECORDED
from explainer.training.run import Run, RunRequest
from explainer.training.run_folder import InUseError
from explainer.training.scheduler import Scheduler
from explainer.training.store import Note, hashed
from explainer.training.wording import MESSAGES, title_of
from explainer.training.worker_process import WorkerProcess
from vit_core.checkpoint import is_shipped
from vit_core.data import mnist_info
from vit_core.data.kept import KEPT, save_images
from vit_core.runs.command import command_line
from vit_core.runs.directory import RunConfig, RunDirectory


def fingerprint_of(request: RunRequest) -> str:
    """Return the hash of a request's data; empty where only its worker will have read them."""
    if request.images is not None:
        return request.images.info.fingerprint
    return mnist_info().fingerprint if request.dataset == "mnist" else ""


class Manager(Scheduler):
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
        """Manage a folder of runs, which is created when it is needed.

        Args:
            recorded: the folder of the runs that come with the app.
        """
        super().__init__(root, limits, recorded, start_process)

    def start(self, visitor: str, request: RunRequest, address: str | None = None) -> Run:
        """Start a run, or put it at the end of the queue.

        Args:
            address: of the visitor's computer, if it is known; it is not written to the disk.

        Raises:
            RefusedError: the run is too large, the visitor has one already, or the queue or the
                disk is full.
        """
        model, train, threads = request.model, request.train, self.limits.threads
        if (request.dataset == KEPT) != (request.images is not None):
            raise ValueError("images and the data set KEPT belong together")
        counts = request.counts
        self.check(model, train, request.images, counts)
        images, val_images, test_images = counts
        config = RunConfig(
            preset=request.preset,
            model=model,
            train=train,
            threads=threads,
            data=fingerprint_of(request),
            command=command_line(
                request.preset,
                model,
                train,
                threads,
                dataset=request.dataset,
                limit_per_class=request.limit_per_class,
                # a file of the server is nobody's business
                init=request.init if is_shipped(request.init) else CHECKPOINT,
            ),
            dataset=request.dataset,
            images=images,
            val_images=val_images,
            test_images=test_images,
            limit_per_class=request.limit_per_class,
            init=request.init,
            takes_pictures=request.dataset != "mnist",
        )
        with self._lock:
            self._check_may_start(visitor, address)
            if not has_room(self.store, self.limits, self._now(), self._is_active):
                raise RefusedError(MESSAGES["no_room"], "disk")
            run_id = ""
            try:
                run_id = self.store.new_id()
                estimate = self._known_estimate(model, train, counts)
                note = Note(
                    owner=hashed(visitor),
                    state="queued",
                    message="",
                    title=title_of(request),
                    created=time.time(),
                    estimate=estimate.seconds if estimate else None,
                    server=self._servers.join(),
                )
                run = RunDirectory.create(self.store.folder(run_id), config)
                try:
                    if request.images is not None:
                        save_images(run.path, request.images)
                    if not self._leases.take(run_id):
                        raise OSError(MESSAGES["reason_unreadable"].format(name="lease"))
                finally:
                    run.close()
                self.store.write(run_id, note)
                measuring.happened("run", "queued")
                self._first_points.press(run_id)
            except (OSError, ValueError) as error:
                self._leases.release(run_id)
                with suppress(OSError):
                    self.store.delete(run_id)
                raise RefusedError(MESSAGES["no_disk"].format(why=reason(error)), "disk") from None
            self._queue.add(run_id, note.owner, address)
            self._dispatch()
            return self._get(run_id)

    def pause(self, visitor: str, run_id: str) -> None:
        """Pause a run after its current step; a run of another server within some seconds."""
        with self._lock:
            if not self._has_sent(visitor, run_id, "pause"):
                self._obey(run_id, "pause")

    def unpause(self, visitor: str, run_id: str) -> None:
        """Let a paused run continue."""
        with self._lock:
            if not self._has_sent(visitor, run_id, "unpause"):
                self._obey(run_id, "unpause")

    def stop(self, visitor: str, run_id: str) -> None:
        """Stop a run, or remove it from the queue. Its whole epochs stay, and it can be resumed."""
        with self._lock:
            if not self._has_sent(visitor, run_id, "stop"):
                self._obey(run_id, "stop")

    def resume(self, visitor: str, run_id: str, address: str | None = None) -> Run:
        """Let a run that ended early continue after its last whole epoch."""
        with self._lock:
            self._check_owner(visitor, run_id)
            if not self._get(run_id).can_resume:
                raise RefusedError(MESSAGES["not_resumable"], "not_now")
            self._check_may_start(visitor, address)
            with self._run_lock(run_id):  # another server must not change it meanwhile
                server = self._servers.join()
                if not self._leases.take(run_id):
                    raise RefusedError(MESSAGES["elsewhere"], "not_now")
                self.store.reread(run_id)
                if not self._get(run_id).can_resume:
                    self._leases.release(run_id)
                    raise RefusedError(MESSAGES["not_resumable"], "not_now")
                self.store.change(run_id, state="queued", message="", server=server)
            self._queue.add(run_id, hashed(visitor), address)
            self._dispatch()
            return self._get(run_id)

    def delete(self, visitor: str, run_id: str) -> None:
        """Delete a run that neither waits nor trains, with its models.

        Raises:
            RefusedError: also if the folder cannot be written, or holds files of somebody else.
        """
        with self._lock:
            self._check_owner(visitor, run_id)
            if self._get(run_id).is_active:
                raise RefusedError(MESSAGES["still_going"], "not_now")
            self._leases.clear(run_id)
            self._leases.release(run_id)  # kept as long as the run's note could not be written
            try:
                remaining = self.store.delete(run_id)
            except InUseError:
                raise RefusedError(MESSAGES["elsewhere"], "not_now") from None
            except OSError as error:
                raise RefusedError(
                    MESSAGES["no_delete"].format(why=reason(error)), "disk"
                ) from None
        if remaining:
            raise RefusedError(MESSAGES["some_stay"].format(count=len(remaining)), "disk")
