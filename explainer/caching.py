"""What is computed once for all visitors: a cache with a limit in bytes, and what is derived."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

import streamlit as st

LIMIT = 16 * 1024**2  # bytes
LITTLE = 64  # bytes, of anything that is no array, bytes or text

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


def remember(key: Hashable, make: Callable[[], Value]) -> Value:
    """Return what ``make`` returned when somebody last asked for ``key``; make it if nobody did.

    All visitors share it, so it must not be changed by any of them. Keep arrays, bytes and texts:
    a chart is thousands of objects, which the garbage collector would walk over after every run.

    Args:
        key: says all that the value depends on: (name, choice, …).
    """
    return derived().get(key, make)


def is_remembered(key: Hashable) -> bool:
    """Whether somebody has asked for ``key``, and its value is still kept."""
    return key in derived()


@st.cache_resource
def derived() -> BytesCache[Any]:
    return BytesCache(LIMIT, size_of)


def size_of(value: object) -> int:
    """Estimate the bytes of a value: arrays, bytes and texts exactly, what holds them by parts."""
    if isinstance(value, bytes | bytearray):
        return len(value)
    if isinstance(value, str):
        return 2 * len(value)
    if hasattr(value, "nbytes"):
        return int(value.nbytes)
    if isinstance(value, Mapping):
        return LITTLE + sum(size_of(part) for pair in value.items() for part in pair)
    if isinstance(value, tuple | list | set | frozenset):
        return LITTLE + sum(map(size_of, value))
    if is_dataclass(value):
        return LITTLE + sum(size_of(getattr(value, field.name)) for field in fields(value))
    return LITTLE
