"""Observations of models whose passes are cheap: many are kept for all visitors."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from threading import local

import numpy as np

from explainer.caching import BytesCache
from explainer.observation.compute import Observation
from explainer.observation.lazy_tensors import LazyTensors, tensor_bytes
from explainer.state.choice import Choice

LIMIT = 16 * 1024**2  # bytes
OWN_PICTURES_LIMIT = 8 * 1024**2  # bytes; apart, because only its visitor looks at such a picture
OF_A_RUN = 4  # a page looks at one or two models, and at a changed one beside them


class SmallObservations:
    """Computes observations, keeps the latest, and computes them once more where they are not kept.

    A run of a page is a thread, and it keeps the few that it uses until it ends.

    Args:
        compute: computes an observation, of the pixels that are given or else of the choice's.
    """

    def __init__(self, compute: Callable[[Choice, np.ndarray | None], Observation]) -> None:
        self._compute = compute
        self._shared = BytesCache[Observation](LIMIT, tensor_bytes)
        self._own = BytesCache[Observation](OWN_PICTURES_LIMIT, tensor_bytes)
        self._run = local()

    def without_tensors(self, choice: Choice) -> Observation:
        """Return an observation that looks its tensors up when they are needed."""
        seen = self._get(choice)
        # a visitor's own picture may be kept no longer than this observation of it
        again = partial(self._get, choice, seen.pixels)
        return replace(seen, tensors=LazyTensors(again, seen.tensors))

    def _get(self, choice: Choice, pixels: np.ndarray | None = None) -> Observation:
        """Return an observation with its tensors: this thread's, a kept one, or of a new pass."""
        latest: OrderedDict[Choice, Observation]
        latest = self._run.__dict__.setdefault("latest", OrderedDict())
        if choice not in latest:
            kept = self._own if choice.is_own else self._shared
            latest[choice] = kept.get(choice, lambda: self._compute(choice, pixels))
            if len(latest) > OF_A_RUN:
                latest.popitem(last=False)
        return latest[choice]
