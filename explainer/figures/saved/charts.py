"""Plotly's charts, and the curves of a training, drawn again for paper.

Only what the app's own charts use is known here: lines and markers, bars, lines across, words.
"""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from explainer.figures.saved import letters
from explainer.figures.saved.body import LINE, MUTED, TEXT, Body, below, beside, flow, titled
from explainer.figures.saved.colours import light
from explainer.figures.saved.paper import Paper

WIDE = 640  # pixels of a chart
NARROW = 440  # pixels of one of two beside one another
LETTERS = 12
DASHES: dict[str, tuple[float, ...]] = {"dot": (1.5, 2.5), "dash": (5, 3)}
CORNERS = {"circle": 0, "diamond": 4, "square": 4, "triangle": 3, "cross": 4, "star": 5}


@dataclass(frozen=True)
class Points:
    """A line, or dots, or both.

    Attributes:
        sizes: pixels of each dot; empty for none.
        thick: pixels of the line; 0 for none.
    """

    x: np.ndarray
    y: np.ndarray
    colours: Sequence[str]
    alphas: Sequence[float]
    sizes: Sequence[float] = ()
    thick: float = 0
    symbol: str = "circle"
    dash: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Bars:
    """Bars from zero; ``starts`` and ``ends`` are their sides along the axis of places."""

    starts: np.ndarray
    ends: np.ndarray
    sizes: np.ndarray
    colours: Sequence[str]
    alphas: Sequence[float]
    is_lying: bool = False
    texts: Sequence[str] = ()


@dataclass
class Axis:
    """One axis: what it is called, from where to where it runs, and what is written along it."""

    title: str = ""
    range: tuple[float, float] = (0.0, 1.0)
    ticks: Sequence[tuple[float, str]] = ()
    has_grid: bool = True
    has_zero: bool = False


@dataclass
class Chart:
    """One pair of axes and what stands between them."""

    x: Axis
    y: Axis
    marks: list[Points | Bars] = field(default_factory=list)
    levels: list[tuple[str, float, str, float, tuple[float, ...] | None]] = field(
        default_factory=list
    )  # along which axis, where, colour, thickness, dashes
    words: list[tuple[float, float, str, str, str, bool]] = field(default_factory=list)


def plotly(figure: Any) -> Body:
    """Return a chart of plotly's.

    Raises:
        TypeError: it has a kind of trace that no chart of the app has.
    """
    layout = figure.layout
    axes = sorted({(trace.xaxis or "x", trace.yaxis or "y") for trace in figure.data})
    height = float(layout.height or 280)
    bodies = []
    for x_name, y_name in axes:
        traces = [t for t in figure.data if (t.xaxis or "x", t.yaxis or "y") == (x_name, y_name)]
        bodies.append(
            draw(
                chart_of(figure, traces, x_name, y_name), WIDE if len(axes) == 1 else NARROW, height
            )
        )
    return beside(bodies)


def chart_of(figure: Any, traces: Sequence[Any], x_name: str, y_name: str) -> Chart:
    layout = figure.layout
    x_axis, y_axis = (layout[f"{n[0]}axis{n[1:]}"] for n in (x_name, y_name))
    marks: list[Points | Bars] = []
    names: dict[str, list[str]] = {}  # of an axis with words instead of numbers
    for trace in traces:
        if trace.type == "scatter":
            marks.append(points_of(trace))
        elif trace.type == "bar":
            marks.append(bars_of(trace, layout, names))
        else:
            raise TypeError(f"a saved chart has no traces of type {trace.type}")
    chart = Chart(
        axis_of(x_axis, values_of(marks, across=True), names.get("x")),
        axis_of(y_axis, values_of(marks, across=False), names.get("y")),
        marks,
    )
    for shape in layout.shapes or ():
        if shape.type != "line":
            raise TypeError(f"a saved chart has no shapes of type {shape.type}")
        x_ref, y_ref = ((shape[f"{one}ref"] or one).split(" ")[0] for one in "xy")
        dash = DASHES.get(shape.line.dash or "")
        style = shape.line.color, float(shape.line.width or 2), dash
        if x_ref in ("paper", "x domain") or (shape.xref or "").endswith("domain"):
            if y_ref == y_name:
                chart.levels.append(("y", float(shape.y0), *style))
        elif x_ref == x_name and shape.x0 == shape.x1:
            chart.levels.append(("x", float(shape.x0), *style))
    for note in layout.annotations or ():
        chart.words.append(
            (
                float(note.x),
                float(note.y),
                plain(note.text),
                note.font.color or TEXT,
                note.xanchor or "center",
                note.yanchor == "bottom",
            )
        )
    return chart


