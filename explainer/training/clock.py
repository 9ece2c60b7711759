"""The clock that measures how long a run has not been used."""

import os
import time
from contextlib import suppress
from pathlib import Path

MOST_AHEAD = 300.0  # seconds; servers that start one after another differ by less


class FolderClock:
    """A clock that runs only while a server has the folder open.

    It starts at the modification time of the folder's marker file and counts on from there. Nobody
    can make a run look old by setting a computer's clock, and all servers of a folder start from
    the same time. Each server saves the clock in that file, for the next one, and follows the
    fastest of the others by a little.
    """

    def __init__(self, marker: Path) -> None:
        self._marker = marker
        self._offset: float | None = None

    def now(self) -> float:
        """Return the time in seconds; only differences between two times have a meaning."""
        if self._offset is None:
            try:
                self._offset = self._marker.lstat().st_mtime - time.monotonic()
            except OSError:  # there is no marker, so there is no run whose age could matter
                return time.time()
        return self._offset + time.monotonic()

    def save(self) -> None:
        """Save the time for the next server, or follow one that is a little ahead."""
        with suppress(OSError):
            now, saved = self.now(), self._marker.lstat().st_mtime
            if self._offset is not None and 0 < saved - now < MOST_AHEAD:
                self._offset += saved - now
            else:
                os.utime(self._marker, (now, now))
