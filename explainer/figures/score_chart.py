"""A number of many pictures for each of several methods: its mean, and where the middle half is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explainer.figures import theme
from explainer.figures.plotly_text import in_plotly
from explainer.figures.steps import LINE_PIXELS, word
from explainer.figures.theme import Mode, Shade

ROW = 36  # pixels
APART = 0.17  # of a row: half of what lies between two series
SIGNS = {"circle": "●", "diamond": "◆"}


@dataclass(frozen=True)
class Scores:
    """One series of the chart.

    Attributes:
        name: what is said of it above the chart.
        values: M rows, (n,) each, of the method's pictures; finite.
        symbol: one of ``SIGNS``.
        hovers: (M,) what is written beside the pointer.
    """

    name: str
    values: Sequence[np.ndarray]
    shade: Shade
    symbol: str
    hovers: Sequence[str]


def score_chart(
    methods: Sequence[str],
    series: Sequence[Scores],
    *,
    axis: str,
    mode: Mode,
    span: tuple[float, float],
    apart: int = 0,
    level: tuple[float, str] | None = None,
) -> go.Figure:
    """Return a row for each method, with a dot at the mean and a line over the middle half.

    Args:
        methods: names of the M rows, from the top.
        axis: title of the axis of numbers.
        span: from where to where it goes.
        apart: so many rows at the end stand apart, below a line.
        level: a number to compare with, drawn as a dotted line, and what it is.

    Raises:
        ValueError: a series has not a number for each method, or one that is not finite.
    """
    traces = []
    for index, one in enumerate(series):
        finite = (len(row) and np.isfinite(row).all() for row in one.values)
        if len(one.values) != len(methods) or not all(finite):
            raise ValueError(f"{one.name}: each of {len(methods)} methods needs finite numbers")
        rows = np.arange(len(methods)) + APART * (2 * index - len(series) + 1)
        middle = np.array([np.percentile(row, (25, 75)) for row in one.values]).reshape(-1, 2)
        colour = one.shade.for_mode(mode)
        gaps = np.full((len(rows), 1), np.nan)
        traces += [
            go.Scatter(
                x=np.concatenate([middle, gaps], axis=1).reshape(-1),
                y=np.concatenate([rows[:, None], rows[:, None], gaps], axis=1).reshape(-1),
                mode="lines",
                line={"color": colour, "width": 2},
                hoverinfo="skip",
            ),
            go.Scatter(
                x=[float(row.mean()) for row in one.values],
                y=rows,
                customdata=[[text] for text in one.hovers],
                mode="markers",
                marker={"size": 11, "color": colour, "symbol": one.symbol},
                hovertemplate="%{customdata[0]}<extra></extra>",
                cliponaxis=False,
            ),
        ]
    count = len(methods)
    layout = go.Layout(
        template=theme.template(mode),
        height=60 + ROW * count,
        margin={"t": 8},
        showlegend=False,
        dragmode=False,
        xaxis={"title": {"text": axis}, "range": list(span), "fixedrange": True},
        yaxis={
            "tickvals": list(range(count)),
            "ticktext": [in_plotly(name) for name in methods],
            "range": [count - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
    )
    shapes = []
    if 0 < apart < count:
        shapes.append(
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": count - apart - 0.5,
                "y1": count - apart - 0.5,
                "line": {"color": theme.LINE.for_mode(mode), "width": 1.5},
            }
        )
    named = [(f"{SIGNS[one.symbol]} {one.name}", one.shade) for one in series]
    if level:
        shapes.append(
            {
                "type": "line",
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "x0": level[0],
                "x1": level[0],
                "line": {"color": theme.MUTED.for_mode(mode), "width": 1.5, "dash": "dot"},
            }
        )
        named.append((f"┊ {level[1]}", theme.MUTED))
    layout.shapes = shapes
    # a line for each, since two of them are too long for a phone; it is a share of the height
    layout.annotations = [
        word(0, 1 + (len(named) - 1 - line) * LINE_PIXELS / (ROW * count), text, shade, mode)
        for line, (text, shade) in enumerate(named)
    ]
    layout.height += LINE_PIXELS * len(named)
    layout.margin.update(t=8 + LINE_PIXELS * len(named))
    return go.Figure(traces, layout)
