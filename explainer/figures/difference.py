"""Half B minus half A of a comparison, where both have drawn the same numbers of two models."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from explainer.figures.matrix import Matrix

NUMBERS = {"v": "y", "h": "x"}  # orientation of bars → which axis has their numbers


@dataclass(frozen=True)
class OverImage:
    """A number of each token, drawn over an image.

    Attributes:
        image: (height, width) or (height, width, 1 or 3) uint8.
        grid: rows and columns of patches.
        prefix_names: of the tokens before the first patch.
        values: (N,), of the tokens in order.
        query: the chosen token.
        colour: of that, as ``theme.MARKS`` names it.
    """

    image: np.ndarray
    grid: tuple[int, int]
    prefix_names: tuple[str, ...]
    values: np.ndarray
    query: int
    colour: str


@dataclass(frozen=True)
class Apart:
    """Why two matrices cannot be subtracted.

    Attributes:
        kind: "sizes" differ, or the "names" of rows or columns that are as many.
        is_row: whether that is so of the rows, or else of the columns.
        axis: what runs along them, as ``Matrix.row_axis``; may be empty.
        a, b: the sizes, or the first names that differ.
    """

    kind: Literal["sizes", "names"]
    is_row: bool
    axis: str
    a: int | str
    b: int | str


@dataclass(frozen=True)
class Change:
    """The largest number of a difference, and where it stands."""

    value: float
    row: str
    column: str


def apart(a: Matrix, b: Matrix) -> Apart | None:
    """Return why B − A has no meaning for two matrices; None if it has one."""
    axes = (
        (True, a.row_axis or b.row_axis, a.row_names, b.row_names),
        (False, a.column_axis or b.column_axis, a.column_names, b.column_names),
    )
    for is_row, axis, ours, theirs in axes:
        if len(ours) != len(theirs):
            return Apart("sizes", is_row, axis, len(ours), len(theirs))
    for is_row, axis, ours, theirs in axes:
        for one, other in zip(ours, theirs, strict=True):
            if one != other:
                return Apart("names", is_row, axis, one, other)
    return None


def apart_over_image(a: OverImage, b: OverImage) -> Apart | None:
    """Return why B − A has no meaning for numbers over two images; None if it has one."""
    if len(a.values) != len(b.values):
        return Apart("sizes", True, "token", len(a.values), len(b.values))
    if (a.grid, a.prefix_names) == (b.grid, b.prefix_names):
        return None
    names = (" × ".join(map(str, one.grid)) for one in (a, b))
    return Apart("names", True, "token", *names)


def subtracted_over_image(a: OverImage, b: OverImage) -> OverImage:
    """Return B − A over A's image, of two that are not apart."""
    return replace(a, values=np.asarray(b.values, np.float64) - np.asarray(a.values, np.float64))


def subtracted(a: Matrix, b: Matrix, title: str) -> Matrix:
    """Return B − A of two matrices that are not ``apart``, in colours around 0."""
    return replace(
        a,
        values=b.values.astype(np.float64) - a.values,
        title=title,
        scale="diverging",
        colour=None,
        limit=None,
        note="",
        sign="",
        centre=None,
    )


def largest_change(difference: Matrix) -> Change | None:
    """Return the number that is farthest from 0; None if all are 0."""
    values = np.asarray(difference.values)
    row, column = np.unravel_index(int(np.abs(values).argmax()), values.shape)
    if not values[row, column]:
        return None
    names = difference.row_names[int(row)], difference.column_names[int(column)]
    return Change(float(values[row, column]), *names)


def subtracted_chart(a: go.Figure, b: go.Figure, axis: str) -> go.Figure | None:
    """Return B − A of two charts of curves, dots or bars; None if they are not over the same.

    Args:
        axis: title of the axis of numbers, with ``{axis}`` for the one that A has.
    """
    traces = [
        subtracted_trace(one, other)
        for one, other in zip(a.data, b.data, strict=False)
        if has_numbers(one)
    ]
    if len(a.data) != len(b.data) or not traces or None in traces:
        return None
    layout = a.layout.to_plotly_json()
    kept = {name: layout[name] for name in ("template", "height", "showlegend") if name in layout}
    across = traces[0].type == "bar" and traces[0].orientation == "h"
    numbers, others = ("xaxis", "yaxis") if across else ("yaxis", "xaxis")
    title = (layout.get(numbers, {}).get("title") or {}).get("text", "")
    chart = go.Figure(traces, layout=kept)
    chart.update_layout(
        {
            numbers: {
                "title": {"text": axis.format(axis=title).strip(": ")},
                "zeroline": True,
                "fixedrange": True,
            },
            others: {
                name: value
                for name, value in layout.get(others, {}).items()
                if name in ("title", "tickvals", "ticktext", "range", "autorange", "showgrid")
            }
            | {"fixedrange": True},
        }
    )
    return chart


def has_numbers(trace: Any) -> bool:
    return trace.x is not None and trace.y is not None


def subtracted_trace(a: Any, b: Any) -> Any:
    """Return B − A of two traces with the same places, None if they have others."""
    if a.type != b.type or not has_numbers(b):
        return None
    number = NUMBERS[a.orientation or "v"] if a.type == "bar" else "y"
    place = "x" if number == "y" else "y"
    if not same(a[place], b[place]) or len(a[number]) != len(b[number]):
        return None
    change = np.asarray(b[number], np.float64) - np.asarray(a[number], np.float64)
    given = a.to_plotly_json()
    kept = ("type", "mode", "name", "orientation", "marker", "line", "opacity", "width")
    return type(a)(
        {name: given[name] for name in kept if name in given}
        | {place: a[place], number: change, "hovertemplate": f"%{{{number}:+.4g}}<extra></extra>"}
    )


def same(one: Iterable[Any], other: Iterable[Any]) -> bool:
    """Whether two axes have the same places, which are numbers or names."""
    ours, theirs = np.asarray(one), np.asarray(other)
    if ours.shape != theirs.shape:
        return False
    if ours.dtype.kind in "fiu" and theirs.dtype.kind in "fiu":
        return bool(np.allclose(ours, theirs))
    return bool((ours == theirs).all())
