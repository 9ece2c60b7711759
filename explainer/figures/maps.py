"""Signed numbers on the places of patches: small maps side by side, and a map for every place."""

from collections.abc import Sequence
from html import escape

import numpy as np

from explainer.figures import pixels, theme
from explainer.figures.theme import DIVERGING

STYLE = f"""
.maps {{ display: flex; flex-wrap: wrap; gap: 1rem; }}
.maps figure {{ flex: 0 1 7.5rem; min-width: 5.5rem; margin: 0; }}
.maps img, .all-maps img {{ display: block; width: 100%; margin: 0; border-radius: 3px;
  image-rendering: pixelated; }}
.maps .chosen img {{ box-shadow: 0 0 0 2px {theme.BACKGROUND.css}, 0 0 0 4px {theme.ACCENT.css}; }}
.maps figcaption {{ margin-top: 0.375rem; font-size: 0.875rem; line-height: 1.4; }}
.maps figcaption b {{ display: block; font-weight: 600; }}
.maps figcaption span {{ color: {theme.MUTED.css}; font-variant-numeric: tabular-nums; }}
.all-maps {{ position: relative; width: min(100%, 24rem); margin: 0; }}
.all-maps i {{ position: absolute; box-sizing: border-box; border: 2px solid {theme.QUERY.css};
  border-radius: 2px; pointer-events: none; }}
"""


def map_of(values: np.ndarray, limit: float) -> str:
    """Return numbers as a picture's address.

    Args:
        values: (rows, columns), drawn in the diverging map; or (rows, columns, 3), drawn as red,
            green and blue around mid-grey.
    """
    if values.ndim == 3:
        return pixels.image_address(pixels.around_grey(values, limit))
    picture = pixels.png(pixels.shades(values, -limit, limit), pixels.palette(DIVERGING))
    return pixels.data_uri(picture)


def maps(
    pictures: Sequence[tuple[np.ndarray, str, str, str]],
    chosen: int,
    limits: Sequence[float] | None = None,
) -> str:
    """Return small maps side by side, each in its own scale.

    Args:
        pictures: values (rows, columns) or (rows, columns, 3), title, line below, text alternative.
        chosen: index of the framed one.
        limits: the size with the full colour in each; its largest one if None.
    """
    figures = []
    for index, (values, title, line, alt) in enumerate(pictures):
        mark = ' class="chosen"' if index == chosen else ""
        kind = ' class="signed"' if values.ndim == 2 else ""
        limit = float(np.abs(values).max()) if limits is None else limits[index]
        address = map_of(values, limit or 1.0)
        figures.append(
            f'<figure{mark}><img{kind} src="{address}" alt="{escape(alt)}">'
            f"<figcaption><b>{escape(title)}</b><span>{escape(line)}</span></figcaption></figure>"
        )
    return f'<style>{STYLE}</style><div class="maps">{"".join(figures)}</div>'


def every_map(address: str, grid: tuple[int, int], chosen: int | None, alt: str) -> str:
    """Return one map for each place, laid where that place is.

    Args:
        address: of the picture, as ``every_picture`` returns it.
        grid: rows and columns of places.
        chosen: the framed place, if any.
        alt: says what the whole picture shows.
    """
    rows, columns = grid
    height, width = rows * (rows + 1), columns * (columns + 1)
    frame = ""
    if chosen is not None:
        row, column = divmod(chosen, columns)
        across, down = 100 / (width - 1), 100 / (height - 1)  # of one cell, in per cent
        frame = (
            f'<i style="left:{across * (column * (columns + 1) - 0.5):.3f}%;'
            f"top:{down * (row * (rows + 1) - 0.5):.3f}%;"
            f'width:{across * (columns + 1):.3f}%;height:{down * (rows + 1):.3f}%"></i>'
        )
    return (
        f'<style>{STYLE}</style><div class="all-maps">'
        f'<img class="signed" src="{address}" alt="{escape(alt)}">'
        f"{frame}</div>"
    )


def every_picture(values: np.ndarray, grid: tuple[int, int]) -> str:
    """Return the address of the picture of all maps; full colour at -1 and 1.

    Args:
        values: (P, P), row i is the map of place i.
        grid: rows and columns of places.

    Raises:
        ValueError: the values do not fit the grid.
    """
    rows, columns = grid
    if values.shape != (rows * columns, rows * columns):
        raise ValueError(f"values of shape {values.shape} are no maps of {rows} x {columns} places")
    apart = np.full((rows, columns, rows + 1, columns + 1), np.nan)
    apart[:, :, :rows, :columns] = values.reshape(rows, columns, rows, columns)
    height, width = rows * (rows + 1), columns * (columns + 1)
    sheet = apart.transpose(0, 2, 1, 3).reshape(height, width)[:-1, :-1]
    gaps = np.isnan(sheet)
    painted = pixels.shades(np.where(gaps, 0.0, sheet), -1.0, 1.0)
    return pixels.data_uri(pixels.png(painted, pixels.palette(DIVERGING), clear=gaps))
