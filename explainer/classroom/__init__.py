"""Rooms of classes: what a teacher leads, and what pupils answer and draw."""

import atexit
import os
from contextlib import suppress
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

from explainer.classroom.errors import ClassroomError
from explainer.classroom.snapshot import Asked, Drawing, Poll, Pupil, Snapshot
from explainer.training.limits import load_limits
from explainer.training.root import runs_root

if TYPE_CHECKING:
    from explainer.classroom.store import Classrooms

__all__ = [
    "Asked",
    "ClassroomError",
    "Drawing",
    "Poll",
    "Pupil",
    "Snapshot",
    "address_of_line",
    "has_lines",
    "the_classrooms",
]

VARIABLE = "VIT_EXPLAINER_CLASSROOMS"  # names a database that replicas share
FILE = "classrooms.sqlite"
_lock = Lock()
_served: list[bool] = []  # whether this server has the lines of rooms


def the_classrooms() -> "Classrooms":
    """Return the rooms of this server; the first call opens the database.

    Raises:
        ClassroomError: this server is not set up for it.
    """
    with _lock:  # two visitors may make the first call at once
        return make_classrooms(database_url())


@cache
def make_classrooms(url: str) -> "Classrooms":
    from explainer.classroom.store import Classrooms  # SQLAlchemy takes long to import

    classrooms = Classrooms(url, load_limits())
    atexit.register(classrooms.close)
    return classrooms


def has_opened() -> bool:
    """Return whether this server has used its database of classes since its start."""
    return bool(make_classrooms.cache_info().currsize)


def database_url() -> str:
    """Return the address of the database: the one that is named, or a file beside the runs."""
    if named := os.environ.get(VARIABLE):
        return named
    root = runs_root().absolute()
    with suppress(OSError):  # who opens the database says that it cannot be reached
        root.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{root / FILE}"


def address_of_line(code: str) -> str:
    """Return the address of a room's line, seen from any page."""
    return f"classroom/{code}"


def has_lines() -> bool:
    """Return whether this server has the lines of rooms; one that runs a plain script has none."""
    return bool(_served)


def note_lines() -> None:
    """Note that the server has them."""
    _served[:] = [True]
