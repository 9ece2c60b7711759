"""The tensors of an observation, looked up when they are needed."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from explainer.observation.compute import Observation


class LazyTensors(Mapping[str, np.ndarray]):
    """Tensors by their keys, of which none is held here.

    Buttons and parts of an open page keep the values they were drawn from, as long as its visitor
    may come back to it. The tensors themselves would take about a megabyte for each visitor, or a
    hundred of a large model.

    Args:
        get: returns the observation with its tensors: a kept one, or of a new pass.
        tensors: whose keys these have.
    """

    def __init__(self, get: Callable[[], "Observation"], tensors: Mapping[str, np.ndarray]) -> None:
        self._get, self._keys = get, tuple(tensors)

    def __getitem__(self, key: str) -> np.ndarray:
        return self._get().tensors[key]

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def tensor_bytes(seen: "Observation") -> int:
    """Return the bytes of an observation's tensors; a tensor with two names counts once."""
    arrays = {id(array): array.nbytes for array in seen.tensors.values()}
    return sum(arrays.values())
