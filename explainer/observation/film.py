"""Attention as a film: where one token looks, in every head, from stop to stop.

A stop is an encoder block, or a saved epoch of a run. The numbers are rows of the trace's patterns;
the only one computed here is the mean of a block's heads.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from explainer.observation.observe import Observation

STRONGEST = 12  # arcs of one frame


@dataclass(frozen=True)
class AttentionFilm:
    """Where one token looks at each stop.

    Attributes:
        weights: (stops, heads, N) float32, the token's rows of the patterns; each sums to 1.
        query: the token.
        stops: the blocks, from 0, or the epochs.
    """

    weights: np.ndarray
    query: int
    stops: tuple[int, ...]

    @property
    def heads(self) -> int:
        return self.weights.shape[1]

    @cached_property
    def shown(self) -> np.ndarray:
        """What can be shown, (stops, heads + 1, N): each head, and last the mean of all."""
        mean = self.weights.mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
        return np.concatenate((self.weights, mean), axis=1)

    @cached_property
    def scales(self) -> np.ndarray:
        """The weight of the widest arc in each head's film, and in that of the mean, (heads + 1,).

        It is the largest at any stop. What the token gives to itself is no arc.
        """
        return np.delete(self.shown, self.query, axis=2).max(axis=(0, 2), initial=0.0)

    def strongest(self, stop: int, head: int) -> list[int]:
        """Return the tokens at which arcs end, by falling weight; equal ones in reading order.

        Args:
            stop: its index.
            head: from 0; the number of heads stands for their mean.
        """
        order = np.argsort(-self.shown[stop, head], kind="stable")
        return [int(key) for key in order if key != self.query][:STRONGEST]


def blocks_film(seen: Observation, query: int, first: int, last: int) -> AttentionFilm:
    """Return where a token looks from block ``first`` to ``last``, both within, from 0."""
    blocks = range(first, last + 1)
    # of a large model the tensors are looked up one by one, and only these rows are kept
    rows = [np.array(seen.tensors[f"blocks.{i}.attn.pattern"][:, query]) for i in blocks]
    return AttentionFilm(np.stack(rows), query, tuple(blocks))
