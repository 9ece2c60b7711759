"""Let a process keep the memory that its tensors free, for the tensors that follow.

glibc gives the memory of large tensors back to the operating system, which hands it out again page
by page, filled with zeros. Where many passes follow one another, as in a notebook that traces
picture after picture, that can take longer than the computation.
"""

import ctypes
from contextlib import suppress

# numbers of glibc's mallopt
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
LARGEST_MMAP_THRESHOLD = 32 * 1024**2  # bytes; glibc takes no more


def keep_freed_memory(megabytes: int = 512) -> bool:
    """Keep up to about ``megabytes`` of freed memory in this process from now on.

    It holds for the whole process, which therefore seems to need more memory than it does. Numbers
    that are computed stay the same. ``vit_core`` itself never calls this.

    Returns:
        Whether it had an effect: only with glibc, the C library of most kinds of Linux.
    """
    with suppress(AttributeError, OSError, TypeError):  # another C library, or none that is found
        mallopt = ctypes.CDLL(None).mallopt
        largest = min(megabytes * 1024**2, 2**31 - 1)  # a C int
        return bool(
            mallopt(TRIM_THRESHOLD, largest) and mallopt(MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)
        )
    return False
