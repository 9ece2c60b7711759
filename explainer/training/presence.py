"""Whose pages are open: visitors by the hash of their secret, and the sessions that are theirs.

It knows no more than that a page is open, and forgets it when the page is closed.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

MOST_VISITORS = 5_000
MOST_SESSIONS = 20  # of one visitor


class Presence:
    """The open sessions of visitors; may be called from any thread."""

    def __init__(self, is_open: Callable[[str], bool]) -> None:
        """Begin with nobody.

        Args:
            is_open: whether the page of a session is open now.
        """
        self._is_open = is_open
        self._lock = Lock()
        self._sessions: OrderedDict[str, list[str]] = OrderedDict()  # by the visitors' hashes

    def come(self, owner: str, session: str) -> None:
        """Note whose a session is."""
        with self._lock:
            sessions = self._sessions.setdefault(owner, [])
            self._sessions.move_to_end(owner)
            if session not in sessions:
                sessions.append(session)
                del sessions[:-MOST_SESSIONS]
            while len(self._sessions) > MOST_VISITORS:
                self._sessions.popitem(last=False)

    def is_here(self, owner: str) -> bool:
        """Whether a page of this visitor is open."""
        with self._lock:
            return any(map(self._is_open, self._sessions.get(owner, ())))


def is_session_open(session: str) -> bool:
    """Whether a browser is connected with a session of the app."""
    # the manager works without Streamlit, too, and then nobody has come
    from streamlit import runtime

    return runtime.exists() and runtime.get_instance().is_active_session(session)
