"""Pictures of one step of training, of steps on one picture, and of a whole run's learning rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import plotly.graph_objects as go

from explainer.figures import pixels, theme
from explainer.figures.log_axis import exponents, log_axis
from explainer.figures.plotly_text import in_plotly
from explainer.figures.switched import ink
from explainer.figures.theme import DIVERGING, Mode, Shade

SHORT = 23  # letters of a name, of which two stand beside one another
LINE_PIXELS = 18  # of names above a chart
STEP_UP = 0.078  # that many pixels, of the height of what is drawn
FLOOR = -9  # exponent of the least loss that a chart shows
ZONES: Mapping[str, Shade] = {
    "small": theme.MUTED,
    "right": theme.GOOD,
    "large": theme.BAD,
    "leap": theme.ACCENT,
}

STYLE = f"""
.cosines-box {{ overflow-x: auto; padding: 2px; }}
.cosines {{ border-collapse: separate; border-spacing: 2px; font-size: 0.8125rem;
  font-variant-numeric: tabular-nums; }}
.cosines caption, .optimizers caption {{ position: absolute; width: 1px; height: 1px;
  overflow: hidden; clip-path: inset(50%); }}
.cosines th, .cosines td {{ padding: 0; border: 0; height: 2rem; text-align: center;
  vertical-align: middle; white-space: nowrap; }}
.cosines td {{ min-width: 2.75rem; border-radius: 3px; }}
.cosines td.none {{ color: {theme.MUTED.css}; }}
.cosines td.chosen {{ box-shadow: 0 0 0 2px {theme.QUERY.css}; }}
.cosines th {{ padding: 0 0.375rem; font-weight: 600; color: {theme.MUTED.css}; }}
.cosines thead th {{ max-width: 4rem; overflow: hidden; text-overflow: ellipsis; }}
.cosines tbody th {{ text-align: right; max-width: 7rem; overflow: hidden;
  text-overflow: ellipsis; }}
.cosines tr.first th {{ color: {theme.TEXT.css}; }}
.cosines tr.first > * {{ border-bottom: 6px solid transparent; background-clip: padding-box; }}
.optimizers-box {{ overflow-x: auto; padding: 2px; }}
.optimizers {{ border-collapse: collapse; font-size: 0.875rem; min-width: 34rem;
  font-variant-numeric: tabular-nums; }}
.optimizers th, .optimizers td {{ padding: 0.3125rem 0.75rem 0.3125rem 0; border: 0;
  border-bottom: 1px solid {theme.LINE.css}; text-align: left; white-space: nowrap; }}
.optimizers thead th {{ color: {theme.MUTED.css}; font-weight: 600; }}
.optimizers thead th.now {{ color: {theme.ACCENT.css}; }}
.optimizers tbody th {{ font-weight: 400; }}
.optimizers code {{ font-size: 0.8125rem; }}
.optimizers td.now {{ background: {theme.SURFACE.css}; }}
.optimizers i {{ display: block; position: relative; width: 5.5rem; height: 5px; margin-top: 3px;
  border-radius: 2px; background: {theme.LINE.css}; }}
.optimizers i::after {{ content: ""; position: absolute; inset: 0 auto 0 0;
  width: calc(100% * var(--share)); border-radius: 2px; background: {theme.ACCENT.css}; }}
.optimizers tr.sum > * {{ font-weight: 600; }}
"""


@dataclass(frozen=True)
class Line:
    """One series of a chart.

    Attributes:
        name: what it is called above the chart; may hold a stranger's words.
        x, y: (n,) places and heights; a height that is not a number leaves a gap.
        texts: (n,) what is written of each beside the pointer; empty for the height itself.
        has_dots: whether each point is marked.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    shade: Shade
    texts: Sequence[str] = ()
    has_dots: bool = False
    dash: str = "solid"

    def __post_init__(self) -> None:
        if self.x.shape != self.y.shape or (self.texts and len(self.texts) != len(self.x)):
            raise ValueError(f"{self.name}: each place needs one height, and one text if any")