def plain(text: str | None) -> str:
    """Return the letters of a text that plotly reads as HTML."""
    return letters.plain(html.unescape(re.sub(r"<[^>]*>", " ", text or "")))


def each(value: Any, count: int, usual: Any) -> list[Any]:
    """Return one value for each point, where plotly takes one for all as well."""
    if value is None:
        return [usual] * count
    if isinstance(value, str) or np.ndim(value) == 0:
        return [value] * count
    return list(value)


def points_of(trace: Any) -> Points:
    x, y = np.asarray(trace.x, float), np.asarray(trace.y, float)
    mode, count = trace.mode or "lines", len(x)
    all_over = float(trace.opacity if trace.opacity is not None else 1)
    is_marked = "markers" in mode
    marker = trace.marker
    return Points(
        x,
        y,
        [str(c) for c in each(marker.color if is_marked else trace.line.color, count, TEXT)],
        [all_over * float(a) for a in each(marker.opacity if is_marked else None, count, 1)],
        [float(s) for s in each(marker.size, count, 6)] if is_marked else (),
        float(trace.line.width or 2) if "lines" in mode else 0,
        dash=DASHES.get(trace.line.dash or ""),
    )


def bars_of(trace: Any, layout: Any, names: dict[str, list[str]]) -> Bars:
    is_lying = trace.orientation == "h"
    places, sizes = (trace.y, trace.x) if is_lying else (trace.x, trace.y)
    count = len(places)
    if isinstance(places[0], str):
        names["y" if is_lying else "x"] = [plain(str(place)) for place in places]
        places = np.arange(count)
    places = np.asarray(places, float)
    step = float(np.diff(places).min()) if count > 1 else 1.0
    gap = layout.bargap if layout.bargap is not None else 0.2
    widths = np.asarray(each(trace.width, count, step), float) * (1 - gap)
    return Bars(
        places - widths / 2,
        places + widths / 2,
        np.asarray(sizes, float),
        [str(c) for c in each(trace.marker.color, count, TEXT)],
        [float(a) for a in each(trace.marker.opacity, count, 1)],
        is_lying,
        [plain(str(text)) for text in each(trace.text, count, "")],
    )


def values_of(marks: Sequence[Points | Bars], *, across: bool) -> np.ndarray:
    """Return all numbers along one axis that have to be seen."""
    found: list[np.ndarray] = [np.zeros(0)]
    for mark in marks:
        if isinstance(mark, Points):
            found.append(mark.x if across else mark.y)
        elif mark.is_lying != across:
            found += [mark.starts, mark.ends]
        else:
            found += [mark.sizes, np.zeros(1)]
    values = np.concatenate(found)
    return values[np.isfinite(values)]


def axis_of(axis: Any, values: np.ndarray, names: Sequence[str] | None) -> Axis:
    title = plain(axis.title.text)
    if axis.range:
        low, high = (float(end) for end in axis.range)
    elif names:
        low, high = -0.5, len(names) - 0.5
    else:
        least, most = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
        room = 0.05 * (most - least or 1)
        low, high = least - (room if least else 0), most + room
    if axis.autorange == "reversed":
        low, high = high, low
    if axis.visible is False:
        ticks: Sequence[tuple[float, str]] = ()
    elif names:
        ticks = list(enumerate(names))
    elif axis.tickvals is not None:
        labels = axis.ticktext if axis.ticktext is not None else map(number, axis.tickvals)
        ticks = [
            (float(at), plain(str(label))) for at, label in zip(axis.tickvals, labels, strict=True)
        ]
    else:
        ticks = [(value, number(value)) for value in steps(min(low, high), max(low, high))]
    grid = axis.visible is not False and axis.showgrid is not False and not names
    return Axis(title, (low, high), ticks, grid, has_zero=min(low, high) < 0 < max(low, high))


