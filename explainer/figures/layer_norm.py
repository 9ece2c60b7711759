"""Two small charts of one token's numbers: before and after LayerNorm, and on the curve of GELU."""

import math

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explainer.figures import theme
from explainer.figures.theme import Mode

BINS = 24


def before_and_after(
    before: np.ndarray,
    after: np.ndarray,
    *,
    axis: str,
    count_axis: str,
    mode: Mode,
    ends: np.ndarray | None = None,
) -> go.Figure:
    """Return two histograms side by side, each with a scale of its own.

    Args:
        before, after: (D,) finite numbers of one token.
        axis, count_axis: titles of the axes.
        ends: (2, 3) of each histogram, how far its axis reaches below and above 0, and its highest
            bar, as ``ends_of`` returns them; its own if None.

    Raises:
        ValueError: a number is not finite.
    """
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        raise ValueError("a token's numbers must be finite")
    figure = make_subplots(cols=2, horizontal_spacing=0.08)
    figure.update_layout(
        template=theme.template(mode), height=240, showlegend=False, bargap=0.04, barmode="overlay"
    )
    for column, (values, shade) in enumerate(
        ((before, theme.MUTED), (after, theme.ACCENT)), start=1
    ):
        counts, edges = np.histogram(values, bins=BINS)
        figure.add_bar(
            x=(edges[1:] + edges[:-1]) / 2,
            y=counts,
            width=np.diff(edges),
            marker={"color": shade.for_mode(mode), "line": {"width": 0}},
            customdata=np.stack([edges[:-1], edges[1:]], axis=1),
            hovertemplate="%{customdata[0]:.2f} … %{customdata[1]:.2f}: %{y}<extra></extra>",
            row=1,
            col=column,
        )
        figure.add_vline(
            x=float(values.mean()),
            line={"color": theme.TEXT.for_mode(mode), "dash": "dot"},
            col=column,
        )
        figure.update_xaxes(title={"text": axis}, fixedrange=True, col=column)
        figure.update_yaxes(fixedrange=True, col=column)
    figure.update_yaxes(title={"text": count_axis}, col=1)
    for column, (below, above, high) in enumerate(() if ends is None else ends, start=1):
        room = 0.03 * (below + above)
        figure.update_xaxes(range=[-below - room, above + room], col=column)
        figure.update_yaxes(range=[0, 1.05 * high], col=column)
    return figure


def ends_of(values: np.ndarray) -> tuple[float, float, float]:
    """Return how far a histogram reaches below and above 0, and how high its highest bar is."""
    highest = np.histogram(values, bins=BINS)[0].max()
    return max(-float(values.min()), 0.0), max(float(values.max()), 0.0), float(highest)


def gelu_curve(
    pre: np.ndarray,
    post: np.ndarray,
    chosen: int,
    *,
    axis: str,
    height_axis: str,
    hover: str,
    mode: Mode,
    ends: tuple[float, float] | None = None,
) -> go.Figure:
    """Return the curve of GELU with every hidden unit of a token on it.

    Args:
        pre, post: (M,) before and after GELU.
        chosen: the unit in full colour and larger.
        axis, height_axis: titles of the axes.
        hover: plotly's template; ``customdata`` holds the unit, counted from 1.
        ends: how far the curve reaches below and above 0; as far as the units, at least 3, if None.

    Raises:
        ValueError: a number is not finite.
    """
    if not (np.isfinite(pre).all() and np.isfinite(post).all()):
        raise ValueError("hidden units must be finite numbers")
    below, above = ends or gelu_ends(pre)
    low, high = -below, above
    inputs = np.linspace(low, high, 160)
    curve = [x * 0.5 * (1 + math.erf(x / math.sqrt(2))) for x in inputs]
    is_chosen = np.arange(len(pre)) == chosen
    return go.Figure(
        [
            go.Scatter(
                x=inputs,
                y=curve,
                mode="lines",
                line={"color": theme.MUTED.for_mode(mode), "width": 1.5},
                hoverinfo="skip",
            ),
            go.Scatter(
                x=pre,
                y=post,
                mode="markers",
                customdata=np.arange(1, len(pre) + 1),
                marker={
                    "color": theme.ACCENT.for_mode(mode),
                    "size": np.where(is_chosen, 14, 7),
                    "opacity": np.where(is_chosen, 1.0, 0.4),
                    "line": {"width": 0},
                },
                hovertemplate=f"{hover}<extra></extra>",
            ),
        ],
        go.Layout(
            template=theme.template(mode),
            height=280,
            showlegend=False,
            xaxis={"title": {"text": axis}, "fixedrange": True},
            yaxis={"title": {"text": height_axis}, "fixedrange": True},
        ),
    )


def gelu_ends(pre: np.ndarray) -> tuple[float, float]:
    """Return how far the curve of GELU reaches below and above 0, so that all units lie on it."""
    return max(3.0, -float(pre.min())), max(3.0, float(pre.max()))
