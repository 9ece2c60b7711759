"""One number of every head, over the blocks."""

import numpy as np
import plotly.graph_objects as go

from explainer.figures import theme
from explainer.figures.theme import Mode


def by_block(
    values: np.ndarray,
    chosen: tuple[int, int],
    *,
    axis: str,
    block_axis: str,
    hover: str,
    reference: tuple[float, str],
    mode: Mode,
    highest: float | None = None,
) -> go.Figure:
    """Return a dot for each head; heads of one block stand above each other.

    Args:
        values: (depth, heads), at least 0; what is not a number is left out.
        chosen: block and head, in full colour and larger.
        axis, block_axis: titles of the axes.
        hover: plotly's template; ``customdata`` holds the head, counted from 1.
        reference: a height to compare with, drawn as a dotted line, and what it is.
        mode: of the theme.
        highest: value for which there is room; the largest one if None.

    Raises:
        ValueError: a value is infinite or below 0.
    """
    if np.isinf(values).any() or (values < 0).any():
        raise ValueError("a head's value must be a number of at least 0")
    depth, heads = values.shape
    blocks = np.repeat(np.arange(1, depth + 1), heads)
    numbers = np.tile(np.arange(1, heads + 1), depth)
    is_chosen = (blocks == chosen[0] + 1) & (numbers == chosen[1] + 1)
    dots = go.Scatter(
        x=blocks,
        y=values.reshape(-1),
        customdata=numbers,
        mode="markers",
        marker={
            "size": np.where(is_chosen, 15, 10),
            "color": [
                (theme.ACCENT if chosen_one else theme.MUTED).for_mode(mode)
                for chosen_one in is_chosen
            ],
            "opacity": np.where(is_chosen, 1.0, 0.6),
            "line": {"width": 0},
        },
        hovertemplate=f"{hover}<extra></extra>",
    )
    height, name = reference
    most = float(np.nanmax(values, initial=0.0)) if highest is None else highest
    top = 1.08 * max(height, most, 1e-6)
    layout = go.Layout(
        template=theme.template(mode),
        height=270,
        margin={"t": 28},
        showlegend=False,
        xaxis={
            "title": {"text": block_axis},
            "tickvals": list(range(1, depth + 1)),
            "range": [0.5, depth + 0.5],
            "showgrid": False,
            "fixedrange": True,
        },
        yaxis={"title": {"text": axis}, "range": [-0.04 * top, top], "fixedrange": True},
        shapes=[
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": height,
                "y1": height,
                "line": {"color": theme.MUTED.for_mode(mode), "width": 1.5, "dash": "dot"},
            }
        ],
        annotations=[
            {
                "xref": "paper",
                "yref": "paper",
                "x": 1,
                "y": 1,  # above all dots, of which some may lie on the line
                "text": f"┄ {name}",
                "showarrow": False,
                "xanchor": "right",
                "yanchor": "bottom",
                "font": {"size": 13, "color": theme.MUTED.for_mode(mode)},
            }
        ],
    )
    return go.Figure(dots, layout)
