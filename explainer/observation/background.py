"""Computes in one piece what takes seconds, beside the runs of pages."""

from collections.abc import Callable, Hashable
from math import inf
from typing import Any

from explainer.observation.tasks import standing

ANYBODY = ""  # whoever asks


def is_there(key: Hashable, make: Callable[[], Any]) -> bool:
    """Return whether ``remember(key, …)`` has a value; if not, have ``make`` make it.

    Whoever gets False asks again a while later. ``make`` runs in a thread of its own, so it must
    not ask Streamlit for anything. What can say how far it is, and can be stopped, is better made
    with ``tasks.standing``.

    Raises:
        Exception: ``make`` raised it; the next who asks has it made again.
    """
    found = standing(key, lambda report: make(), asker=ANYBODY, patience=inf)
    if found.error is not None:
        raise found.error
    return found.value is not None
