"""Dimensions of a sine-cosine encoding as curves over the places."""

from collections.abc import Callable, Sequence

import numpy as np
import plotly.graph_objects as go

from explainer.figures import theme
from explainer.figures.theme import Mode

FINE = 24  # points a step, so that a curve is round

Curve = Callable[[np.ndarray], np.ndarray]  # places to heights from -1 to 1


def waves_chart(
    curves: Sequence[Curve],
    names: Sequence[str],
    chosen: int,
    places: int,
    *,
    axis: str,
    hover: str,
    mode: Mode,
) -> go.Figure:
    """Return a curve for each wave, with a dot at every place that there is.

    Args:
        curves, names: the waves and what each is called.
        chosen: index of the wave in full colour, drawn on top.
        places: how many there are, from 0.
        axis: title of the horizontal axis.
        hover: plotly's template of a dot.
        mode: of the theme.

    Raises:
        ValueError: there is no place, or ``chosen`` is none of the waves.
    """
    if places < 1 or not 0 <= chosen < len(curves):
        raise ValueError("a chart of waves needs a place, and the chosen wave among its own")
    steps = np.arange(places)
    fine = np.linspace(0, max(places - 1, 0), FINE * max(places - 1, 1) + 1)
    figure = go.Figure(layout=layout(axis, places, mode))
    for index in sorted(range(len(curves)), key=lambda index: index == chosen):
        shade = theme.ACCENT if index == chosen else theme.MUTED
        style = {"color": shade.for_mode(mode), "width": 2.5 if index == chosen else 1.25}
        along, name = curves[index](fine), names[index]
        figure.add_scatter(
            x=fine,
            y=along,
            mode="lines",
            line=style,
            opacity=1.0 if index == chosen else 0.6,
            name=name,
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=steps,
            y=curves[index](steps),
            mode="markers",
            marker={"size": 7 if index == chosen else 4, "color": shade.for_mode(mode)},
            opacity=1.0 if index == chosen else 0.6,
            name=name,
            hovertemplate=f"{name}<br>{hover}<extra></extra>",
            showlegend=False,
        )
        if index != chosen:
            continue
        figure.add_annotation(
            x=1, y=1, xref="paper", yref="paper", text=name, showarrow=False,
            xanchor="right", yanchor="bottom", font={"size": 13, "color": shade.for_mode(mode)},
        )  # fmt: skip
    return figure


def layout(axis: str, places: int, mode: Mode) -> go.Layout:
    return go.Layout(
        template=theme.template(mode),
        height=280,
        margin={"t": 28},
        xaxis={
            "title": {"text": axis},
            "range": [-0.3, max(places - 1, 1) + 0.3],
            "showgrid": False,
            "fixedrange": True,
        },
        yaxis={"range": [-1.1, 1.1], "tickvals": [-1, 0, 1], "fixedrange": True},
    )
