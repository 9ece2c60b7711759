"""What happens to runs without a visitor's request: they start, exceed limits, and are taken over.

Several servers may share a folder of runs. One of them is its keeper: it clears old runs, and it
takes over the runs of servers that have ended. When the keeper ends, another server replaces it.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread, Timer

from explainer.training.admission import UPLOAD_IN_USE_SECONDS, Admission
from explainer.training.housekeeping import (
    clear_half_made,
    clear_old,
    clear_temporary,
    over_time,
    take_root,
)
from explainer.training.limits import Limits
from explainer.training.queue import UNWATCHED_SECONDS
from explainer.training.run import ACTIVE_STATES
from explainer.training.run_queries import Running
from explainer.training.wording import MESSAGES
from explainer.training.worker_process import WorkerProcess
from vit_core.storage.locks import Lock

STOP_GRACE_SECONDS = 0.7  # from the command to stop until the process is killed
CHECK_SECONDS = 1.0  # between two checks of what has become due
CHECKS_PER_CLEANUP = 60


class Scheduler(Admission):
    """Starts waiting runs when a process is free, and stops or clears runs that exceed a limit."""

    def __init__(
        self,
        root: Path,
        limits: Limits,
        recorded: Path,
        start_process: Callable[..., WorkerProcess],
    ) -> None:
        """Become the folder's keeper, or wait until the server that keeps it ends."""
        super().__init__(root, limits, recorded, start_process)
        self._root_lock: Lock | None = None
        self._half_made: set[str] = set()
        self._closed = Event()
        self.store.ownership.claim_new()
        self._become_keeper()
        Thread(target=self._check_periodically, daemon=True).start()

    @property
    def is_keeper(self) -> bool:
        """Whether this server is the folder's keeper, which alone clears old runs."""
        return self._root_lock is not None

    def close(self) -> None:
        """End all processes. Runs in training are interrupted; other servers may take over."""
        self._closed.set()
        with self._lock:
            self._workers.close()
            self.store.write_late()
            self._servers.leave()
            if self._root_lock is not None:
                self._root_lock.release()
                self._root_lock = None

    def _dispatch(self) -> None:
        """Give waiting runs to free processes."""
        while len(self._queue) and len(self._running) < self.limits.runs_at_once:
            run_id = self._queue.take()
            if self.store.read(run_id) is None:  # somebody deleted its folder
                continue
            folder = self.store.folder(run_id)
            process = self._workers.train(run_id, str(folder.resolve()))
            if process:
                self._running[run_id] = Running(process, self.store.history(run_id).seconds)
                self.store.change(run_id, state="running", message="")
            else:
                self.store.change(run_id, state="failed", message=MESSAGES["no_process"])

    def _on_ended(self, run_id: str, state: str, message: str) -> None:
        """Record how a run ended, and let the next one start."""
        running = self._running.pop(run_id, None)
        if running and running.stop_message and state != "finished":
            state, message = "stopped", running.stop_message
        self.store.change(run_id, state=state, message=message)
        self._dispatch()

    def _stop(self, run_id: str, message: str) -> None:
        """Tell a run to stop; if it does not, its process is killed a moment later."""
        running = self._running[run_id]
        if running.stop_message is None:
            running.stop_message = message
            running.process.send(do="stop")
            timer = Timer(STOP_GRACE_SECONDS, self._kill, (run_id, running))
            timer.daemon = True
            timer.start()

    def _kill(self, run_id: str, running: Running) -> None:
        with self._lock:
            if self._running.get(run_id) is running:
                self._workers.kill(running.process)

    def _become_keeper(self) -> None:
        """Become the folder's keeper if it has none, and take over abandoned runs."""
        with self._lock:
            if self._root_lock is not None and not self._root_lock.is_in_place():
                self._root_lock.release()  # the folder was deleted, or moved away
                self._root_lock = None
            if not self.is_keeper and not self._closed.is_set():
                self._root_lock = take_root(self.store.root)
                if self.is_keeper:
                    self._take_over()

    def _take_over(self) -> None:
        """Queue the runs that waited on a server that has ended, and mark its others interrupted.

        A run is "interrupted" when its note says that it trains or pauses, and the server that the
        note names has ended. Its visitor can resume it.
        """
        notes = {
            run_id: note for run_id in self.store.made_ids() if (note := self.store.read(run_id))
        }
        for run_id, note in sorted(notes.items(), key=lambda item: item[1].created):
            if (
                note.state not in ACTIVE_STATES
                or self._is_active_here(run_id)
                or self._servers.has_other(note.server)
            ):
                continue
            if note.state == "queued":
                with suppress(OSError):
                    self.store.change(run_id, server=self._servers.join())
                    self._queue.add(run_id, note.owner)
            else:
                message = MESSAGES["server_stopped"]
                self.store.change(run_id, state="interrupted", message=message)
        self._dispatch()

    def _check_periodically(self) -> None:
        checks = 0
        while not self._closed.wait(CHECK_SECONDS):
            self._do_due_work(is_cleanup=checks % CHECKS_PER_CLEANUP == 0)
            checks += 1

    def _do_due_work(self, is_cleanup: bool) -> None:
        """Do what has become due since the last check.

        Args:
            is_cleanup: whether old runs and forgotten files are cleared as well.
        """
        self._become_keeper()
        with self._lock:
            if self._closed.is_set():
                return
            self.store.write_late()
            self._stop_over_time()
            for run_id in self._queue.expired():
                self._leave_queue(run_id, MESSAGES["nobody_looked"])
            self._workers.end_idle()
            if is_cleanup:
                self.store.drop_unused()
                if self.is_keeper:
                    self._clean_up()

    def _clean_up(self) -> None:
        self._clock.save()
        self._take_over()
        clear_old(self.store, self.limits, self._now(), self._is_active)
        clear_temporary(self.store, self._is_active)
        self._half_made = clear_half_made(self.store, self._half_made)
        limit = time.monotonic() - UNWATCHED_SECONDS - UPLOAD_IN_USE_SECONDS
        self._viewed = {run_id: at for run_id, at in self._viewed.items() if at > limit}

    def _stop_over_time(self) -> None:
        """Stop the runs that train or pause for longer than the limits allow."""
        for run_id, running in list(self._running.items()):
            trained = self.store.history(run_id).seconds - running.seconds_before
            paused = time.monotonic() - running.paused_at if running.paused_at is not None else 0.0
            if message := over_time(self.limits, trained, paused, others_wait=bool(self._queue)):
                self._stop(run_id, message)
