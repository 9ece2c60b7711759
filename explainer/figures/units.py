"""What a unit answers to: pictures with a framed patch, and how often it has which value."""

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from explainer.figures import theme
from explainer.figures.steps import chart_layout, legend
from explainer.figures.theme import Mode

BINS = 40
SIDE = 112  # pixels of a framed picture
BELOW = -0.45  # height at which the marked values lie


class Histogram(NamedTuple):
    """How often which values occur.

    Attributes:
        counts: (bins,).
        edges: (bins + 1,) of the bins.
    """

    counts: np.ndarray
    edges: np.ndarray


def framed(pixels: np.ndarray, grid: tuple[int, int], patch: int) -> np.ndarray:
    """Return a picture with a frame around one of its patches, square, about ``SIDE`` pixels wide.

    Args:
        pixels: (height, width) or (height, width, 3) uint8.
        grid: rows and columns of patches.
        patch: in reading order, from 0.
    """
    colours = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    large = resized(colours)
    height, width = large.shape[:2]
    row, column = divmod(patch, grid[1])
    top, bottom = height * row // grid[0], height * (row + 1) // grid[0]
    left, right = width * column // grid[1], width * (column + 1) // grid[1]
    inner, outer = (
        np.array([int(stop[at : at + 2], 16) for at in (1, 3, 5)], np.uint8)
        for stop in (theme.QUERY.light, theme.BACKGROUND.light)
    )
    side = max(height, width)
    square = np.zeros((side, side, 3), np.uint8)
    down, across = (side - height) // 2, (side - width) // 2
    square[down : down + height, across : across + width] = large
    for colour, start, end in ((outer, 3, 2), (inner, 2, 0)):
        draw_frame(
            square, colour, (top + down, bottom + down, left + across, right + across), start, end
        )
    return square


def draw_frame(
    pixels: np.ndarray, colour: np.ndarray, box: tuple[int, int, int, int], start: int, end: int
) -> None:
    """Draw lines from ``start`` to ``end`` pixels outside of a box: top, bottom, left, right."""
    top, bottom, left, right = box
    rows = slice(max(0, top - start), bottom + start)
    columns = slice(max(0, left - start), right + start)
    width = start - end
    pixels[max(0, top - start) : max(0, top - start) + width, columns] = colour
    pixels[min(len(pixels), bottom + start) - width : bottom + start, columns] = colour
    pixels[rows, max(0, left - start) : max(0, left - start) + width] = colour
    pixels[rows, min(pixels.shape[1], right + start) - width : right + start] = colour


def resized(pixels: np.ndarray) -> np.ndarray:
    """Return a picture enlarged, or made smaller, by a whole factor to about ``SIDE`` pixels."""
    longest = max(pixels.shape[:2])
    times = max(1, round(SIDE / longest))
    if times > 1:
        return pixels.repeat(times, axis=0).repeat(times, axis=1)
    step = max(1, round(longest / SIDE))
    height, width = (size // step * step for size in pixels.shape[:2])
    blocks = pixels[:height, :width].reshape(height // step, step, width // step, step, 3)
    return np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)


def histogram_of(values: np.ndarray, bins: int = BINS) -> Histogram:
    """Return how often which of the values occur, in bins of one width.

    Raises:
        ValueError: a value is not finite.
    """
    if not np.isfinite(values).all():
        raise ValueError("a unit's values must be finite")
    return Histogram(*np.histogram(values.astype(np.float64), bins=bins))


def heights(counts: np.ndarray) -> np.ndarray:
    """Return how high bars are: 0 for none, 1 for one, 2 for ten, 3 for a hundred."""
    return np.where(counts > 0, 1 + np.log10(np.maximum(counts, 1)), 0.0)


def unit_histogram(
    found: Histogram,
    own: np.ndarray,
    own_names: list[str],
    *,
    axes: tuple[str, str],
    names: tuple[str, str],
    hover: tuple[str, str],
    mode: Mode,
) -> go.Figure:
    """Return a bar for each bin, whose height counts powers of ten, and dots for some values.

    Args:
        own: (P,) the values that are marked.
        own_names: what each of them is called.
        axes: titles of the axes.
        names: what the bars and the dots are.
        hover: plotly's templates of a bar, with its ends and its count, and of a dot, with its
            name and its value.
    """
    edges, counts = found.edges, found.counts
    most = max(1, int(np.ceil(np.log10(max(int(counts.max()), 1)))))
    bars = go.Bar(
        x=(edges[1:] + edges[:-1]) / 2,
        y=heights(counts),
        width=np.diff(edges),
        customdata=[
            (f"{low:.2f}", f"{high:.2f}", f"{count:,}")
            for low, high, count in zip(edges[:-1], edges[1:], counts.tolist(), strict=True)
        ],
        marker={"color": theme.MUTED.for_mode(mode), "line": {"width": 0}},
        hovertemplate=f"{hover[0]}<extra></extra>",
    )
    dots = go.Scatter(
        x=own,
        y=np.full(len(own), BELOW),
        customdata=[
            (name, f"{value:.2f}") for name, value in zip(own_names, own.tolist(), strict=True)
        ],
        mode="markers",
        marker={"size": 9, "color": theme.ACCENT.for_mode(mode), "opacity": 0.6},
        hovertemplate=f"{hover[1]}<extra></extra>",
    )
    layout = chart_layout(axes, mode, height=270)
    layout.bargap = 0.04
    ticks = range(most + 2)
    layout.yaxis.update(
        range=[2 * BELOW, most + 1.1],
        tickvals=[*ticks],
        ticktext=["0", *(f"{10**power:,}" for power in range(most + 1))],
        zeroline=True,
    )
    legend(layout, [(f"■ {names[0]}", theme.MUTED), (f"● {names[1]}", theme.ACCENT)], mode)
    return go.Figure([bars, dots], layout)