def rate_chart(
    rates: np.ndarray,
    losses: np.ndarray,
    before: float,
    zones: Sequence[str],
    chosen: int,
    *,
    written: Sequence[tuple[str, str]],
    axes: tuple[str, str],
    names: Mapping[str, str],
    hover: str,
    mode: Mode,
    span: tuple[float, float] | None = None,
) -> go.Figure:
    """Return the loss after one step over its learning rate, both on axes of powers of ten.

    Args:
        rates: (R,) exponents of 10.
        losses: (R,) in nats; one that is not finite is left out, and one below 10 ** ``FLOOR`` is
            drawn there.
        before: loss before the step, a line across.
        zones: of each rate, one of ``ZONES``.
        chosen: index of the rate that is looked at, a larger dot.
        written: rate and loss of each point as texts.
        axes: titles of the axes.
        names: of the zones, and ``now`` of the line across.
        hover: plotly's template; ``customdata`` holds ``written``.
        span: exponents at the ends of the axis of losses; its own if None.

    Raises:
        ValueError: there is not one loss, zone and text for each rate.
    """
    if not len(rates) == len(losses) == len(zones) == len(written):
        raise ValueError("each learning rate needs one loss, one zone and one text")
    heights = loss_exponents(losses)
    now = float(loss_exponents(np.array([before]))[0])
    low, high = span or loss_span(losses, before)
    traces = [
        go.Scatter(
            x=rates,
            y=heights,
            mode="lines",
            line={"color": theme.LINE.for_mode(mode), "width": 2},
            hoverinfo="skip",
        )
    ]
    for zone, shade in ZONES.items():
        at = [index for index, one in enumerate(zones) if one == zone]
        traces.append(
            go.Scatter(
                x=rates[at],
                y=heights[at],
                customdata=[written[index] for index in at],
                mode="markers",
                marker={
                    "size": [17 if index == chosen else 8 for index in at],
                    "color": shade.for_mode(mode),
                },
                hovertemplate=f"{hover}<extra></extra>",
                cliponaxis=False,
            )
        )
    layout = chart_layout(axes, mode, height=290)
    layout.xaxis.update(log_axis(float(rates[0]), float(rates[-1])))
    layout.yaxis.update(log_axis(low, high))
    layout.shapes = [
        {
            "type": "line",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": now,
            "y1": now,
            "line": {"color": theme.MUTED.for_mode(mode), "width": 1.5, "dash": "dot"},
        }
    ]
    shown = [zone for zone in ZONES if zone in zones]
    named = [(f"● {names[zone]}", ZONES[zone]) for zone in shown]
    legend(layout, [*named, (f"┄ {names['now']}", theme.MUTED)], mode)
    return go.Figure(traces, layout)


def loss_exponents(losses: np.ndarray) -> np.ndarray:
    """Return the exponents of losses, at least ``FLOOR``; not a number for what is not finite."""
    return exponents(np.where(np.isfinite(losses), np.maximum(losses, 10.0**FLOOR), 0))


def loss_span(losses: np.ndarray, before: float) -> tuple[float, float]:
    """Return the whole exponents between which a chart of losses lies."""
    values = loss_exponents(np.append(losses, before))
    values = values[np.isfinite(values)]
    low, high = float(np.floor(values.min())), float(np.ceil(values.max()))
    return low, max(high, low + 1)


def line_chart(
    lines: Sequence[Line],
    *,
    axes: tuple[str, str],
    hover: str,
    mode: Mode,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    is_log: bool = False,
    marks: Sequence[tuple[float, str]] = (),
    height: int = 280,
) -> go.Figure:
    """Return a few lines over one axis.

    Args:
        axes: titles of the axes.
        hover: plotly's template; ``customdata`` holds a line's name and the text of a point.
        is_log: whether the heights are exponents of 10.
        marks: places along the axis with a dotted line, and what they are.
    """
    traces = [
        go.Scatter(
            x=one.x,
            y=one.y,
            customdata=[(in_plotly(one.name), text) for text in one.texts] or None,
            mode="lines+markers" if one.has_dots else "lines",
            line={"color": one.shade.for_mode(mode), "width": 2.5, "dash": one.dash},
            marker={"size": 8, "color": one.shade.for_mode(mode)},
            hovertemplate=f"{hover}<extra></extra>",
        )
        for one in lines
    ]
    layout = chart_layout(axes, mode, height)
    if x_range:
        layout.xaxis.update(range=list(x_range))
    if is_log:
        found = np.concatenate([one.y for one in lines])
        found = found[np.isfinite(found)]
        low, high = (np.floor(found.min()), np.ceil(found.max())) if found.size else (-1.0, 0.0)
        layout.yaxis.update(log_axis(float(low), float(max(high, low + 1))))
    elif y_range:
        layout.yaxis.update(range=list(y_range))
    layout.shapes = [
        {
            "type": "line",
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "x0": at,
            "x1": at,
            "line": {"color": theme.MUTED.for_mode(mode), "width": 1.5, "dash": "dot"},
        }
        for at, _ in marks
    ]
    signs = {"solid": "●", "dash": "╌", "dot": "┄"}
    named = [(f"{signs[one.dash]} {in_plotly(one.name)}", one.shade) for one in lines]
    named += [(f"┊ {in_plotly(name)}", theme.MUTED) for _, name in marks]
    legend(layout, named, mode)
    return go.Figure(traces, layout)


def chart_layout(axes: tuple[str, str], mode: Mode, height: int) -> go.Layout:
    return go.Layout(
        template=theme.template(mode),
        height=height,
        margin={"t": 8},
        showlegend=False,
        dragmode=False,
        xaxis={"title": {"text": axes[0]}, "fixedrange": True, "showgrid": False},
        yaxis={"title": {"text": axes[1]}, "fixedrange": True},
    )


