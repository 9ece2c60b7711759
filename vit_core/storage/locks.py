"""Locks on folders: one process at a time writes a run, and one server keeps a folder of runs.

The lock is on a file in the folder, which the operating system frees when the process ends, even if
it is killed. Windows, macOS, Linux and NFS homes have such locks. Where a file system has none, a
file that names its owner takes their place; it is free again when that process is gone.
"""

import errno
import os
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Self

with warnings.catch_warnings():
    # said where Python has no fcntl module; the kind of lock that it then takes suits us
    warnings.filterwarnings("ignore", "only soft file lock")
    from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

LOCK = ".lock"
OWNER = "-owner"  # after the lock's name: names the owner, where the file system has no locks
MARKER = f"{LOCK}{OWNER}"
# what a file system answers that has none: NFS without its lock service, and some FUSE and SMB ones
NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP}


class Lock:
    """A lock that is held until ``release``, or until this object or its process is gone.

    Any thread may release it, and more than once.
    """

    def __init__(self, held: BaseFileLock, path: Path) -> None:
        self._held, self._path = held, path
        self._file = path.stat()

    def release(self) -> None:
        """Give the lock back, and take its file away."""
        # before others can have the lock, and only if nobody has put another folder in its place;
        # filelock itself does it for markers and on Windows, which removes no open file
        with suppress(OSError):
            if (
                self._held.is_locked
                and not isinstance(self._held, SoftFileLock)
                and os.path.samestat(self._file, self._path.stat())
            ):
                self._path.unlink()
        self._held.release()

    def is_in_place(self) -> bool:
        """Whether the lock's file is still there; without it, others may take the lock as well."""
        with suppress(OSError):
            return os.path.samestat(self._file, self._path.stat())
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def take(folder: Path, name: str = LOCK) -> Lock | None:
    """Take the lock of a folder without waiting; None while someone else has it.

    Someone else is another process, and also another ``Lock`` in this one.

    Args:
        name: of the lock's file; a folder may have several locks.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    os.scandir(folder).close()  # a lock would make a folder that is missing
    try:
        return hold(FileLock, folder / name)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    return hold(SoftFileLock, folder / f"{name}{OWNER}")


def hold(kind: type[BaseFileLock], path: Path) -> Lock | None:
    """Take a lock of one kind; neither threads nor other objects share it."""
    lock = kind(path, timeout=0, thread_local=False, is_singleton=False)
    # the first try may only clear away the file of an owner that is gone
    for _ in range(2 if isinstance(lock, SoftFileLock) else 1):
        with suppress(Timeout):
            lock.acquire()
            return Lock(lock, path)
    return None


def is_unused(folder: Path) -> bool:
    """Whether a folder holds nothing but what locks leave behind.

    Raises:
        OSError: it is missing or cannot be read.
    """
    with os.scandir(folder) as entries:
        return all(entry.name in (LOCK, MARKER) for entry in entries)
