"""Points of a plane in the colours of their classes, for paper."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explainer.figures import theme
from explainer.figures.plotly_text import in_plotly
from explainer.figures.theme import Mode, Shade


def cloud(groups: Sequence[tuple[str, np.ndarray, Shade, str]], mode: Mode) -> go.Figure:
    """Return points from -1 to 1 without axes, since directions have no meaning.

    Args:
        groups: what each group is called, which a stranger may have written; its points (n, 2),
            right and up; its colour; and plotly's name of its symbol.

    Raises:
        ValueError: a point is not finite.
    """
    if not all(np.isfinite(points).all() for _, points, *_ in groups):
        raise ValueError("points must be finite numbers")
    hidden = {"visible": False, "range": [-1.08, 1.08], "fixedrange": True}
    return go.Figure(
        [
            go.Scatter(
                x=points[:, 0],
                y=points[:, 1],
                name=in_plotly(name),
                mode="markers",
                marker={"size": 6, "color": shade.for_mode(mode), "symbol": symbol},
                hoverinfo="skip",
            )
            for name, points, shade, symbol in groups
        ],
        go.Layout(
            template=theme.template(mode),
            height=560,
            showlegend=True,
            xaxis=hidden,
            yaxis=hidden,
        ),
    )
