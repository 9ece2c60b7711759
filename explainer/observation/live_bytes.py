"""How many bytes large values take until they are freed, whether a cache keeps them or not."""

import weakref
from threading import Lock
from typing import Any


class LiveBytes:
    """Counts the bytes of values for as long as anything refers to them."""

    def __init__(self) -> None:
        self._sizes: dict[int, int] = {}
        self._lock = Lock()

    def add(self, value: Any, size: int) -> None:
        """Count a new value.

        Args:
            size: bytes.
        """
        with self._lock:
            self._sizes[id(value)] = size
        weakref.finalize(value, self._sizes.pop, id(value), None)

    @property
    def total(self) -> int:
        """Bytes of all values that still exist."""
        with self._lock:
            return sum(list(self._sizes.values()))
