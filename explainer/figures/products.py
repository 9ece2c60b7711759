"""A patch times a filter, pixel by pixel: three little pictures and the signs between them."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from explainer.figures import theme
from explainer.figures.maps import map_of

MOST_NUMBERS = 16  # cells with their number: more would be too small to read

STYLE = f"""
.product {{ display: flex; flex-wrap: wrap; align-items: center; gap: 0.75rem;
  container-type: inline-size; }}
.product figure {{ flex: 1 1 7.5rem; min-width: 7rem; max-width: 9rem; margin: 0; }}
.product .tile {{ position: relative; display: block; }}
.product img {{ display: block; width: 100%; margin: 0; border-radius: 3px;
  image-rendering: pixelated; }}
.product .cells {{ position: absolute; inset: 0; display: grid; }}
.product .cells span {{ display: grid; place-items: center; color: #fff;
  font-size: clamp(0.5rem, 2.3cqi, 0.6875rem);
  font-variant-numeric: tabular-nums; }}
.product .cells .on-light {{ color: #111; }}
.product figcaption {{ margin-top: 0.375rem; font-size: 0.875rem; line-height: 1.4; }}
.product figcaption b {{ display: block; font-weight: 600; }}
.product figcaption span {{ color: {theme.MUTED.css}; font-variant-numeric: tabular-nums; }}
.product > i {{ font-style: normal; font-size: 1.5rem; color: {theme.MUTED.css}; }}
.alike {{ display: grid; gap: 0.5rem; }}
.alike figure {{ display: flex; align-items: center; gap: 0.75rem; margin: 0; font-size: 0.875rem;
  line-height: 1.35; }}
.alike img {{ flex: none; display: block; width: 2.25rem; margin: 0; border-radius: 0;
  image-rendering: pixelated; box-shadow: 0 0 0 1px {theme.LINE.css}; }}
.alike .chosen img {{ box-shadow: 0 0 0 3px {theme.PATCH.css}; }}
.alike b {{ font-weight: 600; }}
.alike span {{ display: block; color: {theme.MUTED.css}; font-variant-numeric: tabular-nums; }}
"""


class Tile(NamedTuple):
    """One little picture.

    Attributes:
        values: (height, width), or (height, width, 3) drawn as colours around mid-grey.
        title: above what is said in ``line``.
        alt: says what it shows.
    """

    values: np.ndarray
    title: str
    line: str
    alt: str


def product(
    tiles: Sequence[Tile], signs: Sequence[str], limits: Sequence[float] | None = None
) -> str:
    """Return pictures of signed numbers with a sign between any two, each in its own scale.

    Numbers stand in the cells where there are few of them.

    Args:
        limits: the size with the full colour in each picture; its largest one if None.

    Raises:
        ValueError: there is not one sign between any two.
    """
    if len(signs) != len(tiles) - 1:
        raise ValueError(f"{len(tiles)} pictures need {len(tiles) - 1} signs, not {len(signs)}")
    parts = []
    for index, (tile, sign) in enumerate(zip(tiles, ["", *signs], strict=True)):
        limit = (float(np.abs(tile.values).max()) if limits is None else limits[index]) or 1.0
        if sign:
            parts.append(f'<i aria-hidden="true">{escape(sign)}</i>')
        kind = "tile signed" if tile.values.ndim == 2 else "tile"
        parts.append(
            f'<figure><span class="{kind}"><img src="{map_of(tile.values, limit)}" '
            f'alt="{escape(tile.alt)}">{numbers(tile.values, limit)}</span>'
            f"<figcaption><b>{escape(tile.title)}</b><span>{escape(tile.line)}</span></figcaption>"
            f"</figure>"
        )
    return f'<style>{STYLE}</style><div class="product">{"".join(parts)}</div>'


def numbers(values: np.ndarray, limit: float) -> str:
    """Return the numbers of a picture's cells, dark where the cell is light."""
    if values.ndim > 2 or values.size > MOST_NUMBERS:
        return ""
    rows, columns = values.shape
    cells = "".join(
        f"<span{light(value, limit)}>{f'{value:.2f}'.replace('-', '−')}</span>"
        for value in values.flat
    )
    grid = f"grid-template:repeat({rows},1fr)/repeat({columns},1fr)"
    return f'<span class="cells" aria-hidden="true" style="{grid}">{cells}</span>'


def light(value: float, limit: float) -> str:
    # the middle of the diverging map is light, its ends are dark
    return ' class="on-light"' if abs(value) < 0.55 * limit else ""


def similar_patches(patches: Sequence[tuple[str, str, str, Sequence[str]]]) -> str:
    """Return patches below each other, the first of them framed as the chosen one.

    Args:
        patches: address of a picture, its text alternative, title, lines.
    """
    items = []
    for index, (address, alt, title, lines) in enumerate(patches):
        mark = "" if index else ' class="chosen"'
        line_spans = "".join(f"<span>{escape(line)}</span>" for line in lines)
        items.append(
            f'<figure{mark}><img src="{address}" alt="{escape(alt)}">'
            f"<figcaption><b>{escape(title)}</b>{line_spans}</figcaption></figure>"
        )
    return f'<style>{STYLE}</style><div class="alike">{"".join(items)}</div>'
