"""Curves of a test of heat maps: what the model says while patches go, or come back."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explainer.figures import theme
from explainer.figures.plotly_text import in_plotly
from explainer.figures.steps import chart_layout, legend
from explainer.figures.theme import Mode, Shade

# enough for seven methods; baselines are grey, and of another line each
SHADES = (
    *(theme.ACCENT, theme.PATCH, theme.QUERY, theme.KEY, theme.VALUE),
    *(theme.CLASS_TOKEN, theme.GOOD),
)
DASHES = ("dash", "dot")
SIGNS = {"solid": "●", "dash": "╌", "dot": "┄"}


@dataclass(frozen=True)
class ScoreCurve:
    """One method's curve.

    Attributes:
        values: (S + 1,) heights.
        is_baseline: whether it asks no model.
        is_chosen: whether it is drawn thick.
    """

    name: str
    values: np.ndarray
    is_baseline: bool
    is_chosen: bool


def score_curves(
    curves: Sequence[ScoreCurve],
    shares: np.ndarray,
    *,
    axes: tuple[str, str],
    hover: str,
    mode: Mode,
    lowest: float = 0.0,
) -> go.Figure:
    """Return the curves of all methods over the share of patches that are gone, or back.

    Args:
        shares: (S + 1,), 0 to 1.
        axes: titles of the axes.
        hover: plotly's template; ``customdata`` holds a curve's name.
        lowest: the bottom of the upright axis, at most 0.

    Raises:
        ValueError: a curve has not one height for each share.
    """
    traces, named = [], []
    for curve, shade, dash in zip(curves, *looks(curves), strict=True):
        if curve.values.shape != shares.shape:
            raise ValueError(f"{curve.name}: each share of patches needs one height")
        name = in_plotly(curve.name)
        traces.append(
            go.Scatter(
                x=100 * shares,
                y=curve.values,
                customdata=[name] * len(shares),
                mode="lines",
                line={
                    "color": shade.for_mode(mode),
                    "width": 4 if curve.is_chosen else 2,
                    "dash": dash,
                },
                hovertemplate=f"{hover}<extra></extra>",
            )
        )
        named.append((f"{SIGNS[dash]} {name}", shade))
    layout = chart_layout(axes, mode, 280)
    layout.xaxis.update(
        range=[0, 100], zeroline=False, tickvals=[0, 25, 50, 75, 100], ticksuffix=" %"
    )
    layout.yaxis.update(range=[lowest - 0.02, 1.04])
    legend(layout, named, mode)
    return go.Figure(traces, layout)


def looks(curves: Sequence[ScoreCurve]) -> tuple[list[Shade], list[str]]:
    """Return the colour and the line of each curve."""
    shades, dashes, methods, baselines = [], [], 0, 0
    for curve in curves:
        if curve.is_baseline:
            shades.append(theme.MUTED)
            dashes.append(DASHES[baselines % len(DASHES)])
            baselines += 1
        else:
            shades.append(SHADES[methods % len(SHADES)])
            dashes.append("solid")
            methods += 1
    return shades, dashes