def steps(low: float, high: float, most: int = 7) -> list[float]:
    """Return round numbers between two."""
    span = high - low
    if not span or not np.isfinite(span):
        return [low]
    power = 10.0 ** np.floor(np.log10(span / most))
    step = next(power * one for one in (1, 2, 5, 10, 20) if span / (power * one) <= most)
    first = np.ceil(low / step - 1e-9)
    count = int(np.floor(high / step + 1e-9) - first) + 1
    return [float((first + index) * step) for index in range(max(count, 0))]


def number(value: float) -> str:
    text = f"{round(value, 10):,.10g}"
    return text.replace("-", "−")


def draw(chart: Chart, width: float, height: float) -> Body:
    """Return a chart in so many pixels."""
    labels = [text for _, text in chart.y.ticks]
    left = max((letters.width(text, LETTERS) for text in labels), default=0) + 10
    left += 20 if chart.y.title else 0
    bottom = (22 if chart.x.ticks else 4) + (20 if chart.x.title else 0)
    top, right = 24 if chart.words else 8, 12
    inner = width - left - right, height - top - bottom

    def draw_it(paper: Paper, x: float, y: float) -> None:
        x0, y0 = x + left, y + top

        def place(value: float, axis: Axis, is_down: bool) -> float:
            low, high = axis.range
            share = (value - low) / ((high - low) or 1)
            return float(y0 + inner[1] * (1 - share) if is_down else x0 + inner[0] * share)

        for value, text in chart.y.ticks:
            at = place(value, chart.y, True)
            if chart.y.has_grid:
                paper.line([(x0, at), (x0 + inner[0], at)], LINE)
            paper.text(x0 - 8, at, text, LETTERS, MUTED, anchor="right")
        for value, text in chart.x.ticks:
            at = place(value, chart.x, False)
            if chart.x.has_grid:
                paper.line([(at, y0), (at, y0 + inner[1])], LINE)
            paper.text(at, y0 + inner[1] + 12, text, LETTERS, MUTED, anchor="center")
        if chart.x.title:
            middle = x0 + inner[0] / 2
            at = y0 + inner[1] + bottom - 8
            paper.text(middle, at, chart.x.title, LETTERS, MUTED, anchor="center")
        if chart.y.title:
            at = y0 + inner[1] / 2
            paper.text(x + 6, at, chart.y.title, LETTERS, MUTED, anchor="center", turned=True)
        if chart.y.has_zero and chart.y.has_grid:
            at = place(0, chart.y, True)
            paper.line([(x0, at), (x0 + inner[0], at)], LINE, thick=2)
        for mark in chart.marks:
            if isinstance(mark, Bars):
                draw_bars(paper, mark, chart, place)
            else:
                draw_points(paper, mark, chart, place)
        for along, value, colour, thick, dash in chart.levels:
            if along == "y":
                at = place(value, chart.y, True)
                ends = [(x0, at), (x0 + inner[0], at)]
            else:
                at = place(value, chart.x, False)
                ends = [(at, y0), (at, y0 + inner[1])]
            paper.line(ends, colour, thick=thick, dash=dash)
        for across, up, text, colour, anchor, is_above in chart.words:
            at_y = y0 + inner[1] * (1 - up) - (10 if is_above else 0)
            paper.text(
                x0 + inner[0] * across,
                at_y,
                text,
                LETTERS,
                colour,
                anchor=anchor,  # type: ignore[arg-type]
            )

    return Body(width, height, draw_it)


def draw_bars(paper: Paper, bars: Bars, chart: Chart, place: Any) -> None:
    texts = bars.texts or [""] * len(bars.sizes)
    for start, end, size, colour, alpha, text in zip(
        bars.starts, bars.ends, bars.sizes, bars.colours, bars.alphas, texts, strict=True
    ):
        if bars.is_lying:
            y0, y1 = sorted(place(one, chart.y, True) for one in (start, end))
            x0, x1 = sorted(place(one, chart.x, False) for one in (0, size))
            paper.text(x1 + 5, (y0 + y1) / 2, text, LETTERS, TEXT)
        else:
            x0, x1 = (place(one, chart.x, False) for one in (start, end))
            y0, y1 = sorted(place(one, chart.y, True) for one in (0, size))
        if x1 > x0 and y1 > y0:
            paper.rect(x0, y0, x1 - x0, y1 - y0, fill=colour, alpha=alpha)


