"""What a visitor may do with a run, and whether there is room for another one."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from explainer.measuring import happened
from explainer.training.estimates import Estimates
from explainer.training.housekeeping import make_room_for_upload
from explainer.training.limits import RefusedError
from explainer.training.orders import send_order
from explainer.training.store import hashed
from explainer.training.wording import MESSAGES
from vit_core.storage.locks import take

UPLOAD_IN_USE_SECONDS = 120.0  # after a look at an upload, during which it is not deleted


class Admission(Estimates):
    """Refuses what a visitor may not do, and what there is no room for."""

    _reserved_bytes = 0  # of the uploads that are being written

    def storage_problem(self) -> str:
        """Return a sentence that says why no run can be stored here; empty if none is known."""
        return self.store.problem()

    @contextmanager
    def reserve_upload_space(self, size: int) -> Iterator[None]:
        """Keep ``size`` bytes free while an uploaded model is written.

        Raises:
            RefusedError: the uploads that are in use take all space that uploads may take.
        """
        with self._lock:
            needed = self._reserved_bytes + size
            if not make_room_for_upload(self.store, self.limits, needed, self._is_in_use):
                raise RefusedError(MESSAGES["no_room_for_upload"], "disk")
            self._reserved_bytes += size
        try:
            yield
        finally:
            with self._lock:
                self._reserved_bytes -= size

    @contextmanager
    def _run_lock(self, run_id: str) -> Iterator[None]:
        """Hold the lock of a run's folder.

        Raises:
            RefusedError: another process holds it, or the folder cannot be written.
        """
        try:
            lock = take(self.store.folder(run_id))
        except OSError as error:
            raise RefusedError(MESSAGES["no_change"].format(why=reason(error)), "disk") from None
        if lock is None:
            raise RefusedError(MESSAGES["elsewhere"], "not_now")
        try:
            with lock:
                yield
        except OSError as error:
            raise RefusedError(MESSAGES["no_change"].format(why=reason(error)), "disk") from None

    def _check_owner(self, visitor: str, run_id: str) -> None:
        """Refuse a change by anybody but the run's visitor, and of a run not made by the app."""
        if self._note(run_id).owner != hashed(visitor):
            raise RefusedError(MESSAGES["not_yours"], "not_allowed")
        if not self.store.is_changeable(run_id):
            raise RefusedError(MESSAGES["not_made_here"], "not_allowed")

    def _has_sent(self, visitor: str, run_id: str, do: str) -> bool:
        """Leave an order for another server if that has the visitor's run.

        Args:
            do: one of ``orders.ORDERS``.

        Returns:
            False if this server trains or queues the run, so that it has to obey itself.

        Raises:
            RefusedError: the run is another visitor's, or not under way, or no order can be left.
        """
        self._check_owner(visitor, run_id)
        if self._is_active_here(run_id):
            return False
        if not self._get(run_id).is_active:
            raise RefusedError(MESSAGES["not_going"], "not_now")
        token = self._leases.token_of_other(run_id)
        if token is None:  # a server of an earlier version, or one that has just ended
            raise RefusedError(MESSAGES["elsewhere"], "not_now")
        try:
            send_order(self.store.folder(run_id), do, token)
        except OSError as error:
            raise RefusedError(MESSAGES["no_change"].format(why=reason(error)), "disk") from None
        return True

    def _record(self, run_id: str, **values: str) -> None:
        """Change the note of a run that this server has; one that was taken over is not ours."""
        if not self._leases.holds(run_id):
            self._lose(run_id)
            return
        self.store.change(run_id, **values)
        self._release_ended()

    def _release_ended(self) -> None:
        """Give back the runs that neither wait nor train any more, once their notes say so."""
        for run_id in self._leases.held:
            if not self._is_active_here(run_id) and not self.store.is_late(run_id):
                self._leases.release(run_id)
        self._first_points.keep_only({*self._running, *self._queue})

    def _lose(self, run_id: str) -> None:
        """Let go of a run that another server has taken over: its note is no longer ours."""
        happened("takeover", "lost")
        self._queue.remove(run_id)
        self.store.reread(run_id)
        self._leases.release(run_id)
        if running := self._running.pop(run_id, None):
            self._workers.kill(running.process)

    def _check_may_start(self, visitor: str, address: str | None) -> None:
        """Refuse if the visitor has an active run already, or the queue is full."""
        if self.active_of(visitor):
            raise RefusedError(MESSAGES["one_already"], "visitor_limit")
        if not len(self._queue) and len(self._running) < self.limits.runs_at_once:
            return  # it starts at once, so that the limits of the queue do not matter
        share = max(1, self.limits.queue // 2)  # of the queue, for one address
        if address and self._queue.count_from(address) >= share:
            self._drop_unwatched(address)
            if self._queue.count_from(address) >= share:
                raise RefusedError(
                    MESSAGES["queue_full_for_address"].format(most=share), "address_limit"
                )
        if len(self._queue) >= self.limits.queue:
            self._drop_unwatched()
        if len(self._queue) >= self.limits.queue:
            raise RefusedError(MESSAGES["queue_full"].format(most=self.limits.queue), "queue_full")

    def _drop_unwatched(self, address: str | None = None) -> None:
        """Remove the run that has been unwatched for the longest time from the queue."""
        for run_id in self._queue.unwatched(address)[:1]:
            self._leave_queue(run_id, MESSAGES["nobody_looked"])

    def _is_in_use(self, run_id: str) -> bool:
        """Return whether somebody looks at a run, or did a moment ago."""
        note = self.store.read(run_id)
        viewed = self._viewed.get(run_id)
        return (
            self._now() - self.store.last_used(run_id) < UPLOAD_IN_USE_SECONDS
            or (viewed is not None and time.monotonic() - viewed < UPLOAD_IN_USE_SECONDS)
            or (note is not None and self.has_open_page(note.owner))
        )

    def _leave_queue(self, run_id: str, message: str) -> None:
        self._queue.remove(run_id)
        self._record(run_id, state="stopped", message=message)


def reason(error: Exception) -> str:
    """Return why a folder cannot be used, without the names of folders on the server."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
