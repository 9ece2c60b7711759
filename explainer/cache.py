"""A cache with a limit in bytes, shared by all visitors."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class BytesCache(Generic[Value]):
    """Keeps what was used last, as much as fits into ``limit`` bytes.

    Streamlit's own caches limit the number of entries, or copy every value on every hit; here one
    entry may be 200 times as large as another, and all are read-only.
    """

    def __init__(self, limit: int, size: Callable[[Value], int]) -> None:
        self._limit = limit
        self._size = size
        self._entries: OrderedDict[Hashable, Value] = OrderedDict()
        self._used = 0
        self._lock = Lock()

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._entries

    @property
    def used(self) -> int:
        """Bytes of all that is kept."""
        with self._lock:
            return self._used

    def get(self, key: Hashable, make: Callable[[], Value], expected: int = 0) -> Value:
        """Return the value of ``key``, made if it is not there; a failure to make is not kept.

        Args:
            expected: bytes of the value; others leave for it before it is made, not after.
        """
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key]
            if expected:
                self._leave(self._limit - expected, at_least=0)
        value = make()
        with self._lock:
            if key not in self._entries:
                self._entries[key] = value
                self._used += self._size(value)
            self._leave(self._limit, at_least=1)
        return value

    def _leave(self, limit: int, at_least: int) -> None:
        """Drop what was used longest ago until ``limit`` bytes or ``at_least`` entries are left."""
        while self._used > limit and len(self._entries) > at_least:
            self._used -= self._size(self._entries.popitem(last=False)[1])
