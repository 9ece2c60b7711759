"""Which servers on one folder of runs are alive: each holds a lock while it queues or trains.

A note names the server that queues or trains its run. When that server has ended, however it ended,
its lock is free, and the folder's keeper takes over what it left.
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
        """Take this server's lock, if it has none yet, and return the server's id.

        Raises:
            OSError: the folder is missing or cannot be written.
        """
        if self._lock is not None and not self._lock.is_in_place():
            self.leave()  # the folder was deleted, or moved away
        while self._lock is None:
            self._lock = take(self._root, f"{PREFIX}{self.id}")
            if self._lock is None:  # another server is just looking whether this one is alive
                self.id = secrets.token_hex(6)
        return self.id

    def is_alive(self, server: str) -> bool:
        """Whether a server has not ended; where nobody can tell, it has."""
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
        """Whether this is another server, and it has not ended."""
        return server != self.id and self.is_alive(server)

    def leave(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None
