"""How often somebody may do something in a minute.

Each process counts for itself: with three replicas, a visitor may do three times as much.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from threading import Lock

MOST_KEYS = 20_000  # that are remembered; then the one that was quiet for longest is forgotten


class Tries:
    """Counts what each of many visitors did lately.

    Args:
        most: how often each may within ``seconds``.
        clock: a count of seconds that only grows.
    """

    def __init__(
        self, most: int, seconds: float = 60, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.most = most
        self.seconds = seconds
        self._clock = clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = Lock()

    def are_used_up(self, key: str) -> bool:
        """Return whether ``key`` has done it as often as it may."""
        with self._lock:
            times = self._times.get(key)
            if times is None:
                return self.most == 0
            self._forget_old(times)
            return len(times) >= self.most

    def add(self, key: str) -> None:
        """Count one more."""
        with self._lock:
            times = self._times.setdefault(key, deque(maxlen=max(1, self.most)))
            self._times.move_to_end(key)
            self._forget_old(times)
            times.append(self._clock())
            if len(self._times) > MOST_KEYS:
                self._times.popitem(last=False)

    def _forget_old(self, times: deque[float]) -> None:
        start = self._clock() - self.seconds
        while times and times[0] <= start:
            times.popleft()
