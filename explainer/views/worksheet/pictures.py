"""The pictures of a worksheet as inline SVG: pale enough to write on, and with little ink.

Lengths are in tenths of the width of a patch, unless a name says otherwise.
"""

from collections.abc import Mapping
from html import escape

import numpy as np

from explainer.figures import theme
from explainer.figures.pixels import image_address
from explainer.views.worksheet.tasks import Cut
from vit_core import ViTConfig

CELL = 10.0  # width of a patch
PALE = 0.55  # of the contrast
DARK = 128  # a grey picture that is darker on average is printed in reverse
LEAST_PIXELS = 256  # of a printed picture's width: small ones are enlarged here, so they stay sharp
LEAST_LETTERS, MOST_LETTERS = 3.4, 6.0  # size of letters on paper, in millimetres
EDGE = 1.0  # around a picture, for thick frames; in millimetres
MOST_LINES = 40  # patches along a side between which lines are drawn
INK, LINE, MARK = theme.TEXT.light, theme.MUTED.light, theme.QUERY.light


def is_reversed(pixels: np.ndarray) -> bool:
    """Whether a picture is printed in reverse, as dark strokes on white paper."""
    return pixels.ndim == 2 and float(pixels.mean()) < DARK


def printed(pixels: np.ndarray, reverse: bool) -> np.ndarray:
    """Return a picture for paper, pale and enlarged: (height, width) or with 3 colours, uint8."""
    levels = 255 - pixels if reverse else pixels
    pale = (255.5 - PALE * (255 - levels.astype(np.float64))).astype(np.uint8)
    return enlarged(pale)


def enlarged(pixels: np.ndarray) -> np.ndarray:
    """Return a picture of few pixels with each of them repeated, so that it stays sharp."""
    factor = -(-LEAST_PIXELS // pixels.shape[1]) if pixels.shape[1] <= LEAST_PIXELS // 2 else 1
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)


def plain_picture(pixels: np.ndarray, label: str, box: tuple[float, float]) -> str:
    """Return the picture as it is, to recognise what it shows; the box is in millimetres."""
    height, width = pixels.shape[:2]
    scale = min(box[0] / width, box[1] / height)
    return (
        f'<img src="{image_address(enlarged(pixels))}" alt="{escape(label)}" '
        f'style="width: {number(scale * width)}mm; height: {number(scale * height)}mm">'
    )


def grid_picture(
    pixels: np.ndarray,
    config: ViTConfig,
    part: Cut,
    label: str,
    box: tuple[float, float],
    texts: Mapping[int, str] | None = None,
    marked: int | None = None,
    framed: Cut | None = None,
) -> str:
    """Return the picture, or a part of it, with lines between the patches.

    Args:
        pixels: of the whole picture.
        part: what is drawn of it.
        label: what a screen reader says.
        box: width and height on paper into which it is fitted, in millimetres.
        texts: patch, 0..num_patches - 1 → what stands in it.
        marked: the patch that has a thick frame.
        framed: a part that has a thick frame.
    """
    ph, pw = config.patch_hw
    cell_height = CELL * ph / pw
    width, height = part.columns * CELL, part.rows * cell_height
    top, left = part.top * ph, part.left * pw
    shown = pixels[top : top + part.rows * ph, left : left + part.columns * pw]
    scale = min((box[0] - 2 * EDGE) / width, (box[1] - 2 * EDGE) / height)
    edge = EDGE / scale

    def at(patch: int) -> tuple[float, float]:
        row, column = divmod(patch, part.grid[1])
        return (column - part.left) * CELL, (row - part.top) * cell_height

    drawn = [
        f'<image href="{image_address(printed(shown, is_reversed(pixels)))}" '
        f'width="{number(width)}" '
        f'height="{number(height)}" preserveAspectRatio="none"/>',
        lines(part, cell_height, scale),
    ]
    if framed is not None:
        x, y = at(framed.top * part.grid[1] + framed.left)
        drawn.append(frame(x, y, framed.columns * CELL, framed.rows * cell_height, scale))
    if marked is not None:
        drawn.append(frame(*at(marked), CELL, cell_height, scale))
    for patch, text in (texts or {}).items():
        x, y = at(patch)
        size = min(0.42 * CELL, 0.5 * cell_height, 1.5 * CELL / len(text))
        size = min(max(size, LEAST_LETTERS / scale), MOST_LETTERS / scale)
        drawn.append(word(x + CELL / 2, y + cell_height / 2, text, size))
    return (
        f'<svg role="img" aria-label="{escape(label)}" '
        f'width="{number(scale * (width + 2 * edge))}mm" '
        f'height="{number(scale * (height + 2 * edge))}mm" '
        f'viewBox="{number(-edge)} {number(-edge)} {number(width + 2 * edge)} '
        f'{number(height + 2 * edge)}">{"".join(drawn)}</svg>'
    )


def lines(part: Cut, cell_height: float, scale: float) -> str:
    """Return the lines between patches, 0.2 mm wide, and those around all of them."""
    width, height = part.columns * CELL, part.rows * cell_height
    across = range(part.rows + 1) if part.rows <= MOST_LINES else (0, part.rows)
    down = range(part.columns + 1) if part.columns <= MOST_LINES else (0, part.columns)
    path = "".join(f"M0 {number(row * cell_height)}h{number(width)}" for row in across)
    path += "".join(f"M{number(column * CELL)} 0v{number(height)}" for column in down)
    return f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="{number(0.2 / scale)}"/>'


def frame(x: float, y: float, width: float, height: float, scale: float) -> str:
    """Return a thick frame, 0.8 mm wide on paper."""
    return (
        f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}" '
        f'fill="none" stroke="{MARK}" stroke-width="{number(0.8 / scale)}"/>'
    )


def word(x: float, y: float, text: str, size: float) -> str:
    """Return a text centred on a point, with paper around its letters."""
    return (
        f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}" text-anchor="middle" '
        f'dominant-baseline="central" fill="{INK}" stroke="#ffffff" '
        f'stroke-width="{number(size / 4)}" paint-order="stroke" stroke-linejoin="round">'
        f"{escape(text)}</text>"
    )


def number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
