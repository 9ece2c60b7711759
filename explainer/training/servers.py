"""Which servers of a folder of runs are alive: each holds a lock while it queues or trains.

The note of a run names the server that queues or trains it. When that server ends, for whatever
reason, its lock becomes free, and the folder's keeper takes over its runs.
"""

import secrets
from pathlib import Path

from vit_core.storage.locks import Lock, take

PREFIX = ".server-"


class Servers:
    """This server among those of a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock: Lock | None = None
        self.id = secrets.token_hex(6)

    def join(self) -> str:
        """Take this server's lock, if it does not hold it yet, and return the server's id.

        Raises:
            OSError: the folder is missing or cannot be written.
        """
        if self._lock is not None and not self._lock.is_in_place():
            self.leave()  # the folder was deleted, or moved away
        while self._lock is None:
            self._lock = take(self._root, f"{PREFIX}{self.id}")
            if self._lock is None:  # another server holds it while it checks ``is_alive``
                self.id = secrets.token_hex(6)
        return self.id

    def is_alive(self, server: str) -> bool:
        """Return whether a server still runs; False if that cannot be found out."""
        if not server:
            return False
        if server == self.id:
            return self._lock is not None
        try:
            lock = take(self._root, f"{PREFIX}{server}")
        except OSError:
            return False
        if lock is None:
            return True
        lock.release()
        return False

    def has_other(self, server: str) -> bool:
        """Return whether this is another server that still runs."""
        return server != self.id and self.is_alive(server)

    def leave(self) -> None:
        """Release this server's lock."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None
