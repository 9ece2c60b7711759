"""How much memory large values take for as long as anybody holds them, in a cache or not."""

import weakref
from threading import Lock
from typing import Any


class InUse:
    """Counts values until nothing refers to them any more."""

    def __init__(self) -> None:
        self._sizes: dict[int, int] = {}
        self._lock = Lock()

    def add(self, value: Any, size: int) -> None:
        """Count a value that is new.

        Args:
            size: bytes.
        """
        with self._lock:
            self._sizes[id(value)] = size
        weakref.finalize(value, self._sizes.pop, id(value), None)

    @property
    def bytes(self) -> int:
        with self._lock:
            return sum(list(self._sizes.values()))
