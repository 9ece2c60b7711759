"""Which visitors have a page open: the sessions of each visitor, by the hash of their secret.

Nothing else is recorded, and a session is forgotten when its page is closed.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

MAX_VISITORS = 5_000
MAX_SESSIONS = 20  # of one visitor


class Presence:
    """The open sessions of all visitors; may be called from any thread."""

    def __init__(self, is_open: Callable[[str], bool]) -> None:
        """Start with no visitors.

        Args:
            is_open: whether the page of a session is open now.
        """
        self._is_open = is_open
        self._lock = Lock()
        self._sessions: OrderedDict[str, list[str]] = OrderedDict()  # by the visitors' hashes

    def register(self, owner: str, session: str) -> None:
        """Record which visitor a session belongs to."""
        with self._lock:
            sessions = self._sessions.setdefault(owner, [])
            self._sessions.move_to_end(owner)
            if session not in sessions:
                sessions.append(session)
                del sessions[:-MAX_SESSIONS]
            while len(self._sessions) > MAX_VISITORS:
                self._sessions.popitem(last=False)

    def has_open_page(self, owner: str) -> bool:
        """Return whether any page of this visitor is open."""
        with self._lock:
            return any(map(self._is_open, self._sessions.get(owner, ())))


def is_session_open(session: str) -> bool:
    """Return whether a browser is connected to a session of the app."""
    # imported here: the manager also works without Streamlit, and then no page is open
    from streamlit import runtime

    return runtime.exists() and runtime.get_instance().is_active_session(session)
