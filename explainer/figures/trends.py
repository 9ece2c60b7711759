"""Means of repeated measurements over an axis of powers of ten, with a dot for each of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explainer.figures.plotly_text import in_plotly
from explainer.figures.steps import chart_layout, legend
from explainer.figures.theme import Mode, Shade

LABEL_PIXELS = 28  # right of the axis, for half of the last place's name
SIGNS = {"solid": "●", "dash": "╌", "dot": "┄"}


@dataclass(frozen=True)
class Trend:
    """One series.

    Attributes:
        name: what it is called above the chart.
        x: (n,) places above 0.
        values: (n, r) heights, a column for each repetition; not a number where one is missing.
        texts: (n,) what is written of each mean beside the pointer.
        has_dots: whether every single value is drawn as well.
        dash: of the line, as plotly names it.
    """

    name: str
    x: np.ndarray
    values: np.ndarray
    texts: Sequence[str]
    shade: Shade
    has_dots: bool = True
    dash: str = "solid"

    def __post_init__(self) -> None:
        if not len(self.x) == len(self.values) == len(self.texts):
            raise ValueError(f"{self.name}: each place needs its values and one text")
        if not (self.x > 0).all() or np.isnan(self.values).all(axis=1).any():
            raise ValueError(f"{self.name}: each place is above 0 and has at least one value")

    @property
    def means(self) -> np.ndarray:
        """(n,) means over the repetitions."""
        found: np.ndarray = np.nanmean(self.values, axis=1)
        return found


def trend_chart(
    trends: Sequence[Trend],
    *,
    axes: tuple[str, str],
    ticks: Sequence[float],
    y_range: tuple[float, float],
    hover: str,
    mode: Mode,
    height: int = 280,
) -> go.Figure:
    """Return a few series over one axis of powers of ten.

    Args:
        axes: titles of the axes.
        ticks: places that the lower axis names.
        hover: plotly's template; ``customdata`` holds a series' name, the place and its text.
    """
    traces = []
    for trend in trends:
        colour, places = trend.shade.for_mode(mode), np.log10(trend.x)
        if trend.has_dots:
            rows, columns = np.nonzero(~np.isnan(trend.values))
            traces.append(
                go.Scatter(
                    x=places[rows],
                    y=trend.values[rows, columns],
                    mode="markers",
                    marker={"size": 6, "color": colour, "opacity": 0.55},
                    hoverinfo="skip",
                    cliponaxis=False,
                )
            )
        traces.append(
            go.Scatter(
                x=places,
                y=trend.means,
                customdata=[
                    (in_plotly(trend.name), f"{place:,.10g}", text)
                    for place, text in zip(trend.x.tolist(), trend.texts, strict=True)
                ],
                mode="lines",
                line={"color": colour, "width": 2.5, "dash": trend.dash},
                hovertemplate=f"{hover}<extra></extra>",
            )
        )
    every = [float(place) for trend in trends for place in trend.x]
    low, high = (float(np.log10(end([*ticks, *every]))) for end in (min, max))
    room = 0.03 * (high - low)
    layout = chart_layout(axes, mode, height)
    layout.xaxis.update(
        tickvals=[float(np.log10(tick)) for tick in ticks],
        ticktext=[f"{tick:,.10g}" for tick in ticks],
        range=[low - room, high + room],
        zeroline=False,
    )
    layout.yaxis.update(range=list(y_range))
    layout.margin.update(r=LABEL_PIXELS)
    named = [(f"{SIGNS[trend.dash]} {in_plotly(trend.name)}", trend.shade) for trend in trends]
    legend(layout, named, mode)
    return go.Figure(traces, layout)