def draw_points(paper: Paper, points: Points, chart: Chart, place: Any) -> None:
    spots = [
        (place(across, chart.x, False), place(up, chart.y, True))
        for across, up in zip(points.x, points.y, strict=True)
    ]
    if points.thick:
        for part in unbroken(spots):
            paper.line(
                part,
                points.colours[0],
                thick=points.thick,
                alpha=points.alphas[0],
                dash=points.dash,
            )
    for (x, y), size, colour, alpha in zip(
        spots, points.sizes, points.colours, points.alphas, strict=False
    ):
        if np.isfinite([x, y]).all():
            paper.dot(x, y, size, colour, alpha, CORNERS.get(points.symbol, 0))


def unbroken(spots: Sequence[tuple[float, float]]) -> Iterator[list[tuple[float, float]]]:
    """Yield the pieces of a line between points that are no numbers."""
    part: list[tuple[float, float]] = []
    for spot in spots:
        if np.isfinite(spot).all():
            part.append(spot)
        elif part:
            yield part
            part = []
    if part:
        yield part


def curves(figure: Mapping[str, Any]) -> Body:
    """Return loss and accuracy over the epochs, as ``explainer.figures.curves`` made them."""
    bodies = []
    for panel in figure["panels"]:
        high = float(panel["high"])
        chart = Chart(
            Axis(
                figure["texts"]["epoch_axis"],
                (0, float(figure["epochs"]) or 1),
                [(float(t), number(t)) for t in figure["ticks"]],
                has_grid=False,
            ),
            Axis(
                "", (0, high), [(float(t), f"{number(t)}{panel['unit']}") for t in panel["ticks"]]
            ),
        )
        level = panel["level"]
        if level and 0 <= level["at"] <= high:
            chart.levels.append(("y", float(level["at"]), MUTED, 1, DASHES["dot"]))
            chart.words.append((1, level["at"] / high, level["text"], MUTED, "right", True))
        for curve in panel["curves"]:
            kind, colour = curve["kind"], light(curve["shade"])
            x, y = np.asarray(curve["x"], float), np.asarray(curve["y"], float)
            y = np.minimum(y, high)
            size = {"line": 0, "dots": 4, "marks": 9}[kind]
            chart.marks.append(
                Points(
                    x,
                    y,
                    [colour] * len(x),
                    [0.6 if kind == "line" else 1] * len(x),
                    [size] * len(x) if size else (),
                    thick=1.25 if kind == "line" else 2,
                    symbol=curve["symbol"],
                )
            )
        drawn = draw(chart, NARROW, 300)
        words = [panel["cut_off"]] if panel["cut_off"] else []
        bodies.append(titled(panel["title"], below([drawn, *map(line, words)], 4), 13))
    return below([legend(figure["legend"]), beside(bodies)], 12)


def line(text: str) -> Body:
    return Body(
        letters.width(text, 11), 16, lambda paper, x, y: paper.text(x, y + 8, text, 11, MUTED)
    )


def legend(entries: Sequence[Mapping[str, str]]) -> Body:
    """Return the names of the curves with their signs."""

    def one(entry: Mapping[str, str]) -> Body:
        colour = light(entry["shade"])

        def draw_it(paper: Paper, x: float, y: float) -> None:
            paper.line([(x, y + 8), (x + 22, y + 8)], colour, thick=2)
            if entry["kind"] != "line":
                size = 9 if entry["kind"] == "marks" else 5
                paper.dot(x + 11, y + 8, size, colour, 1, CORNERS.get(entry["symbol"], 0))
            paper.text(x + 28, y + 8, entry["name"], LETTERS, TEXT)

        return Body(28 + letters.width(letters.plain(entry["name"]), LETTERS), 16, draw_it)

    return flow([one(entry) for entry in entries], 20)
