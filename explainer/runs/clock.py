"""The clock by which the app measures how long nobody has used a run."""

import os
import time
from contextlib import suppress
from pathlib import Path


class FolderClock:
    """Runs only while a server has the folder, so that no clock that is set makes a run old.

    It begins at the computer's time and goes on where the last server left it, which is the
    modification time of the folder's marker.
    """

    def __init__(self, marker: Path) -> None:
        self._marker = marker
        try:
            begin = marker.lstat().st_mtime
        except OSError:
            begin = time.time()
        self._offset = begin - time.monotonic()

    def now(self) -> float:
        """Return seconds; only their differences mean something."""
        return self._offset + time.monotonic()

    def save(self) -> None:
        """Note the time for the next server; only the folder's keeper does so."""
        with suppress(OSError):
            os.utime(self._marker, (self.now(), self.now()))
