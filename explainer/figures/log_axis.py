"""An axis of powers of ten, as plain numbers: a chart shows the exponents and names the powers."""

from collections.abc import Iterable
from typing import Any

import numpy as np

MOST_TICKS = 8
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def exponents(sizes: Iterable[float]) -> np.ndarray:
    """Return the exponents of 10 of some sizes; what is 0 has none, and becomes not a number.

    Raises:
        ValueError: a size is below 0 or infinite.
    """
    values = np.asarray([*sizes], np.float64)
    if (values < 0).any() or np.isinf(values).any():
        raise ValueError("a size is a finite number of at least 0")
    return np.log10(values, out=np.full_like(values, np.nan), where=values > 0)


def ends(values: Iterable[np.ndarray]) -> tuple[float, float]:
    """Return whole exponents between which all values lie."""
    found = np.concatenate([np.zeros(0), *values])
    found = found[np.isfinite(found)]
    if not found.size:
        return -1.0, 0.0
    low, high = np.floor(found.min()), np.ceil(found.max())
    return float(low), float(high if high > low else low + 1)


def log_axis(low: float, high: float) -> dict[str, Any]:
    """Return what plotly's axis needs to name the powers of ten from ``low`` to ``high``."""
    step = max(1, int(np.ceil((high - low) / MOST_TICKS)))
    ticks = list(range(int(low), int(high) + 1, step))
    return {
        "range": [low - 0.03 * (high - low), high + 0.03 * (high - low)],
        "tickvals": ticks,
        "ticktext": [power(tick) for tick in ticks],
        "zeroline": False,
        "fixedrange": True,
    }


def power(exponent: int) -> str:
    return "1" if exponent == 0 else f"10{str(exponent).translate(SUPERSCRIPTS)}"
