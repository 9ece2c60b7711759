"""One row of an attention pattern, read from the tensors of the pass."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class AttentionRow:
    """The attention of one query of one head.

    Attributes:
        weights: (N,) attention weights; they sum to 1.
        scores: (N,) scores before the softmax, q·k / √d_h.
        query: index of the query's token.
        head_dim: d_h, the length of a query or a key.
    """

    weights: np.ndarray
    scores: np.ndarray
    query: int
    head_dim: int

    @property
    def strongest(self) -> np.ndarray:
        """Indices of the keys by falling weight, (N,); equal weights stay in reading order."""
        return np.argsort(-self.weights, kind="stable")

    @property
    def to_itself(self) -> float:
        return float(self.weights[self.query])

    @property
    def half(self) -> int:
        """The smallest number of keys that together have at least half of the attention."""
        return int(np.searchsorted(np.cumsum(self.weights[self.strongest]), 0.5)) + 1

    def product(self, key: int) -> float:
        """q·k, the dot product before it is divided by √d_h."""
        return float(self.scores[key]) * self.head_dim**0.5

    @property
    def exponential_sum(self) -> float:
        """Σ e^score, what the softmax divides by."""
        return float(np.exp(self.scores.astype(np.float64)).sum())

    def at_temperature(self, temperature: float) -> np.ndarray:
        """Return the softmax of the scores divided by ``temperature``, (N,) float64.

        At 1 it differs from the model's own row only by rounding.

        Raises:
            ValueError: the temperature is not above 0.
        """
        if not temperature > 0:
            raise ValueError(f"a temperature must be above 0, not {temperature}")
        scores = self.scores.astype(np.float64) / temperature
        exponentials = np.exp(scores - scores.max())
        return exponentials / exponentials.sum()

    @property
    def undivided(self) -> np.ndarray:
        """The softmax of q·k without the division by √d_h, (N,) float64."""
        return self.at_temperature(self.head_dim**-0.5)


def entropy_bits(weights: np.ndarray) -> float:
    """Return the entropy of weights in bits: 0 if one weight is 1, log₂ N if all are equal."""
    positive = weights[weights > 0].astype(np.float64)
    return abs(float(-(positive * np.log2(positive)).sum()))  # abs: no -0.0


def attention_row(
    tensors: Mapping[str, np.ndarray], *, block: int, head: int, query: int
) -> AttentionRow:
    """Read the row of ``query``; block, head and query count from 0.

    Args:
        tensors: trace keys to arrays without the batch axis.
    """
    prefix = f"blocks.{block}.attn"
    return AttentionRow(
        weights=tensors[f"{prefix}.pattern"][head, query],
        scores=tensors[f"{prefix}.scores"][head, query],
        query=query,
        head_dim=tensors[f"{prefix}.q"].shape[-1],
    )
