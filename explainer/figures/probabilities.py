"""The probability of each class as bars."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explainer.figures import theme
from explainer.figures.plotly_text import in_plotly
from explainer.figures.theme import Mode

MOST_LETTERS = 18  # of a name beside its bar


def probabilities(
    values: np.ndarray,
    names: Sequence[str],
    truth: int | None,
    texts: Sequence[str],
    axis: str,
    mode: Mode,
) -> go.Figure:
    """Return horizontal bars over 0..1, the first class on top.

    The most probable class has the accent colour; the true one, where it is known, has a
    tick beside its bar.

    Args:
        values: (C,) probabilities.
        names: of the classes, each another.
        texts: what stands beside each bar.
        axis: title of the axis.

    Raises:
        ValueError: a value is not finite.
    """
    if not np.isfinite(values).all():
        raise ValueError("probabilities must be finite numbers")
    best = int(values.argmax())
    beside = [f"{text}  <b>✓</b>" if index == truth else text for index, text in enumerate(texts)]
    categories = [in_plotly(name) for name in names]
    bars = go.Bar(
        x=values,
        y=categories,
        orientation="h",
        text=beside,
        textposition="outside",
        cliponaxis=False,
        marker={
            "color": [
                (theme.ACCENT if index == best else theme.MUTED).for_mode(mode)
                for index in range(len(values))
            ],
            "cornerradius": 3,
        },
        hovertemplate="%{y}: %{x:.6f}<extra></extra>",
    )
    layout = go.Layout(
        template=theme.template(mode),
        height=34 * len(values) + 50,
        bargap=0.3,
        xaxis={
            "range": [0, 1],
            "domain": [0, 0.75],  # what stands beside a full bar needs the rest
            "title": {"text": axis},
            "tickformat": ".0%",
            "tickvals": [0, 0.25, 0.5, 0.75, 1],
            "fixedrange": True,
        },
        yaxis={
            "autorange": "reversed",
            "type": "category",
            "tickvals": categories,
            "ticktext": [in_plotly(shortened(name)) for name in names],
            "tickfont": {"size": 15, "color": theme.TEXT.for_mode(mode)},
            "showgrid": False,
            "ticks": "outside",
            "ticklen": 6,
            "tickcolor": "rgba(0,0,0,0)",  # only for the distance between name and bar
            "fixedrange": True,
        },
    )
    return go.Figure(bars, layout)


def shortened(name: str) -> str:
    """Return as much of a name as leaves the bars their place; pointing at a bar shows it all."""
    return name if len(name) <= MOST_LETTERS else name[: MOST_LETTERS - 1].rstrip() + "…"
