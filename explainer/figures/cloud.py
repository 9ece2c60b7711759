"""Points of a plane in the colours of their classes, for paper."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explainer.figures import theme
from explainer.figures.plotly_text import in_plotly
from explainer.figures.theme import Mode, Shade

USUAL, LARGE = 5, 11  # pixels of a point


@dataclass(frozen=True)
class Group:
    """Points of one kind.

    Attributes:
        name: what they are called, which a stranger may have written; empty to say nothing.
        points: (n, 2) from -1 to 1, right and up.
        size: in pixels.
    """

    name: str
    points: np.ndarray
    shade: Shade
    size: int = USUAL


def cloud(groups: Sequence[Group], mode: Mode, note: str = "") -> go.Figure:
    """Return points without axes, since directions have no meaning; their names stand above.

    Args:
        note: what stands below.

    Raises:
        ValueError: a point is not finite.
    """
    if not all(np.isfinite(group.points).all() for group in groups):
        raise ValueError("points must be finite numbers")
    hidden = {"visible": False, "range": [-1.08, 1.08], "fixedrange": True}
    named = [group for group in groups if group.name]
    words = [
        (at / len(named), 1, "left", "bottom", f"● {in_plotly(group.name)}", group.shade)
        for at, group in enumerate(named)
    ]
    if note:
        words.append((1, 0, "right", "top", note, theme.MUTED))
    return go.Figure(
        [
            go.Scatter(
                x=group.points[:, 0],
                y=group.points[:, 1],
                mode="markers",
                marker={"size": group.size, "color": group.shade.for_mode(mode)},
                hoverinfo="skip",
            )
            for group in groups
        ],
        go.Layout(
            template=theme.template(mode),
            height=640,
            showlegend=False,
            xaxis=hidden,
            yaxis=hidden,
            annotations=[
                {
                    "xref": "paper",
                    "yref": "paper",
                    "x": x,
                    "y": y,
                    "xanchor": x_anchor,
                    "yanchor": y_anchor,
                    "text": text,
                    "showarrow": False,
                    "font": {"size": 13, "color": shade.for_mode(mode)},
                }
                for x, y, x_anchor, y_anchor, text, shade in words
            ],
        ),
    )
