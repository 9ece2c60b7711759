"""Small maps of patches in a table, each with a number below it."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from explainer.figures import pixels, theme
from explainer.figures.theme import DIVERGING, SEQUENTIAL

STYLE = f"""
.map-table-box {{ overflow-x: auto; padding: 2px; }}
.map-table {{ border-collapse: separate; border-spacing: 4px; font-size: 0.8125rem;
  font-variant-numeric: tabular-nums; }}
.map-table caption {{ position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); }}
.map-table th, .map-table td {{ padding: 0; border: 0; text-align: center;
  vertical-align: top; }}
.map-table th {{ font-weight: 400; color: {theme.MUTED.css}; }}
.map-table thead th {{ vertical-align: bottom; min-width: 4.75rem; max-width: 5rem;
  line-height: 1.25; overflow-wrap: anywhere; }}
.map-table thead th:first-child {{ text-align: left; }}
.map-table tbody th {{ position: sticky; left: 0; min-width: 6.5rem; max-width: 8rem;
  text-align: left; vertical-align: middle; background: {theme.BACKGROUND.css};
  color: {theme.TEXT.css}; line-height: 1.25; }}
.map-table img {{ display: block; width: 4.5rem; margin: 0 auto; border-radius: 3px;
  image-rendering: pixelated; }}
.map-table img.smooth {{ image-rendering: auto; }}
.map-table span {{ display: block; line-height: 1.5; white-space: nowrap;
  color: {theme.TEXT.css}; }}
.map-table td.strong span {{ font-weight: 700; }}
.map-table tr.apart > * {{ border-top: 1px solid {theme.LINE.css}; padding-top: 4px; }}
"""


@dataclass(frozen=True)
class MapCell:
    """One cell: a picture, and what stands below it.

    Attributes:
        picture: (rows, columns, 3) uint8; None for no picture.
        alt: what is to be seen, for screen readers and beside the pointer.
        is_strong: whether the text is bold.
    """

    picture: np.ndarray | None
    text: str
    alt: str = ""
    is_strong: bool = False


def map_colours(values: np.ndarray, grid: tuple[int, int], *, signed: bool) -> np.ndarray:
    """Return a map's values as colours on a scale of its own, (rows, columns, 3) uint8.

    Signed ones lie around 0, others between the least and the largest.

    Args:
        values: (P,) in reading order.

    Raises:
        ValueError: a value is not finite.
    """
    low, high = ends(values, signed=signed)
    stops = DIVERGING if signed else SEQUENTIAL
    if low == high:  # the same everywhere: the middle of a signed scale, the dark end of another
        low, high = (low - 1, high + 1) if signed else (low, high + 1)
    return pixels.palette(stops)[pixels.shades(values.reshape(grid), low, high)]


def ends(values: np.ndarray, *, signed: bool) -> tuple[float, float]:
    """Return the values at the two ends of a map's scale."""
    if signed:
        most = float(np.abs(values).max())
        return -most, most
    return float(values.min()), float(values.max())


def map_table(
    columns: Sequence[str],
    rows: Sequence[tuple[str, Sequence[MapCell]]],
    *,
    corner: str,
    caption: str,
    apart: int = 0,
) -> str:
    """Return a row for each name with its cells below the columns' names.

    Args:
        corner: what the rows are, above their names.
        caption: of the table, for screen readers.
        apart: so many rows at the end stand apart.

    Raises:
        ValueError: a row has not one cell for each column.
    """
    if any(len(cells) != len(columns) for _, cells in rows):
        raise ValueError(f"each row needs {len(columns)} cells")
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(
        f"<tr{' class=apart' if apart and index == len(rows) - apart else ''}>"
        f'<th scope="row">{escape(name)}</th>{"".join(map(cell_html, cells))}</tr>'
        for index, (name, cells) in enumerate(rows)
    )
    return (
        f'<style>{STYLE}</style><div class="map-table-box" role="region" tabindex="0" '
        f'aria-label="{escape(caption)}"><table class="map-table">'
        f'<caption>{escape(caption)}</caption><thead><tr><th scope="col">{escape(corner)}</th>'
        f"{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def cell_html(cell: MapCell) -> str:
    picture = ""
    if cell.picture is not None:
        smooth = ' class="smooth"' if pixels.is_smooth(cell.picture) else ""
        picture = (
            f'<img{smooth} src="{pixels.image_address(cell.picture)}" alt="{escape(cell.alt)}" '
            f'title="{escape(cell.alt)}">'
        )
    mark = ' class="strong"' if cell.is_strong else ""
    return f"<td{mark}>{picture}<span>{escape(cell.text)}</span></td>"
