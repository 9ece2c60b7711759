"""How often a unit has which value: a histogram over many patches, with some marked below it."""

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from explainer.figures import theme
from explainer.figures.steps import chart_layout, legend
from explainer.figures.theme import Mode

BINS = 40
BELOW = -0.45  # height at which the marked values lie


class Histogram(NamedTuple):
    """How often which values occur.

    Attributes:
        counts: (bins,).
        edges: (bins + 1,) of the bins.
    """

    counts: np.ndarray
    edges: np.ndarray


def histogram_of(values: np.ndarray, bins: int = BINS) -> Histogram:
    """Return how often which of the values occur, in bins of one width.

    Raises:
        ValueError: a value is not finite.
    """
    if not np.isfinite(values).all():
        raise ValueError("a unit's values must be finite")
    return Histogram(*np.histogram(values.astype(np.float64), bins=bins))


def heights(counts: np.ndarray) -> np.ndarray:
    """Return how high bars are: 0 for none, 1 for one, 2 for ten, 3 for a hundred."""
    return np.where(counts > 0, 1 + np.log10(np.maximum(counts, 1)), 0.0)


def unit_histogram(
    found: Histogram,
    own: np.ndarray,
    own_names: list[str],
    *,
    axes: tuple[str, str],
    names: tuple[str, str],
    hover: tuple[str, str],
    mode: Mode,
) -> go.Figure:
    """Return a bar for each bin, whose height counts powers of ten, and dots for some values.

    Args:
        own: (P,) the values that are marked.
        own_names: what each of them is called.
        axes: titles of the axes.
        names: what the bars and the dots are.
        hover: plotly's templates of a bar, with its ends and its count, and of a dot, with its
            name and its value.
    """
    edges, counts = found.edges, found.counts
    most = max(1, int(np.ceil(np.log10(max(int(counts.max()), 1)))))
    bars = go.Bar(
        x=(edges[1:] + edges[:-1]) / 2,
        y=heights(counts),
        width=np.diff(edges),
        customdata=[
            (f"{low:.2f}", f"{high:.2f}", f"{count:,}")
            for low, high, count in zip(edges[:-1], edges[1:], counts.tolist(), strict=True)
        ],
        marker={"color": theme.MUTED.for_mode(mode), "line": {"width": 0}},
        hovertemplate=f"{hover[0]}<extra></extra>",
    )
    dots = go.Scatter(
        x=own,
        y=np.full(len(own), BELOW),
        customdata=[
            (name, f"{value:.2f}") for name, value in zip(own_names, own.tolist(), strict=True)
        ],
        mode="markers",
        marker={"size": 9, "color": theme.ACCENT.for_mode(mode), "opacity": 0.6},
        hovertemplate=f"{hover[1]}<extra></extra>",
    )
    layout = chart_layout(axes, mode, height=270)
    layout.bargap = 0.04
    ticks = range(most + 2)
    layout.yaxis.update(
        range=[2 * BELOW, most + 1.1],
        tickvals=[*ticks],
        ticktext=["0", *(f"{10**power:,}" for power in range(most + 1))],
        zeroline=True,
    )
    legend(layout, [(f"■ {names[0]}", theme.MUTED), (f"● {names[1]}", theme.ACCENT)], mode)
    return go.Figure([bars, dots], layout)
