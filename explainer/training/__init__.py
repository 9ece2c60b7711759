"""Training runs: one manager for the server, and what the pages need to know of it."""

import atexit
from functools import cache
from threading import Lock

from explainer.training.estimates import Estimate
from explainer.training.limits import Limits, RefusedError, load_limits
from explainer.training.manager import Manager
from explainer.training.presence import Presence, is_session_open
from explainer.training.root import runs_root
from explainer.training.run import Run, RunRequest

__all__ = [
    "Estimate",
    "Limits",
    "Manager",
    "RefusedError",
    "Run",
    "RunRequest",
    "close_manager",
    "the_manager",
]

presence = Presence(is_session_open)
_lock = Lock()


def the_manager() -> Manager:
    """Return the manager of this server, which takes over the folder of runs when first asked."""
    with _lock:  # two visitors may be the first
        return make_manager()


def close_manager() -> None:
    """End all training of this server, if there is any."""
    with _lock:
        if make_manager.cache_info().currsize:
            make_manager().close()


@cache
def make_manager() -> Manager:
    manager = Manager(runs_root(), load_limits())
    manager.is_here = presence.is_here
    atexit.register(manager.close)
    return manager
