"""The runs that wait for a process: their order, and when a run loses its position.

A run keeps its position while its visitor has a page open, or has looked at the run lately. A run
that nobody watches is passed over as long as a watched run waits.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

UNWATCHED_SECONDS = 30.0  # without a look, after which a run is passed over
EXPIRY_SECONDS = 1800.0  # without a look, after which a run leaves the queue


@dataclass
class WaitingRun:
    """A run in the queue.

    Attributes:
        owner: hash of the visitor's secret.
        address: of the visitor's computer, or of the proxy in front of it; None if unknown.
        last_seen: when somebody last looked at it, by the monotonic clock.
    """

    run_id: str
    owner: str
    address: str | None
    last_seen: float


class RunQueue:
    """The queue of one server; its methods are called under the manager's lock."""

    def __init__(self, has_open_page: Callable[[str], bool]) -> None:
        """Start empty.

        Args:
            has_open_page: whether the visitor whose secret has this hash has a page open.
        """
        self._has_open_page = has_open_page
        self._waiting: dict[str, WaitingRun] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._waiting

    def __iter__(self) -> Iterator[str]:
        """Yield the ids in the order in which the runs would start now."""
        runs = sorted(self._waiting.values(), key=lambda run: not self._is_watched(run))
        return iter([run.run_id for run in runs])

    def add(self, run_id: str, owner: str, address: str | None = None) -> None:
        self._waiting[run_id] = WaitingRun(run_id, owner, address, time.monotonic())

    def remove(self, run_id: str) -> None:
        self._waiting.pop(run_id, None)

    def index(self, run_id: str) -> int:
        """Return how many runs start before this one."""
        return list(self).index(run_id)

    def take(self) -> str:
        """Remove and return the run that starts next."""
        run_id = next(iter(self))
        self.remove(run_id)
        return run_id

    def mark_seen(self, run_id: str) -> None:
        """Record that somebody looks at a run."""
        if run_id in self._waiting:
            self._waiting[run_id].last_seen = time.monotonic()

    def mark_owner_seen(self, owner: str) -> None:
        """Record that a visitor looks at a page that lists their runs."""
        for run in self._waiting.values():
            if run.owner == owner:
                run.last_seen = time.monotonic()

    def count_from(self, address: str) -> int:
        """Return how many waiting runs come from a network address."""
        return sum(run.address == address for run in self._waiting.values())

    def unwatched(self, address: str | None = None) -> list[str]:
        """Return the ids of runs that nobody watches, the longest unwatched first.

        Args:
            address: of which only the runs are returned; None for all addresses.
        """
        runs = [
            run
            for run in self._waiting.values()
            if address in (None, run.address) and not self._is_watched(run)
        ]
        return [run.run_id for run in sorted(runs, key=lambda run: run.last_seen)]

    def expired(self) -> list[str]:
        """Return the ids of runs that have been unwatched for so long that they must leave."""
        limit = time.monotonic() - EXPIRY_SECONDS
        return [run_id for run_id in self.unwatched() if self._waiting[run_id].last_seen < limit]

    def _is_watched(self, run: WaitingRun) -> bool:
        is_recent = time.monotonic() - run.last_seen <= UNWATCHED_SECONDS
        return is_recent or self._has_open_page(run.owner)
