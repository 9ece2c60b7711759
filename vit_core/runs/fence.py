"""Whether a process may still write a run: as long as a small file holds a text.

Whoever lets a process train may give it the path of such a file and a text. To end its right to
write, somebody removes the file, or puts another one in its place. The app does so when another
server takes a run over (``explainer.training.lease``). This module knows nothing of servers.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

from vit_core.errors import VitError

MOST_BYTES = 1024
CHECK_SECONDS = 0.5  # at least, between two checks of ``check_sometimes``


class FencedError(VitError, RuntimeError):
    """The process may no longer write the run: somebody else has taken it over."""

    def __init__(self) -> None:
        super().__init__("another server has taken it over")


@dataclass
class Fence:
    """The right to write a run.

    Attributes:
        path: of the small file.
        text: that the file holds as long as the right lasts; nobody can guess it.
    """

    path: Path
    text: str
    _checked: float = field(default=float("-inf"), init=False)

    def holds(self) -> bool:
        """Return whether the process may write; also False if that cannot be found out."""
        try:
            # opening asks the server of a network drive, which looking at a name need not do
            with self.path.open("rb") as file:
                return self.text.encode() in file.read(MOST_BYTES)
        except OSError:
            return False

    def check(self) -> None:
        """Refuse to go on without the right to write.

        Raises:
            FencedError: the file is gone, or holds another text.
        """
        if not self.holds():
            raise FencedError
        self._checked = time.monotonic()

    def check_sometimes(self) -> None:
        """Check, unless that was done a moment ago; for places that are passed very often.

        Raises:
            FencedError: as for ``check``.
        """
        if time.monotonic() - self._checked > CHECK_SECONDS:
            self.check()
