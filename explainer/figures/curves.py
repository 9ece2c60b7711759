"""What is measured while models learn: one quantity over the epochs, of one run or of several."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from explainer import theme
from explainer.theme import Mode, Shade

MOST = 400  # points of a curve, which is more than a screen shows
HIGHEST = 6.0  # nats on the axis of the loss
LOWEST = 2.5  # nats at its top, at least, so that it stays as it is in most runs
HEIGHT = 300


@dataclass(frozen=True)
class Curve:
    """One series of measurements.

    Attributes:
        name: what hovering calls it.
        epochs: (n,) when, in epochs and parts of them.
        values: (n,) losses in nats, or percentages.
        kind: "line" is thin, "dots" are small and joined, "marks" are large.
        symbol: of the marks.
    """

    name: str
    epochs: np.ndarray
    values: np.ndarray
    kind: Literal["line", "dots", "marks"]
    shade: Shade
    symbol: str = "circle"


def losses(
    curves: Sequence[Curve],
    *,
    epochs: int,
    axis: str,
    epoch_axis: str,
    hover: str,
    level: tuple[float, str],
    cut_off: str,
    mode: Mode,
    name_last: bool = False,
) -> go.Figure:
    """Return losses over the epochs.

    Args:
        epochs: of the longest run, where the axis ends.
        axis, epoch_axis: titles.
        hover: plotly's template of a point; the curve's name stands above it.
        level: a loss to compare with, drawn as a dotted line, and what it is.
        cut_off: says how high a curve goes that leaves the picture, with ``{most}``.
        mode: of the theme.
        name_last: whether the last mark of a curve has its value beside it.

    Raises:
        ValueError: a curve's values are not as many as its epochs, or not finite.
    """
    most = max((float(curve.values.max()) for curve in curves if curve.values.size), default=0.0)
    top = float(np.clip(1.05 * most, LOWEST, HIGHEST))
    figure = draw(curves, epochs, (axis, epoch_axis), hover, (0.0, top), level, mode)
    if name_last:
        mark_last(figure, curves, "%{y:.3f}", "top center")
    if most > top:
        figure.add_annotation(
            text=cut_off.format(most=f"{most:,.3g}"),
            **(corner(mode) | {"y": 1, "yref": "paper", "yanchor": "top"}),
        )
    return figure


def accuracies(
    curves: Sequence[Curve],
    *,
    epochs: int,
    axis: str,
    epoch_axis: str,
    hover: str,
    level: tuple[float, str],
    mode: Mode,
    name_last: bool = False,
) -> go.Figure:
    """Return percentages over the epochs, otherwise as ``losses``."""
    figure = draw(curves, epochs, (axis, epoch_axis), hover, (0.0, 104.0), level, mode)
    figure.layout.yaxis.tickvals = [0, 25, 50, 75, 100]
    if name_last:
        mark_last(figure, curves, "%{y:.1f} %", "bottom center")
    return figure


def draw(
    curves: Sequence[Curve],
    epochs: int,
    titles: tuple[str, str],
    hover: str,
    span: tuple[float, float],
    level: tuple[float, str],
    mode: Mode,
) -> go.Figure:
    height, name = level
    layout = go.Layout(
        template=theme.template(mode),
        height=HEIGHT,
        showlegend=False,
        hovermode="closest",
        dragmode=False,  # so that a finger scrolls the page; the bar above the chart can zoom
        uirevision="kept",
        margin={"t": 12, "r": 4},
        xaxis={
            "title": {"text": titles[1]},
            "range": [-0.02 * epochs, 1.05 * epochs],
            "tickvals": ticks(epochs),
            "zeroline": False,
        },
        yaxis={"title": {"text": titles[0]}, "range": list(span), "zeroline": False},
        shapes=[
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": height,
                "y1": height,
                "line": {"color": theme.MUTED.of(mode), "width": 1.25, "dash": "dot"},
            }
        ],
        annotations=[corner(mode) | {"y": height, "yanchor": "bottom", "text": name}],
    )
    return go.Figure([trace_of(curve, hover, mode) for curve in curves], layout)


def trace_of(curve: Curve, hover: str, mode: Mode) -> go.Scatter:
    if curve.epochs.shape != curve.values.shape or not np.isfinite(curve.values).all():
        raise ValueError(f"{curve.name}: each place needs one finite number")
    colour, kept = curve.shade.of(mode), thinned(len(curve.values))
    return go.Scatter(
        x=curve.epochs[kept].astype(np.float32),
        y=curve.values[kept].astype(np.float32),
        mode={"line": "lines", "dots": "lines+markers", "marks": "markers"}[curve.kind],
        line={"color": colour, "width": 1.25 if curve.kind == "line" else 2},
        marker={
            "color": colour,
            "symbol": curve.symbol,
            "size": 11 if curve.kind == "marks" else 5,
            "line": {
                "width": 2 if curve.kind == "marks" else 0,
                "color": theme.BACKGROUND.of(mode),
            },
        },
        cliponaxis=curve.kind != "marks",
        name=curve.name,
        hovertemplate=f"{curve.name}<br>{hover}<extra></extra>",
    )


def thinned(count: int) -> np.ndarray:
    """Return which of so many points are drawn: evenly spaced, the first and the last of them."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST)).round().astype(int))


def mark_last(figure: go.Figure, curves: Sequence[Curve], pattern: str, place: str) -> None:
    """Write the value of the last mark beside it."""
    for trace, curve in zip(figure.data, curves, strict=True):
        if curve.kind == "marks" and curve.values.size:
            trace.mode = "markers+text"
            trace.text = [""] * (len(trace.x) - 1) + ["last"]
            trace.texttemplate = [""] * (len(trace.x) - 1) + [f"<b>{pattern}</b>"]
            trace.textposition = place
            trace.textfont = {"size": 14, "color": trace.marker.color}


def ticks(epochs: int) -> list[int]:
    """Return whole epochs to name on the axis, not too many of them."""
    apart = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if epochs / step <= 10)
    return list(range(0, epochs + 1, apart))


def corner(mode: Mode) -> dict:
    """Return the look of a remark at the right end of a chart."""
    return {
        "xref": "paper",
        "x": 1,
        "xanchor": "right",
        "showarrow": False,
        "font": {"size": 13, "color": theme.MUTED.of(mode)},
    }
