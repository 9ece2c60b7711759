"""Observations of large models: a few are kept for all visitors, one for each run of a page."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from threading import local

import numpy as np

from explainer.caching import BytesCache
from explainer.inputs.models.memory import pass_bytes
from explainer.inputs.models.passes import one_large_pass
from explainer.observation.compute import Observation
from explainer.observation.in_use import InUse
from explainer.state.choice import Choice

LIMIT = 160 * 1024**2  # bytes that are kept: one image of a pretrained model, whatever its size
LENT_LIMIT = 160 * 1024**2  # bytes that runs of pages still use and that are kept no more
PATIENCE = 15.0  # seconds that a new pass waits at most for those runs to end


class LargeObservations:
    """Makes the observations of large models and keeps a few of them.

    A run of a page is a thread of its own. It keeps its observation to its end; others may look at
    other pictures meanwhile, for which the shared memory has to give this one up.

    Args:
        compute: makes an observation.
        limit: bytes that are kept for all visitors.
        lent_limit: bytes that runs may use beside those; a new pass waits for them to end.
        patience: seconds that it waits at most.
    """

    def __init__(
        self,
        compute: Callable[[Choice], Observation],
        limit: int = LIMIT,
        lent_limit: int = LENT_LIMIT,
        patience: float = PATIENCE,
    ) -> None:
        self._compute = compute
        self._kept = BytesCache[Observation](limit, tensor_bytes)
        self._lent_limit, self._patience = lent_limit, patience
        self._in_use = InUse()
        self._run = local()

    @property
    def bytes_in_use(self) -> int:
        """Bytes of all observations that are kept here or used by anybody."""
        return self._in_use.bytes

    @property
    def bytes_kept(self) -> int:
        """Bytes of the observations that are kept here."""
        return self._kept.used

    def keep_for_this_run(self, choice: Choice) -> Observation:
        """Return an observation with its tensors, which this thread keeps until its next one."""
        seen = self.get(choice)
        self._run.kept = (choice, seen)
        return seen

    def get(self, choice: Choice) -> Observation:
        """Return an observation with its tensors: this run's, a kept one, or of a new pass."""
        mine = getattr(self._run, "kept", None)
        if mine and mine[0] == choice:
            return mine[1]
        self._run.kept = mine = None  # its memory is needed
        end = time.monotonic() + self._patience
        while True:
            with one_large_pass:
                lent = self.bytes_in_use - self.bytes_kept
                if choice in self._kept or lent <= self._lent_limit or time.monotonic() > end:
                    size = pass_bytes(choice.config)
                    return self._kept.get(choice, lambda: self._counted(choice), size)
            time.sleep(0.05)

    def without_tensors(self, choice: Choice) -> Observation:
        """Return an observation whose tensors are looked up whenever they are needed.

        Buttons and fragments of every open page keep what they were drawn from. With the tensors
        themselves that would be more than a hundred megabytes for each visitor.
        """
        seen = self.keep_for_this_run(choice)
        return replace(seen, tensors=LazyTensors(self, choice, seen.tensors))

    def _counted(self, choice: Choice) -> Observation:
        seen = self._compute(choice)
        self._in_use.add(seen, tensor_bytes(seen))
        return seen


class LazyTensors(Mapping[str, np.ndarray]):
    """The tensors of a large observation, looked up when they are needed."""

    def __init__(
        self, memory: LargeObservations, choice: Choice, tensors: Mapping[str, np.ndarray]
    ) -> None:
        self._memory, self._choice, self._keys = memory, choice, tuple(tensors)

    def __getitem__(self, key: str) -> np.ndarray:
        return self._memory.get(self._choice).tensors[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def tensor_bytes(seen: Observation) -> int:
    """Return the bytes of an observation's tensors; one that has two names counts once."""
    arrays = {id(array): array.nbytes for array in seen.tensors.values()}
    return sum(arrays.values())
