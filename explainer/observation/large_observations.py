"""Observations of large models: a few are kept for all visitors, and one for each run of a page."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from threading import local

from explainer.caching import BytesCache
from explainer.inputs.models.memory import pass_bytes
from explainer.inputs.models.passes import one_large_pass
from explainer.observation.compute import Observation
from explainer.observation.lazy_tensors import LazyTensors, tensor_bytes
from explainer.observation.live_bytes import LiveBytes
from explainer.state.choice import Choice

LIMIT = 160 * 1024**2  # bytes that are kept: one image of the largest pretrained model
LENT_LIMIT = 160 * 1024**2  # bytes that are no longer kept, but still used by runs of pages
MAX_WAIT = 15.0  # seconds that a new pass waits for those runs to end


class LargeObservations:
    """Computes the observations of large models and keeps a few of them.

    A run of a page is a thread, and it keeps its observation until it ends. In the meantime other
    visitors may need other observations, for which the shared cache drops this one.

    Args:
        compute: computes an observation.
        limit: bytes that are kept for all visitors.
        lent_limit: bytes that runs may use besides; above it, a new pass waits for runs to end.
        max_wait: seconds that it waits at most.
    """

    def __init__(
        self,
        compute: Callable[[Choice], Observation],
        limit: int = LIMIT,
        lent_limit: int = LENT_LIMIT,
        max_wait: float = MAX_WAIT,
    ) -> None:
        self._compute = compute
        self._cache = BytesCache[Observation](limit, tensor_bytes)
        self._lent_limit, self._max_wait = lent_limit, max_wait
        self._live = LiveBytes()
        self._run = local()

    @property
    def bytes_in_use(self) -> int:
        """Bytes of all observations that are kept here or used by a page."""
        return self._live.total

    @property
    def bytes_kept(self) -> int:
        """Bytes of the observations that are kept here."""
        return self._cache.used

    def keep_for_this_run(self, choice: Choice) -> Observation:
        """Return an observation with its tensors; this thread keeps it until it needs another."""
        seen = self.get(choice)
        self._run.latest = (choice, seen)
        return seen

    def get(self, choice: Choice) -> Observation:
        """Return an observation with its tensors: this thread's, a cached one, or of a new pass."""
        latest = getattr(self._run, "latest", None)
        if latest and latest[0] == choice:
            return latest[1]
        self._run.latest = latest = None  # frees its memory
        end = time.monotonic() + self._max_wait
        while True:
            with one_large_pass:
                lent = self.bytes_in_use - self.bytes_kept
                if choice in self._cache or lent <= self._lent_limit or time.monotonic() > end:
                    size = pass_bytes(choice.config)
                    return self._cache.get(choice, lambda: self._counted(choice), size)
            time.sleep(0.05)

    def without_tensors(self, choice: Choice) -> Observation:
        """Return an observation that looks its tensors up when they are needed."""
        seen = self.keep_for_this_run(choice)
        return replace(seen, tensors=LazyTensors(partial(self.get, choice), seen.tensors))

    def _counted(self, choice: Choice) -> Observation:
        seen = self._compute(choice)
        self._live.add(seen, tensor_bytes(seen))
        return seen
