"""Which servers of a folder of runs are alive: each holds a lock while it queues or trains.

When a server ends, for whatever reason, its lock becomes free. Servers on the same computer see
that at once. For servers on other computers the beat of the lease counts (``lease``), because not
every network drive tells one computer of the locks of another.

Earlier versions of the app know only these locks, and the server that a run's note names.
"""

import re
import secrets
from contextlib import suppress
from pathlib import Path

from vit_core.storage.locks import Lock, take

PREFIX = ".server-"
SERVER = re.compile(r"[0-9a-f]{12}")


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

    def has_ended(self, server: str | None) -> bool:
        """Return whether a server of this computer has ended; False if that is not known."""
        if not server or server == self.id or not SERVER.fullmatch(server):
            return False
        try:
            lock = take(self._root, f"{PREFIX}{server}")
        except OSError:
            return False
        if lock is None:
            return False
        lock.release()
        return True

    def clear_left(self) -> None:
        """Remove the files of locks that servers of this folder left when they were killed."""
        with suppress(OSError):
            for path in list(self._root.glob(f"{PREFIX}*")):
                self.has_ended(path.name.removeprefix(PREFIX))

    def leave(self) -> None:
        """Release this server's lock."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None
