"""The runs that wait: in which order they begin, and whose place lapses.

Whoever waits keeps the place while a page of theirs is open or looked at of late. A run that nobody
looks at is passed over while others wait that somebody looks at.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

PATIENCE = 30.0  # seconds without a look until a run is passed over
LAPSE = 1800.0  # seconds without a look until it gives its place up


@dataclass
class Place:
    """A run that waits.

    Attributes:
        owner: hash of the visitor's secret.
        address: of the visitor's computer, or of what stands before it; None if nobody knows.
        seen: when somebody looked at it last, by the monotonic clock.
    """

    run_id: str
    owner: str
    address: str | None
    seen: float


class WaitingLine:
    """The queue of one server; its methods are called under the manager's lock."""

    def __init__(self, is_here: Callable[[str], bool]) -> None:
        """Begin empty.

        Args:
            is_here: whether a page is open of the visitor whose secret has this hash.
        """
        self._is_here = is_here
        self._places: dict[str, Place] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._places

    def __iter__(self) -> Iterator[str]:
        """Yield the ids in the order in which the runs begin as things stand."""
        places = sorted(self._places.values(), key=lambda place: not self._is_watched(place))
        return iter([place.run_id for place in places])

    def add(self, run_id: str, owner: str, address: str | None = None) -> None:
        self._places[run_id] = Place(run_id, owner, address, time.monotonic())

    def remove(self, run_id: str) -> None:
        self._places.pop(run_id, None)

    def index(self, run_id: str) -> int:
        """Return how many runs begin before this one."""
        return list(self).index(run_id)

    def take(self) -> str:
        """Remove and return the run that begins next."""
        run_id = next(iter(self))
        self.remove(run_id)
        return run_id

    def see(self, run_id: str) -> None:
        """Note that somebody looks at a run."""
        if run_id in self._places:
            self._places[run_id].seen = time.monotonic()

    def see_owner(self, owner: str) -> None:
        """Note that a visitor looks at a page that lists their runs."""
        for place in self._places.values():
            if place.owner == owner:
                place.seen = time.monotonic()

    def count_from(self, address: str) -> int:
        return sum(place.address == address for place in self._places.values())

    def unwatched(self, address: str | None = None) -> list[str]:
        """Return the runs that nobody looks at, longest first; of one address, if it is given."""
        places = [
            place
            for place in self._places.values()
            if address in (None, place.address) and not self._is_watched(place)
        ]
        return [place.run_id for place in sorted(places, key=lambda place: place.seen)]

    def lapsed(self) -> list[str]:
        """Return the runs that nobody has looked at for long."""
        limit = time.monotonic() - LAPSE
        return [run_id for run_id in self.unwatched() if self._places[run_id].seen < limit]

    def _is_watched(self, place: Place) -> bool:
        return time.monotonic() - place.seen <= PATIENCE or self._is_here(place.owner)
