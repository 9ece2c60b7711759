"""The manager of a server whose runs train on a Ray cluster."""

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from explainer.training.limits import Limits, RefusedError
from explainer.training.manager import Manager
from explainer.training.on_ray.cluster import RayCluster

MOST_RESUMED = 3  # times that a run is resumed by itself, after machines that were lost
MOST_IDLE_SECONDS = 60  # that a worker without work keeps its place from other servers' runs


class RayManager(Manager):
    """Lets runs train on a cluster: as many at once as have room there.

    A run whose machine is lost waits again, and another machine resumes it after its last whole
    epoch.
    """

    def __init__(self, root: Path, limits: Limits, **others: Any) -> None:
        """Manage a folder of runs, and connect to the cluster in the background."""
        self._cluster = RayCluster(limits)
        self._most = limits.runs_at_once  # 0: as many as have room
        self._resumed: Counter[str] = Counter()
        super().__init__(
            root,
            replace(
                limits,
                runs_at_once=self._room(),
                worker_idle_seconds=min(limits.worker_idle_seconds, MOST_IDLE_SECONDS),
            ),
            start_process=cast(Any, self._cluster.start_process),
            **others,
        )

    def storage_problem(self) -> str:
        """Return why no run can be started: the folder's reason, or that the cluster is away."""
        return super().storage_problem() or self._cluster.problem()

    def close(self) -> None:
        """End all training of this server, and leave the cluster."""
        super().close()
        self._cluster.close()

    def warm_up(self) -> None:
        """Start nothing: a worker that waits for runs would take a place from other servers."""

    def _room(self) -> int:
        slots = self._cluster.slots
        return min(slots, self._most) if self._most else slots

    def _check_may_start(self, visitor: str, address: str | None) -> None:
        if problem := self._cluster.problem():
            raise RefusedError(problem, "unavailable")
        super()._check_may_start(visitor, address)

    def _wait_seconds(self, index: int) -> float | None:
        return super()._wait_seconds(index) if self.limits.runs_at_once else None

    def _waits_for(self) -> str:
        return self._cluster.missing()

    def _do_due_work(self, is_cleanup: bool, is_takeover: bool = True) -> None:
        with self._lock:
            if not self._closed.is_set():
                self._dispatch()  # a machine may have come
        super()._do_due_work(is_cleanup, is_takeover)

    def _dispatch(self) -> None:
        if (room := self._room()) != self.limits.runs_at_once:
            self.limits = self._workers.limits = replace(self.limits, runs_at_once=room)
        super()._dispatch()

    def _on_no_process(self, run_id: str) -> None:
        """Let a run wait on whose cluster was lost just now, or filled by others."""
        note = self.store.read(run_id)
        if note is None:
            return
        self.limits = self._workers.limits = replace(self.limits, runs_at_once=0)
        self._queue.add(run_id, note.owner)

    def _on_ended(self, run_id: str, state: str, message: str) -> None:
        """Record how a run ended; one whose machine is lost waits again."""
        running, note = self._running.get(run_id), self.store.read(run_id)
        if (
            state != "interrupted"
            or running is None
            or running.stop_message
            or note is None
            or self._closed.is_set()
            or self._resumed[run_id] >= MOST_RESUMED
            or not self._leases.holds(run_id)
        ):
            if state != "interrupted":
                self._resumed.pop(run_id, None)
            super()._on_ended(run_id, state, message)
            return
        self._running.pop(run_id)
        self._resumed[run_id] += 1
        # with a new lease, the lost machine can no longer write, even if only its network is gone
        self._leases.release(run_id)
        with suppress(OSError):  # without a lease, whoever takes it next calls it interrupted
            if self._leases.take(run_id):
                self._queue.add(run_id, note.owner)
                self._record(run_id, state="queued", message="")
        self._dispatch()
