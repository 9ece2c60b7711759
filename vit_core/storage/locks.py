"""Locks on folders: one process at a time writes a run, and one server owns a folder of runs.

The lock is on a file in the folder. The operating system releases it when the process ends, even if
the process is killed. Windows, macOS, Linux and NFS have such locks. On a file system without them
a marker file that names its owner is used instead; it counts only while that process lives.
"""

import errno
import os
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Self

with warnings.catch_warnings():
    # filelock warns where Python has no fcntl module; the kind of lock it falls back to is fine
    warnings.filterwarnings("ignore", "only soft file lock")
    from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

LOCK = ".lock"
OWNER = "-owner"  # ending of the marker file that is used where the file system has no locks
MARKER = f"{LOCK}{OWNER}"
# errors of file systems without locks: NFS without its lock service, some FUSE and SMB systems
NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP}


class Lock:
    """A lock that is held until ``release``, or until this object or its process is gone.

    Any thread may release it, also more than once.
    """

    def __init__(self, held: BaseFileLock, path: Path) -> None:
        self._held, self._path = held, path
        self._file = path.stat()

    def release(self) -> None:
        """Release the lock and remove its file."""
        # The file goes before others can take the lock, and only if it is still ours: somebody may
        # have replaced the folder. filelock removes markers itself, and also the file on Windows,
        # where an open file cannot be removed.
        with suppress(OSError):
            if (
                self._held.is_locked
                and not isinstance(self._held, SoftFileLock)
                and os.path.samestat(self._file, self._path.stat())
            ):
                self._path.unlink()
        self._held.release()

    def is_in_place(self) -> bool:
        """Whether the lock's file is still there; without it, others can take the lock too."""
        with suppress(OSError):
            return os.path.samestat(self._file, self._path.stat())
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def take(folder: Path, name: str = LOCK) -> Lock | None:
    """Take the lock of a folder without waiting; return None while somebody else has it.

    Somebody else is another process, or another ``Lock`` in this process.

    Args:
        name: of the lock's file; a folder may have several locks.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    os.scandir(folder).close()  # raises for a missing folder, which filelock would create
    try:
        return acquire(FileLock, folder / name)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    return acquire(SoftFileLock, folder / f"{name}{OWNER}")


def acquire(kind: type[BaseFileLock], path: Path) -> Lock | None:
    """Take a lock of one kind; other threads and other objects do not share it."""
    lock = kind(path, timeout=0, thread_local=False, is_singleton=False)
    # the first try may only remove the marker of an owner that is gone
    for _ in range(2 if isinstance(lock, SoftFileLock) else 1):
        with suppress(Timeout):
            lock.acquire()
            return Lock(lock, path)
    return None


def is_unused(folder: Path) -> bool:
    """Whether a folder holds nothing except the files of locks.

    Raises:
        OSError: the folder is missing or cannot be read.
    """
    with os.scandir(folder) as entries:
        return all(entry.name in (LOCK, MARKER) for entry in entries)
