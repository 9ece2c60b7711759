"""The clock by which the app measures how long nobody has used a run."""

import os
import time
from contextlib import suppress
from pathlib import Path


class FolderClock:
    """Runs only while a server has the folder, so that no clock that is set makes a run old.

    It begins with the folder's marker, at the modification time of that file, and goes on where the
    last server left it, which is noted there as well. All servers of a folder begin at this one
    time, whatever the clocks of their computers say.
    """

    def __init__(self, marker: Path) -> None:
        self._marker = marker
        self._offset: float | None = None

    def now(self) -> float:
        """Return seconds; only their differences mean something."""
        if self._offset is None:
            try:
                self._offset = self._marker.lstat().st_mtime - time.monotonic()
            except OSError:  # there is no run yet whose age could be asked for
                return time.time()
        return self._offset + time.monotonic()

    def save(self) -> None:
        """Note the time for the next server; only the folder's keeper does so."""
        with suppress(OSError):
            now = self.now()
            os.utime(self._marker, (now, now))