def legend(layout: go.Layout, named: Sequence[tuple[str, Shade]], mode: Mode) -> None:
    """Write names above a chart, two in each line of it where they are short enough for a phone."""
    columns = 2 if all(len(text) <= SHORT for text, _ in named) else 1
    lines = -(-len(named) // columns)
    layout.annotations = [
        word(index % columns / 2, 1 + STEP_UP * (lines - 1 - index // columns), text, shade, mode)
        for index, (text, shade) in enumerate(named)
    ]
    layout.height += LINE_PIXELS * lines
    layout.margin.update(t=8 + LINE_PIXELS * lines)


def word(across: float, up: float, text: str, shade: Shade, mode: Mode) -> dict[str, object]:
    return {
        "xref": "paper",
        "yref": "paper",
        "x": across,
        "y": up,
        "text": text,
        "showarrow": False,
        "xanchor": "left",
        "yanchor": "bottom",
        "font": {"size": 13, "color": shade.for_mode(mode)},
    }


def cosine_table(
    values: np.ndarray,
    row_names: Sequence[str],
    column_names: Sequence[str],
    chosen: tuple[int, int] | None,
    texts: Mapping[str, str],
    limit: float | None = None,
) -> str:
    """Return signed numbers in a table, coloured by sign and size; the first row stands apart.

    Args:
        values: (rows, columns); what is not a number is left out.
        chosen: row and column of a cell with a frame.
        texts: ``caption``, ``corner`` and ``none``.
        limit: the size with the full colour; the largest one if None.

    Raises:
        ValueError: there is not one name for each row and column, or a number is infinite.
    """
    if values.shape != (len(row_names), len(column_names)) or np.isinf(values).any():
        raise ValueError(
            f"{len(row_names)} and {len(column_names)} names do not fit values {values.shape}"
        )
    known = np.nan_to_num(values)
    full = float(np.abs(known).max() if limit is None else limit) or 1.0
    colours = pixels.palette(DIVERGING)[pixels.shades(known, -full, full)]
    head = "".join(
        f'<th scope="col" title="{escape(name)}">{escape(name)}</th>' for name in column_names
    )
    rows = []
    for row, name in enumerate(row_names):
        cells = []
        for column in range(len(column_names)):
            mark = " chosen" if chosen == (row, column) else ""
            if np.isnan(values[row, column]):
                cells.append(f'<td class="none{mark}">{escape(texts["none"])}</td>')
                continue
            colour = colours[row, column]
            background = ",".join(map(str, colour.tolist()))
            cells.append(
                f'<td class="{mark.strip()}" style="background:rgb({background});'
                f'color:{ink(colour)}">{signed(float(values[row, column]))}</td>'
            )
        first = ' class="first"' if row == 0 else ""
        rows.append(
            f'<tr{first}><th scope="row" title="{escape(name)}">{escape(name)}</th>'
            f"{''.join(cells)}</tr>"
        )
    return (
        f'<style>{STYLE}</style><div class="cosines-box" role="region" tabindex="0" '
        f'aria-label="{escape(texts["caption"])}"><table class="cosines">'
        f"<caption>{escape(texts['caption'])}</caption><thead><tr>"
        f'<th scope="col" aria-label="{escape(texts["corner"])}"></th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def signed(value: float) -> str:
    text = f"{value:.2f}".replace("-", "−")
    return "0.00" if text == "−0.00" else text


def optimizer_table(
    rows: Sequence[tuple[str, Sequence[tuple[str, float | None]]]],
    names: Sequence[str],
    chosen: int,
    texts: Mapping[str, str],
) -> str:
    """Return a row for each matrix and a column for each optimizer; the last row is the sum.

    Args:
        rows: name of each row, and of each cell its text and a cosine, which is drawn as a bar;
            None for no bar.
        names: of the optimizers.
        chosen: index of the optimizer that is looked at.
        texts: ``table`` for screen readers, and ``row`` above the names of rows.
    """
    head = "".join(
        f'<th scope="col"{mark_of(index == chosen)}>{escape(name)}</th>'
        for index, name in enumerate(names)
    )
    body = "".join(
        f"<tr{' class=sum' if index == len(rows) - 1 else ''}>"
        f'<th scope="row">{row_name(name)}</th>'
        + "".join(
            f"<td{mark_of(column == chosen)}>{escape(text)}{bar(cosine)}</td>"
            for column, (text, cosine) in enumerate(cells)
        )
        + "</tr>"
        for index, (name, cells) in enumerate(rows)
    )
    return (
        f'<style>{STYLE}</style><div class="optimizers-box" role="region" tabindex="0" '
        f'aria-label="{escape(texts["table"])}"><table class="optimizers">'
        f"<caption>{escape(texts['table'])}</caption><thead><tr>"
        f'<th scope="col">{escape(texts["row"])}</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def row_name(name: str) -> str:
    """Return a parameter's name as code, and any other name as it is."""
    return f"<code>{escape(name)}</code>" if "." in name else escape(name)


def mark_of(is_chosen: bool) -> str:
    return ' class="now"' if is_chosen else ""


def bar(cosine: float | None) -> str:
    if cosine is None:
        return ""
    return f'<i style="--share:{min(1.0, max(0.0, cosine)):.3f}"></i>'
