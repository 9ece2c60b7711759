"""Give memory that a process has freed back to the operating system."""

import ctypes
from contextlib import suppress
from functools import cache
from typing import Any


@cache
def c_library() -> Any:
    """Return the C library of this process; None if that is impossible, as on Windows."""
    try:
        return ctypes.CDLL(None)
    except (OSError, TypeError):
        return None


def return_freed_memory() -> None:
    """Return all whole pages that are free, if the C library is glibc.

    Without this they stay with the process between memory that is still used.
    """
    with suppress(AttributeError):  # another C library than glibc
        c_library().malloc_trim(0)
