"""Who may do what with a run, and for whom there is room."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from explainer.training.estimates import Estimates
from explainer.training.housekeeping import make_room_for_upload
from explainer.training.limits import RefusedError
from explainer.training.standing import Active
from explainer.training.store import hashed
from explainer.training.wording import SAID
from vit_core.storage.locks import take

UPLOAD_IN_USE = 120.0  # seconds for which an upload that somebody looked at stays


class Admission(Estimates):
    """Refuses what a visitor may not do, or what there is no room for."""

    _arriving = 0  # bytes of the uploads that are being written

    def trouble(self) -> str:
        """Return why no run can be kept here, one sentence; empty while nothing is known."""
        return self.store.trouble()

    @contextmanager
    def room_for_upload(self, size: int) -> Iterator[None]:
        """Keep so many bytes free while an uploaded model is written.

        Raises:
            RefusedError: the uploads that are in use take all space that uploads may take.
        """
        with self._lock:
            needed = self._arriving + size
            if not make_room_for_upload(self.store, self.limits, needed, self._is_in_use):
                raise RefusedError(SAID["no_room_for_upload"])
            self._arriving += size
        try:
            yield
        finally:
            with self._lock:
                self._arriving -= size

    @contextmanager
    def _locked(self, run_id: str) -> Iterator[None]:
        """Hold a run's own lock.

        Raises:
            RefusedError: another process has it, or the folder cannot be written.
        """
        try:
            lock = take(self.store.folder(run_id))
        except OSError as error:
            raise RefusedError(SAID["no_change"].format(why=reason(error))) from None
        if lock is None:
            raise RefusedError(SAID["elsewhere"])
        try:
            with lock:
                yield
        except OSError as error:
            raise RefusedError(SAID["no_change"].format(why=reason(error))) from None

    def _own(self, visitor: str, run_id: str) -> None:
        if self._note(run_id).owner != hashed(visitor):
            raise RefusedError(SAID["not_yours"])
        if not self.store.is_changeable(run_id):
            raise RefusedError(SAID["not_made_here"])

    def _own_active(self, visitor: str, run_id: str) -> Active:
        self._own(visitor, run_id)
        if run_id not in self._active:
            is_elsewhere = self._get(run_id).is_going
            raise RefusedError(SAID["elsewhere" if is_elsewhere else "not_going"])
        return self._active[run_id]

    def _check_free(self, visitor: str, address: str | None) -> None:
        if self.active_of(visitor):
            raise RefusedError(SAID["one_already"])
        if not len(self._line) and len(self._active) < self.limits.runs_at_once:
            return  # it begins at once, also where none may wait
        most = max(1, self.limits.queue // 2)
        if address and self._line.count_from(address) >= most:
            self._end_unwatched(address)
            if self._line.count_from(address) >= most:
                raise RefusedError(SAID["queue_full_for_address"].format(most=most))
        if len(self._line) >= self.limits.queue:
            self._end_unwatched()
        if len(self._line) >= self.limits.queue:
            raise RefusedError(SAID["queue_full"].format(most=self.limits.queue))

    def _end_unwatched(self, address: str | None = None) -> None:
        """End the waiting run that nobody has looked at for the longest time."""
        for run_id in self._line.unwatched(address)[:1]:
            self._leave_line(run_id, SAID["nobody_looked"])

    def _is_in_use(self, run_id: str) -> bool:
        """Whether somebody looks at a run, or did a moment ago."""
        note = self.store.read(run_id)
        looked = self._looked.get(run_id)
        return (
            self._now() - self.store.used(run_id) < UPLOAD_IN_USE
            or (looked is not None and time.monotonic() - looked < UPLOAD_IN_USE)
            or (note is not None and self.is_here(note.owner))
        )

    def _leave_line(self, run_id: str, said: str) -> None:
        self._line.remove(run_id)
        self.store.change(run_id, state="stopped", said=said)


def reason(error: Exception) -> str:
    """Return why a folder cannot be used, without naming folders of the server."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
