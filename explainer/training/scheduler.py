"""What happens to runs without a visitor's request: they start, exceed limits, and are taken over.

Several servers may share a folder of runs. Each run that waits or trains belongs to one of them, by
a lease. Any of them takes over the runs of a server that has ended, and clears old runs.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread, Timer

from explainer.measuring import happened
from explainer.training.admission import UPLOAD_IN_USE_SECONDS, Admission
from explainer.training.housekeeping import (
    NOT_TRAINED,
    clear_half_made,
    clear_old,
    clear_temporary,
    over_time,
    take_root,
)
from explainer.training.lease import BEATS, Holder
from explainer.training.limits import Limits
from explainer.training.note import Note
from explainer.training.orders import take_order
from explainer.training.queue import UNWATCHED_SECONDS
from explainer.training.run import ACTIVE_STATES
from explainer.training.run_queries import TOUCH_SECONDS, Running
from explainer.training.wording import MESSAGES
from explainer.training.worker_process import WorkerProcess

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
        """Take over what other servers left in the folder, and begin to look for it."""
        super().__init__(root, limits, recorded, start_process)
        self._half_made: set[str] = set()
        self._looked = float("-inf")  # for runs to take over, by the monotonic clock
        self._closed = Event()
        self.store.ownership.claim_new()
        with self._lock:
            self._take_over()
        for repeat in (self._check_periodically, self._beat_periodically):
            Thread(target=repeat, daemon=True).start()

    def close(self) -> None:
        """End all processes. Runs in training are interrupted; other servers may take over."""
        self._closed.set()
        with self._lock:
            self._workers.close()
            self.store.write_late(self._leases.holds)
            for run_id in self._leases.held:
                self._leases.release(run_id)
            self._servers.leave()

    def counts(self) -> tuple[int, int]:
        """Return how many runs wait, and how many a process trains."""
        with self._lock:
            return len(self._queue), len(self._running)

    def _dispatch(self) -> None:
        """Give waiting runs to free processes."""
        while len(self._queue) and len(self._running) < self.limits.runs_at_once:
            run_id = self._queue.take()
            if self.store.read(run_id) is None:  # somebody deleted its folder
                self._leases.release(run_id)
                continue
            if not self._leases.holds(run_id):
                self._lose(run_id)
                continue
            folder, fence = self.store.folder(run_id), self._leases.fence(run_id)
            process = self._workers.train(run_id, str(folder.resolve()), fence)
            if process:
                self._running[run_id] = Running(process, self.store.history(run_id).seconds)
                self._record(run_id, state="running", message="")
            else:
                self._on_no_process(run_id)

    def _on_no_process(self, run_id: str) -> None:
        """Record that no process could be started for a run."""
        self._record(run_id, state="failed", message=MESSAGES["no_process"])

    def _on_ended(self, run_id: str, state: str, message: str) -> None:
        """Record how a run ended, and let the next one start."""
        running = self._running.pop(run_id, None)
        if running is None:  # another server has taken it over
            return
        if running.stop_message and state != "finished":
            state, message = "stopped", running.stop_message
        self._record(run_id, state=state, message=message)
        self._dispatch()

    def _obey(self, run_id: str, do: str) -> None:
        """Carry out an order for a run that this server has.

        Args:
            do: one of ``orders.ORDERS``; one that does not fit the run's state does nothing.
        """
        running = self._running.get(run_id)
        if do == "stop" and run_id in self._queue:
            self._leave_queue(run_id, MESSAGES["left_queue"])
        elif running is None:
            return
        elif do == "stop":
            self._stop(run_id, MESSAGES["stopped"])
        elif do == "pause" and running.paused_at is None:
            running.paused_at = time.monotonic()
            running.process.send(do="pause")
            self._record(run_id, state="paused")
        elif do == "unpause" and running.paused_at is not None:
            running.paused_at = None
            running.process.send(do="go on")
            self._record(run_id, state="running")

    def _obey_orders(self) -> None:
        """Carry out what visitors on other servers asked of the runs of this one."""
        for run_id in self._leases.held:
            if do := take_order(self.store.folder(run_id), self._leases.token(run_id)):
                self._obey(run_id, do)

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

    def _beat_periodically(self) -> None:
        while not self._closed.wait(self._leases.seconds / BEATS):
            self._beat()

    def _beat(self) -> None:
        """Renew the leases of this server, and let go of runs that another one has taken over."""
        if lost := self._leases.beat():  # without the manager's lock, which may be held for long
            with self._lock:
                for run_id in lost:
                    if not self._closed.is_set() and not self._leases.holds(run_id):
                        self._lose(run_id)
                self._dispatch()

    def _take_over(self) -> None:
        """Queue the runs that waited on a server that has ended, and mark its others interrupted.

        A run is "interrupted" when its note says that it trains or pauses, and nobody beats for it.
        Its visitor can resume it.
        """
        self._looked = time.monotonic()
        notes = {
            run_id: note for run_id in self.store.made_ids() if (note := self.store.read(run_id))
        }
        for run_id in self._leases.watched:
            if run_id not in notes or notes[run_id].state not in ACTIVE_STATES:
                with suppress(OSError):
                    self._leases.clear(run_id)  # its server ended after it had written the note
        for run_id, note in sorted(notes.items(), key=lambda item: item[1].created):
            if note.state not in ACTIVE_STATES or self._is_active_here(run_id):
                continue
            with suppress(OSError):
                match self._leases.holder(run_id):
                    case Holder.GONE:
                        self._take_over_run(run_id)
                    case Holder.NOBODY:
                        self._take_over_without_lease(run_id, note)
        self._release_ended()
        self._dispatch()

    def _take_over_without_lease(self, run_id: str, note: Note) -> None:
        """Take over a run of a server that was closed, or of one of an earlier version.

        A living server of an earlier version holds the lock of the folder, and does this itself.
        """
        if self._servers.has_other(note.server) or (lock := take_root(self.store.root)) is None:
            return
        with lock:
            self._take_over_run(run_id)

    def _take_over_run(self, run_id: str) -> None:
        """Take the lease of a run whose server is gone, and queue or interrupt the run."""
        if not self._leases.take(run_id):
            return
        note = self.store.reread(run_id)  # it may have changed before the lease was ours
        if note is None or note.state not in ACTIVE_STATES:
            return
        happened("takeover", "waiting" if note.state == "queued" else "training")
        if note.state == "queued":
            self.store.change(run_id, server=self._servers.join())
            self._queue.add(run_id, note.owner)
        else:
            self.store.change(run_id, state="interrupted", message=MESSAGES["server_stopped"])

    def _check_periodically(self) -> None:
        checks = 0
        while not self._closed.wait(CHECK_SECONDS):
            is_due = time.monotonic() - self._looked >= self._leases.seconds / BEATS
            self._do_due_work(is_cleanup=checks % CHECKS_PER_CLEANUP == 0, is_takeover=is_due)
            checks += 1

    def _do_due_work(self, is_cleanup: bool, is_takeover: bool = True) -> None:
        """Do what has become due since the last check.

        Args:
            is_cleanup: whether old runs and forgotten files are cleared as well.
            is_takeover: whether to look for runs whose server is gone.
        """
        with self._lock:
            if self._closed.is_set():
                return
            self.store.write_late(self._leases.holds)
            self._obey_orders()
            self._stop_over_time()
            for run_id in self._queue.expired():
                if self._was_seen_elsewhere(run_id):
                    self._queue.mark_seen(run_id)
                else:
                    self._leave_queue(run_id, MESSAGES["nobody_looked"])
            self._workers.end_idle()
            if is_takeover or is_cleanup:
                self._take_over()
            if is_cleanup:
                self.store.drop_unused()
                self._clean_up()

    def _was_seen_elsewhere(self, run_id: str) -> bool:
        """Return whether somebody looked at a run just now, perhaps on another server."""
        return self._now() - self.store.last_used(run_id) < 2 * TOUCH_SECONDS

    def _clean_up(self) -> None:
        """Clear what nobody needs, unless another server is about to."""
        self._clock.save()
        self._take_over()
        for run_id in self.store.made_ids():
            note = self.store.read(run_id)
            if note and note.state in NOT_TRAINED and self.has_open_page(note.owner):
                self.store.touch(run_id, self._now())  # so that other servers know of the page
            if note is None or note.state not in ACTIVE_STATES:
                self._leases.holder(run_id)  # watches a lease that a server may have left
        limit = time.monotonic() - UNWATCHED_SECONDS - UPLOAD_IN_USE_SECONDS
        self._viewed = {run_id: at for run_id, at in self._viewed.items() if at > limit}
        if self.store.ownership.key is None or (lock := take_root(self.store.root)) is None:
            return
        with lock:
            self._servers.clear_left()
            clear_old(self.store, self.limits, self._now(), self._is_active)
            clear_temporary(self.store, self._is_active)
            self._half_made = clear_half_made(self.store, self._half_made)

    def _stop_over_time(self) -> None:
        """Stop the runs that train or pause for longer than the limits allow."""
        for run_id, running in list(self._running.items()):
            trained = self.store.history(run_id).seconds - running.seconds_before
            paused = time.monotonic() - running.paused_at if running.paused_at is not None else 0.0
            if message := over_time(self.limits, trained, paused, others_wait=bool(self._queue)):
                self._stop(run_id, message)
