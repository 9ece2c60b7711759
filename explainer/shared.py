"""What is derived from a choice, computed once for all visitors."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import streamlit as st

from explainer.cache import BytesCache

LIMIT = 16 * 1024**2  # bytes
LITTLE = 64  # bytes, of anything that is no array, bytes or text

Value = TypeVar("Value")


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
