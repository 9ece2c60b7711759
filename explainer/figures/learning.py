"""Charts of how a model learns: the loss, its gradients at classes and tensors, one weight."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explainer.figures import theme
from explainer.figures.log_axis import ends, exponents, log_axis
from explainer.figures.plotly_text import in_plotly
from explainer.figures.theme import Mode, Shade

LOWEST_TOP = 4.0  # nats at the top of the loss, at least
POINTS = 160  # of a curve
ROW = 20  # pixels of a bar
LEGEND_LINE = 18  # pixels of a name, where they stand below one another


@dataclass(frozen=True)
class Series:
    """Some sizes along the way back.

    Attributes:
        name: what it is called above the chart.
        places: (n,) where along the axis.
        sizes: (n,) of at least 0; one that is 0 cannot be drawn on an axis of powers.
        names: (n,) what each is called beside the pointer.
        shade: of line and dots.
        keys: (n,) what a click on each chooses; empty for nothing.
        has_line: whether the dots are joined.
        dash: of the line, as plotly names it.
    """

    name: str
    places: Sequence[float]
    sizes: Sequence[float]
    names: Sequence[str]
    shade: Shade
    keys: Sequence[str] = ()
    has_line: bool = True
    dash: str = "solid"

    def __post_init__(self) -> None:
        if not len(self.places) == len(self.sizes) == len(self.names):
            raise ValueError(f"{self.name}: each place needs a size and a name")


def loss_curve(
    loss: float,
    classes: int,
    *,
    axes: tuple[str, str],
    guessing: str,
    hover: tuple[str, str],
    mode: Mode,
    highest: float | None = None,
) -> go.Figure:
    """Return -ln p over p, with the point of one picture and that of a model that guesses.

    Args:
        loss: of the picture, in nats.
        classes: of the model.
        axes: titles of the axes.
        guessing: what the loss of guessing is called.
        hover: plotly's templates of the picture's point and of guessing's.
        highest: loss for which there is room; that of the picture if None.

    Raises:
        ValueError: the loss is below 0 or not finite.
    """
    if not 0 <= loss < np.inf:
        raise ValueError(f"a loss is a finite number of at least 0, not {loss}")
    guess = float(np.log(classes))
    top = max(LOWEST_TOP, 1.1 * max(loss if highest is None else highest, guess))
    shares = np.exp(-np.linspace(top, 0, POINTS))
    curve = go.Scatter(
        x=shares,
        y=-np.log(shares),
        mode="lines",
        line={"color": theme.MUTED.for_mode(mode), "width": 2},
        hoverinfo="skip",
    )
    guessed = dot(1 / classes, guess, theme.MUTED, 11, hover[1], mode)
    point = dot(float(np.exp(-loss)), loss, theme.ACCENT, 16, hover[0], mode)
    return go.Figure(
        [curve, guessed, point],
        go.Layout(
            template=theme.template(mode),
            height=260,
            margin={"t": 12},
            showlegend=False,
            xaxis={"title": {"text": axes[0]}, "range": [-0.02, 1.02], "fixedrange": True},
            yaxis={
                "title": {"text": axes[1]},
                "range": [-0.04 * top, top],
                "fixedrange": True,
            },
            shapes=[level(guess, mode)],
            annotations=[words(1, (guess + 0.04 * top) / (1.04 * top), f"┄ {guessing}", mode)],
        ),
    )


def class_gradients(
    values: np.ndarray,
    names: Sequence[str],
    target: int,
    texts: Sequence[str],
    *,
    axis: str,
    hover: str,
    mode: Mode,
) -> go.Figure:
    """Return the gradient at each logit as a bar from 0, to the left where the logit has to grow.

    Args:
        values: (n,) from -1 to 1.
        names: of the classes; strangers' words.
        target: index of the class that the loss asks for, in full colour.
        texts: what stands beside each bar.

    Raises:
        ValueError: a value is not finite.
    """
    if not np.isfinite(values).all():
        raise ValueError("gradients must be finite numbers")
    shades = [theme.ACCENT if index == target else theme.MUTED for index in range(len(values))]
    bars = go.Bar(
        x=[float(value) for value in values],
        y=[in_plotly(name) for name in names],
        orientation="h",
        marker={"color": [shade.for_mode(mode) for shade in shades]},
        text=list(texts),
        textposition="outside",
        cliponaxis=False,
        hovertemplate=f"{hover}<extra></extra>",
    )
    figure = go.Figure(
        bars,
        go.Layout(
            template=theme.template(mode),
            height=60 + ROW * len(values),
            bargap=0.3,
            showlegend=False,
        ),
    )
    figure.update_xaxes(
        title={"text": axis}, range=[-1.4, 1.4], tickvals=[-1, -0.5, 0, 0.5, 1], fixedrange=True
    )
    figure.update_yaxes(type="category", autorange="reversed", fixedrange=True, showgrid=False)
    figure.update_yaxes(ticks="outside", tickcolor="rgba(0,0,0,0)")
    return figure


def gradient_sizes(
    series: Sequence[Series],
    *,
    axes: tuple[str, str],
    ticks: Sequence[tuple[float, str]],
    hover: str,
    mode: Mode,
    chosen: str = "",
    span: tuple[float, float] | None = None,
    height: int = 340,
    is_narrow: bool = False,
) -> go.Figure:
    """Return how large gradients are along the way back, on an axis of powers of ten.

    Args:
        axes: titles of the axes.
        ticks: along the way: where, and what stands there.
        hover: plotly's template, with ``customdata[0]`` for the name and ``customdata[1]`` for the
            size as it is written; ``customdata[2]`` is what a click chooses.
        chosen: key of the dot that is marked.
        span: exponents at the axis's ends; the series' own if None.
        is_narrow: whether the names stand below one another above the chart, not in a row.
    """
    drawn = [exponents(one.sizes) for one in series]
    low, high = span or ends(drawn)
    above = LEGEND_LINE * (len(series) - 1) if is_narrow else 0
    places = [float(place) for one in series for place in one.places]
    traces = []
    for one, values in zip(series, drawn, strict=True):
        keys = one.keys or [""] * len(one.sizes)
        is_chosen = [bool(key) and key == chosen for key in keys]
        colour = one.shade.for_mode(mode)
        traces.append(
            go.Scatter(
                x=[float(place) for place in one.places],
                y=values,
                customdata=[
                    (name, f"{size:.3g}", key)
                    for name, size, key in zip(one.names, one.sizes, keys, strict=True)
                ],
                mode="lines+markers" if one.has_line else "markers",
                line={"color": colour, "width": 2, "dash": one.dash},
                marker={
                    "size": [17 if is_it else 8 for is_it in is_chosen],
                    "color": colour,
                    "opacity": 1.0,
                },
                selected={"marker": {"opacity": 1}},
                unselected={"marker": {"opacity": 1}},
                hovertemplate=f"{hover}<extra></extra>",
            )
        )
    return go.Figure(
        traces,
        go.Layout(
            template=theme.template(mode),
            height=height + above,
            margin={"t": 26 + above},
            showlegend=False,
            clickmode="event+select",
            dragmode=False,
            xaxis={
                "title": {"text": axes[0]},
                "tickvals": [place for place, _ in ticks],
                "ticktext": [text for _, text in ticks],
                "range": [min(places) - 0.4, max(places) + 0.4],
                "showgrid": False,
                "zeroline": False,
                "fixedrange": True,
            },
            yaxis={"title": {"text": axes[1]}} | log_axis(low, high),
            annotations=legend(series, mode, is_narrow),
        ),
    )


def weight_curve(
    changes: np.ndarray,
    losses: np.ndarray,
    weight: float,
    gradient: float,
    chosen: int,
    *,
    axes: tuple[str, str],
    names: tuple[str, str],
    hover: tuple[str, str],
    mode: Mode,
) -> go.Figure:
    """Return the loss over one weight, and the tangent where the weight is now.

    Args:
        changes: (n,) of the weight; 0 is among them.
        losses: (n,) of real passes, in nats.
        weight, gradient: where the weight is now.
        chosen: index of the change that is looked at.
        axes: titles of the axes.
        names: of the curve and of the tangent.
        hover: plotly's templates of the curve and of the tangent.

    Raises:
        ValueError: a loss is not finite.
    """
    if not np.isfinite(losses).all():
        raise ValueError("losses must be finite numbers")
    now = float(losses[int(np.abs(changes).argmin())])
    low, high = float(losses.min()), float(losses.max())
    room = 0.12 * (high - low) or 0.05 * abs(high) or 0.5
    tangent = now + gradient * changes
    # what lies outside of the picture is left out, so that a saved one is the same
    tangent = np.where((tangent > low - room) & (tangent < high + room), tangent, np.nan)
    x = weight + changes
    shades = (theme.ACCENT, theme.QUERY)
    curve = go.Scatter(
        x=x,
        y=losses,
        mode="lines",
        line={"color": theme.ACCENT.for_mode(mode), "width": 2.5},
        hovertemplate=f"{hover[0]}<extra></extra>",
    )
    line = go.Scatter(
        x=x,
        y=tangent,
        mode="lines",
        line={"color": theme.QUERY.for_mode(mode), "width": 2, "dash": "dash"},
        hovertemplate=f"{hover[1]}<extra></extra>",
    )
    dots = [
        dot(weight, now, theme.MUTED, 11, hover[0], mode),
        dot(float(x[chosen]), float(losses[chosen]), theme.ACCENT, 16, hover[0], mode),
    ]
    return go.Figure(
        [curve, line, *dots],
        go.Layout(
            template=theme.template(mode),
            height=340,
            margin={"t": 26},
            showlegend=False,
            xaxis={
                "title": {"text": axes[0]},
                "fixedrange": True,
                "showgrid": False,
                "zeroline": False,
            },
            yaxis={
                "title": {"text": axes[1]},
                "range": [low - room, high + room],
                "exponentformat": "power",
                "zeroline": False,
                "fixedrange": True,
            },
            annotations=[
                words(at, 1, name, mode, shade)
                for at, name, shade in zip((0.45, 1.0), names, shades, strict=True)
            ],
        ),
    )


def dot(x: float, y: float, shade: Shade, size: int, hover: str, mode: Mode) -> go.Scatter:
    return go.Scatter(
        x=[x],
        y=[y],
        mode="markers",
        marker={"size": size, "color": shade.for_mode(mode)},
        cliponaxis=False,
        hovertemplate=f"{hover}<extra></extra>",
    )


def level(height: float, mode: Mode) -> dict[str, Any]:
    """Return a dotted line across the chart."""
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": height,
        "y1": height,
        "line": {"color": theme.MUTED.for_mode(mode), "width": 1.5, "dash": "dot"},
    }


def words(
    across: float, up: float, text: str, mode: Mode, shade: Shade = theme.MUTED
) -> dict[str, Any]:
    """Return words in a chart that end at a place of it, from 0 to 1 each way."""
    return {
        "xref": "paper",
        "yref": "paper",
        "x": across,
        "y": up,
        "text": text,
        "showarrow": False,
        "xanchor": "right",
        "yanchor": "bottom",
        "font": {"size": 13, "color": shade.for_mode(mode)},
    }


def legend(series: Sequence[Series], mode: Mode, is_narrow: bool) -> list[dict[str, Any]]:
    """Return the names of all series above the chart: in a row, or below one another."""
    signs = {"solid": "●", "dash": "╌", "dot": "┄"}
    texts = [f"{signs[one.dash]} {one.name}" for one in series]
    if is_narrow:
        return [
            words(0, 1, text, mode, one.shade)
            | {"xanchor": "left", "yshift": 4 + LEGEND_LINE * (len(texts) - 1 - index)}
            for index, (text, one) in enumerate(zip(texts, series, strict=True))
        ]
    letters = np.cumsum([0, *(len(text) + 3 for text in texts)])
    return [
        words(float(start / letters[-1]), 1, text, mode, one.shade) | {"xanchor": "left"}
        for start, text, one in zip(letters[:-1], texts, series, strict=True)
    ]
