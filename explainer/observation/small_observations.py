"""Observations of models whose passes are cheap: many are kept for all visitors."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from threading import local
from typing import NamedTuple

import numpy as np

from explainer.caching import BytesCache
from explainer.observation.compute import Observation
from explainer.observation.lazy_tensors import LazyTensors, tensor_bytes
from explainer.state.choice import Choice

LIMIT = 8 * 1024**2  # bytes
OWN_PICTURES_LIMIT = 4 * 1024**2  # bytes; apart, because only its visitor looks at such a picture
AT_LEAST = 2  # of the largest models; each choice on a page with two halves asks for both
OF_A_RUN = 4  # a page looks at one or two models, and at a changed one beside them


class Kept(NamedTuple):
    """An observation with its tensors, and the one that pages hold, which looks them up."""

    whole: Observation
    without_tensors: Observation


def kept_bytes(kept: Kept) -> int:
    return tensor_bytes(kept.whole)


class SmallObservations:
    """Computes observations, keeps the latest, and computes them once more where they are not kept.

    A run of a page is a thread, and it keeps the few that it uses until it ends.

    Args:
        compute: computes an observation, of the pixels that are given or else of the choice's.
    """

    def __init__(self, compute: Callable[[Choice, np.ndarray | None], Observation]) -> None:
        self._compute = compute
        self._shared = BytesCache[Kept](LIMIT, kept_bytes, AT_LEAST)
        self._own = BytesCache[Kept](OWN_PICTURES_LIMIT, kept_bytes, AT_LEAST)
        self._run = local()

    def without_tensors(self, choice: Choice) -> Observation:
        """Return an observation that looks its tensors up when they are needed."""
        return self._get(choice).without_tensors

    def _make(self, choice: Choice, known: np.ndarray | None) -> Kept:
        whole = self._compute(choice, known)
        pixels = whole.pixels  # alone, so that the tensors are not held with them

        def again() -> Observation:
            # a visitor's own picture may be kept no longer than this observation of it
            return self._get(choice, pixels).whole

        return Kept(whole, replace(whole, tensors=LazyTensors(again, whole.tensors)))

    def _get(self, choice: Choice, known: np.ndarray | None = None) -> Kept:
        """Return this thread's observation of a choice, a kept one, or that of a new pass.

        Args:
            known: the pixels, if they are.
        """
        latest: OrderedDict[Choice, Kept]
        latest = self._run.__dict__.setdefault("latest", OrderedDict())
        if choice not in latest:
            kept = self._own if choice.is_own else self._shared
            latest[choice] = kept.get(choice, lambda: self._make(choice, known))
            if len(latest) > OF_A_RUN:
                latest.popitem(last=False)
        return latest[choice]
