"""How one number of a trace is computed: its terms, their sum, and what is done to the sum.

Everything is computed again in float64 from the float32 tensors and weights of the pass, so that
the result differs from the tensor's number only by rounding.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Kind = Literal["dot", "mix", "softmax", "layer_norm", "gelu", "sum", "mean"]


@dataclass(frozen=True)
class Factor:
    """A row of numbers that are multiplied or added.

    Attributes:
        name: of its entry in the texts.
        values: (n,) float64.
        colour: what the row means, as in ``figures.theme.MARKS``; None for no colour.
    """

    name: str
    values: np.ndarray
    colour: str | None = None


@dataclass(frozen=True)
class Derivation:
    """How one number was computed.

    Attributes:
        kind: the operation, which decides how the formula is written.
        factors: the rows that the terms are made of, each with one number for each term.
        terms: (n,) the numbers that are added up: products, powers of e, or the factor itself.
        over: what each term belongs to: a "pixel", "dimension", "number", "token", "unit", "patch",
            "part" or "class".
        result: computed in float64.
        shown: the number in the tensor.
        numbers: further numbers of the formula by their names: bias, root, mean, …
        chosen: index of the term that the number belongs to; None if it belongs to all.
        left_out: the field of ``TrainConfig`` for the step that a classic mistake leaves out here,
            or "head" where the head is switched off; empty if nothing is left out.
    """

    kind: Kind
    factors: tuple[Factor, ...]
    terms: np.ndarray
    over: str
    result: float
    shown: float
    numbers: Mapping[str, float] = field(default_factory=dict)
    chosen: int | None = None
    left_out: str = ""

    @property
    def scale(self) -> float:
        """The size that rounding is compared with: that of the added numbers, at least 1.

        A LayerNorm subtracts the mean. If a row's numbers are large and nearly equal, the result
        is small, but it has the rounding of the large numbers.
        """
        if self.kind == "layer_norm":
            n = self.numbers
            before = (abs(n["x"]) + abs(n["mean"])) / math.sqrt(n["variance"] + n["epsilon"])
            return max(1.0, before * abs(n["gamma"]) + abs(n["beta"]))
        return max(1.0, float(np.abs(self.terms).sum()))


def dot(
    left: Factor,
    right: Factor,
    shown: float,
    over: str,
    *,
    bias: float | None = None,
    root: int | None = None,
    factor: float | None = None,
    kind: Kind = "dot",
) -> Derivation:
    """Derive (Σ left · right + bias) / √root · factor."""
    terms = left.values * right.values
    result = float(terms.sum()) + (bias or 0.0)
    numbers = {"sum": float(terms.sum())}
    if bias is not None:
        numbers["bias"] = bias
    if root is not None:
        result /= math.sqrt(root)
        numbers["root"] = root
    if factor is not None:
        result *= factor
        numbers["factor"] = factor
    return Derivation(kind, (left, right), terms, over, result, shown, numbers)


def softmax(scores: Factor, index: int, shown: float, over: str) -> Derivation:
    """Derive e^score / Σ e^score for one index.

    The largest score is subtracted from all scores first. This does not change the result, and it
    keeps e^score in the range of floating-point numbers.
    """
    most = float(scores.values.max())
    terms = np.exp(scores.values - most)
    result = float(terms[index] / terms.sum())
    numbers = {
        "score": float(scores.values[index]),
        "most": most,
        "power": float(terms[index]),
        "sum": float(terms.sum()),
    }
    return Derivation("softmax", (scores,), terms, over, result, shown, numbers, index)


def layer_norm(
    row: np.ndarray, index: int, gamma: float, beta: float, epsilon: float, shown: float
) -> Derivation:
    """Derive (x - μ) / √(σ² + ε) · γ + β of one dimension."""
    mean, variance = float(row.mean()), float(row.var())
    result = (float(row[index]) - mean) / math.sqrt(variance + epsilon) * gamma + beta
    numbers = {
        "x": float(row[index]),
        "mean": mean,
        "variance": variance,
        "epsilon": epsilon,
        "gamma": gamma,
        "beta": beta,
    }
    squares = (row - mean) ** 2
    return Derivation(
        "layer_norm", (Factor("row", row),), squares, "dimension", result, shown, numbers, index
    )


def gelu(x: float, shown: float) -> Derivation:
    """Derive x · Φ(x), with Φ the distribution function of the standard normal (exact GELU)."""
    share = 0.5 * (1 + math.erf(x / math.sqrt(2)))
    values = np.array([x])
    numbers = {"x": x, "share": share}
    return Derivation(
        "gelu", (Factor("pre", values),), values * share, "unit", x * share, shown, numbers
    )


def total(parts: Sequence[tuple[str, float]], shown: float) -> Derivation:
    """Derive a sum of a few named numbers."""
    values = np.array([value for _, value in parts])
    factors = tuple(Factor(name, np.array([value])) for name, value in parts)
    return Derivation("sum", factors, values, "part", float(values.sum()), shown)


def mean(values: np.ndarray, shown: float) -> Derivation:
    """Derive the mean of one dimension over all patches."""
    result = float(values.mean())
    numbers = {"sum": float(values.sum()), "count": len(values)}
    return Derivation("mean", (Factor("patches", values),), values, "patch", result, shown, numbers)
