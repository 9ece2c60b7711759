"""How long something took, in steps of its length, as Prometheus reads it."""

from bisect import bisect_left
from threading import Lock

INFINITE = "+Inf"


class Histogram:
    """Counts durations by their length.

    Args:
        bounds: seconds in rising order; a duration counts in the first that is not less than it.
    """

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self._lock = Lock()
        self.clear()

    def clear(self) -> None:
        """Count from zero."""
        with self._lock:
            self._counts = [0] * (len(self.bounds) + 1)
            self._sum = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        with self._lock:
            self._counts[bisect_left(self.bounds, seconds)] += 1
            self._sum += seconds

    def read(self) -> tuple[list[tuple[str, int]], float]:
        """Return the durations up to each bound, all of them last, and their sum in seconds."""
        with self._lock:
            counts, total = list(self._counts), self._sum
        names = [f"{bound:g}" for bound in self.bounds] + [INFINITE]
        return [(name, sum(counts[: place + 1])) for place, name in enumerate(names)], total
