"""Caches that all visitors share, limited by bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

import streamlit as st

LIMIT = 12 * 1024**2  # bytes
SMALL_OBJECT = 64  # bytes, assumed for anything but arrays, bytes and texts

Value = TypeVar("Value")


class BytesCache(Generic[Value]):
    """Keeps the most recently used values that fit into ``limit`` bytes.

    Streamlit's own caches limit the number of entries, or copy a value each time. Here one value
    may be 200 times as large as another, and all are read-only.

    Args:
        limit: bytes.
        size: returns the bytes of a value.
        at_least: how many values are kept, however large they are.
    """

    def __init__(self, limit: int, size: Callable[[Value], int], at_least: int = 1) -> None:
        self._limit = limit
        self._size = size
        self._at_least = at_least
        self._entries: OrderedDict[Hashable, Value] = OrderedDict()
        self._used = 0
        self._lock = Lock()

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._entries

    @property
    def used(self) -> int:
        """Bytes of all values that are kept."""
        with self._lock:
            return self._used

    def get(self, key: Hashable, make: Callable[[], Value], expected: int = 0) -> Value:
        """Return the value of ``key``; call ``make`` for it if it is not kept.

        If ``make`` raises, nothing is kept.

        Args:
            expected: bytes of the value. Older values are dropped before it is made, not after.
        """
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key]
            if expected:
                self._drop_oldest(self._limit - expected, at_least=0)
        value = make()
        with self._lock:
            if key not in self._entries:
                self._entries[key] = value
                self._used += self._size(value)
            self._drop_oldest(self._limit, self._at_least)
        return value

    def _drop_oldest(self, limit: int, at_least: int) -> None:
        """Drop the least recently used until ``limit`` bytes or ``at_least`` entries remain."""
        while self._used > limit and len(self._entries) > at_least:
            self._used -= self._size(self._entries.popitem(last=False)[1])


def remember(key: Hashable, make: Callable[[], Value]) -> Value:
    """Return the value of ``key`` from the cache that all visitors share; ``make`` it if needed.

    Nobody may change the value. It should consist of arrays, bytes and texts: a chart has
    thousands of objects, all of which the garbage collector would visit after every run.

    Args:
        key: everything that the value depends on: (name, choice, …).
    """
    return derived().get(key, make)


def is_remembered(key: Hashable) -> bool:
    """Return whether the value of ``key`` is in the cache."""
    return key in derived()


@st.cache_resource
def derived() -> BytesCache[Any]:
    return BytesCache(LIMIT, size_of)


def size_of(value: object) -> int:
    """Estimate the bytes of a value; a container counts as the sum of its parts."""
    if isinstance(value, bytes | bytearray):
        return len(value)
    if isinstance(value, str):
        return 2 * len(value)
    if hasattr(value, "nbytes"):
        return int(value.nbytes)
    if isinstance(value, Mapping):
        return SMALL_OBJECT + sum(size_of(part) for pair in value.items() for part in pair)
    if isinstance(value, tuple | list | set | frozenset):
        return SMALL_OBJECT + sum(map(size_of, value))
    if is_dataclass(value):
        return SMALL_OBJECT + sum(size_of(getattr(value, field.name)) for field in fields(value))
    return SMALL_OBJECT
