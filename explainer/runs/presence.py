"""Whose pages are open: visitors by the hash of their secret, and the sessions that are theirs.

It knows no more than that a page is open, and forgets it when the page is closed.
"""

from collections.abc import Callable
from threading import Lock

MOST_SESSIONS = 5_000


class Presence:
    """The open sessions of visitors; may be called from any thread."""

    def __init__(self, is_open: Callable[[str], bool]) -> None:
        """Begin with nobody.

        Args:
            is_open: whether the page of a session is open now.
        """
        self._is_open = is_open
        self._lock = Lock()
        self._owners: dict[str, str] = {}  # session → hash of the visitor's secret

    def come(self, session: str, owner: str) -> None:
        """Note whose a session is."""
        with self._lock:
            self._owners.pop(session, None)
            self._owners[session] = owner
            while len(self._owners) > MOST_SESSIONS:
                self._owners.pop(next(iter(self._owners)))

    def is_here(self, owner: str) -> bool:
        """Whether a page of this visitor is open."""
        with self._lock:
            sessions = [one for one, whose in self._owners.items() if whose == owner]
            closed = [session for session in sessions if not self._is_open(session)]
            for session in closed:
                self._owners.pop(session)
            return len(closed) < len(sessions)
