"""Training runs: one manager for each server, and the classes that pages use with it."""

import atexit
from functools import cache
from threading import Lock

from explainer.training.estimates import Estimate
from explainer.training.limits import RAY, Limits, RefusedError, load_limits
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
    "counts",
    "load_limits",
    "the_manager",
]

presence = Presence(is_session_open)
_lock = Lock()


def the_manager() -> Manager:
    """Return the manager of this server; the first call creates it."""
    with _lock:  # two visitors may make the first call at once
        return make_manager()


def close_manager() -> None:
    """End all training of this server, if the manager was ever created."""
    with _lock:
        if make_manager.cache_info().currsize:
            make_manager().close()


def counts() -> tuple[int, int]:
    """Return how many runs wait, and how many a process trains; it makes no manager."""
    with _lock:
        return make_manager().counts() if make_manager.cache_info().currsize else (0, 0)


@cache
def make_manager() -> Manager:
    limits = load_limits()
    if limits.engine == RAY:
        # most servers have no cluster
        from explainer.training.on_ray.manager import RayManager

        manager: Manager = RayManager(runs_root(), limits)
    else:
        manager = Manager(runs_root(), limits)
    manager.has_open_page = presence.has_open_page
    atexit.register(manager.close)
    return manager
