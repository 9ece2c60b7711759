"""Where one token looks, as small pictures: attention weights over the image, one or many."""

import zlib
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from explainer.figures import pixels, theme
from explainer.figures.theme import SEQUENTIAL

# the image shows through the weights
STYLE = f"""
.look {{ position: relative; display: block; width: 100%; aspect-ratio: 1; overflow: hidden;
  border-radius: 3px; }}
.look img {{ position: absolute; inset: 0; width: 100%; height: 100%; margin: 0;
  border-radius: 0; image-rendering: pixelated; }}
.look img + img, .look.over img {{ opacity: 0.8; }}
.look img.smooth {{ image-rendering: auto; }}
.looks {{ display: flex; flex-wrap: wrap; gap: 1rem; margin: 0; }}
.looks figure {{ flex: 1 1 8.5rem; max-width: 14rem; margin: 0; }}
.looks figcaption {{ margin-top: 0.375rem; font-size: 0.9375rem; line-height: 1.45; }}
.looks figcaption b {{ display: block; font-weight: 600; }}
.looks figcaption span {{ display: block; color: {theme.MUTED.css};
  font-variant-numeric: tabular-nums; }}
.overview-box {{ overflow-x: auto; padding: 2px; }}
.overview {{ min-width: calc(3rem + var(--heads) * 3.25rem);
  border-collapse: separate; border-spacing: 0.25rem; table-layout: fixed;
  width: min(100%, calc(3rem + var(--heads) * 7rem)); }}
.overview caption {{ position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); }}
.overview th, .overview td {{ padding: 0; border: 0; font-size: 0.8125rem; font-weight: 400;
  text-align: center; vertical-align: middle; color: {theme.MUTED.css}; }}
.overview tr > th:first-child {{ width: var(--names); text-align: left; }}
.overview td > div {{ padding: 2px; border-radius: 5px; border: 2px solid transparent; }}
.overview td.chosen > div {{ border-color: {theme.QUERY.css}; }}
"""


def look(values: np.ndarray, weights: np.ndarray, alt: str, limit: float | None = None) -> str:
    """Return the weights on patches over the image.

    Args:
        values: (height, width) or (height, width, 3) uint8 pixels.
        weights: (rows, columns) of one query.
        limit: weight in the brightest colour; the largest one if None.
    """
    return (
        f'<span class="look"><img src="{pixels.image_address(values)}" alt=""{smoothed(values)}>'
        f'<img src="{heat(weights, limit)}" alt="{escape(alt)}"></span>'
    )


def overlay(weights: np.ndarray, alt: str, limit: float | None = None) -> str:
    """Return the weights alone, for ``looks`` that puts one image behind all of them."""
    return f'<span class="look over"><img src="{heat(weights, limit)}" alt="{escape(alt)}"></span>'


def heat(weights: np.ndarray, limit: float | None) -> str:
    top = float(weights.max()) if limit is None else limit
    return pixels.data_uri(pixels.png(pixels.shades(weights, 0.0, top), pixels.palette(SEQUENTIAL)))


def image_alone(values: np.ndarray, alt: str) -> str:
    """Return the image alone, (height, width) or (height, width, 3) uint8, for ``looks``."""
    source = pixels.image_address(values)
    return f'<span class="look"><img src="{source}" alt="{escape(alt)}"{smoothed(values)}></span>'


def smoothed(values: np.ndarray) -> str:
    return ' class="smooth"' if pixels.is_smooth(values) else ""


def backdrop_of(values: np.ndarray) -> tuple[str, str]:
    """Return a class, and its style that puts the image behind all ``overlay`` pictures in it.

    The image is sent only once, for any number of overlays.
    """
    name = f"behind-{zlib.crc32(values.tobytes()):08x}"
    rule = (
        f'.{name} .over {{ background: url("{pixels.image_address(values)}") 0 0 / 100% 100%; '
        f"image-rendering: {pixels.rendering(values)}; }}"
    )
    return name, f"<style>{rule}</style>"


def looks(
    pictures: Sequence[tuple[str, str, Sequence[str]]], values: np.ndarray | None = None
) -> str:
    """Return pictures side by side, each with a title and lines of text.

    Args:
        pictures: (HTML of ``look``, title, lines).
        values: pixels of the image behind the ``overlay`` pictures.
    """
    figures = "".join(
        f"<figure>{picture}<figcaption><b>{escape(title)}</b>"
        + "".join(f"<span>{escape(line)}</span>" for line in lines)
        + "</figcaption></figure>"
        for picture, title, lines in pictures
    )
    html = f'<style>{STYLE}</style><div class="looks">{figures}</div>'
    if values is None:
        return html
    name, backdrop_style = backdrop_of(values)
    return f'{backdrop_style}<div class="{name}">{html}</div>'


def overview(
    values: np.ndarray,
    weights: np.ndarray,
    grid: tuple[int, int],
    chosen: tuple[int, int],
    texts: Mapping[str, str],
    strongest: Sequence[Sequence[str]],
    limits: np.ndarray | None = None,
) -> str:
    """Return every head of every block for one query, a row for each block.

    Each picture has its own scale.

    Args:
        values: (height, width) or (height, width, 3) uint8 pixels.
        weights: (depth, heads, P) of one query on the patches.
        grid: rows and columns of patches.
        chosen: block and head.
        texts: ``caption``, ``block``, ``head`` and ``alt`` with ``block``, ``head``, ``strongest``.
        strongest: [block][head], what is looked at most, and how much.
        limits: (depth, heads), weight in the brightest colour; each head's largest one if None.
    """
    depth, heads = weights.shape[:2]
    names = "".join(
        f'<th scope="col">{escape(texts["head"].format(head=head + 1))}</th>'
        for head in range(heads)
    )
    rows = []
    for block in range(depth):
        cells = []
        for head in range(heads):
            most = strongest[block][head]
            alt = texts["alt"].format(block=block + 1, head=head + 1, strongest=most)
            limit = None if limits is None else float(limits[block, head])
            picture = overlay(weights[block, head].reshape(grid), alt, limit)
            mark = ' class="chosen"' if (block, head) == chosen else ""
            cells.append(f"<td{mark}><div>{picture}</div></td>")
        name = escape(texts["block"].format(block=block + 1))
        rows.append(f'<tr><th scope="row">{name}</th>{"".join(cells)}</tr>')
    backdrop_class, backdrop_style = backdrop_of(values)
    names_width = "2.75rem" if depth < 10 else "3.5rem"
    return (
        f"<style>{STYLE}</style>{backdrop_style}"
        f'<div class="overview-box {backdrop_class}" role="region" tabindex="0" '
        f'aria-label="{escape(texts["caption"])}">'
        f'<table class="overview" style="--heads:{heads};--names:{names_width}">'
        f"<caption>{escape(texts['caption'])}</caption>"
        f"<thead><tr><th></th>{names}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )
