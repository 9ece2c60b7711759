"""Frames of films over epochs: the filters of a patch embedding, and a map of digits."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from explainer.figures import pixels, theme
from explainer.figures.films import sheet
from explainer.figures.mosaic import grid

DIGIT = 56  # pixels of a digit on the map, two for each of its own
SIDE = sheet.INSIDE  # pixels of the map


def filters_frame(
    filters: np.ndarray, limit: float, title: str, lines: Sequence[str], progress: float
) -> Image.Image:
    """Return the frame of one epoch's filters.

    Args:
        filters: (D, ph, pw), or (D, ph, pw, 3) of a model of colours.
        limit: the weight that has the full colour in all frames.
    """
    count, height, width = filters.shape[:3]
    rows, columns = grid(count)
    gap = max(1, height // 4)
    levels = pixels.shades(filters, -limit, limit)
    if filters.ndim == 3:
        levels = pixels.palette(theme.DIVERGING)[levels]
    small = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for index, painted in enumerate(levels):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        small[top : top + height, left : left + width] = painted
    times = max(1, sheet.INSIDE // max(small.shape[:2]))
    image = Image.fromarray(small)
    image = image.resize((times * small.shape[1], times * small.shape[0]), Image.Resampling.NEAREST)
    image.thumbnail((sheet.INSIDE, sheet.INSIDE), Image.Resampling.BOX)
    return sheet.sheet(title, image, lines, progress, dark=False)


def map_frame(
    digits: np.ndarray,
    places: np.ndarray,
    predicted: Sequence[str],
    truths: Sequence[str],
    title: str,
    lines: Sequence[str],
    progress: float,
) -> Image.Image:
    """Return the frame of one epoch's map.

    Args:
        digits: (n, height, width) uint8.
        places: (n, 2), right and up, from -1 to 1.
        predicted: what each is taken for.
        truths: what each is.
    """
    image = Image.new("RGB", (SIDE, SIDE), sheet.SCREEN)
    pen = ImageDraw.Draw(image)
    reach = SIDE / 2 - DIGIT
    for digit, (right, up), said, truth in zip(digits, places, predicted, truths, strict=True):
        x = round(SIDE / 2 + reach * float(right) - DIGIT / 2)
        y = round(SIDE / 2 - reach * float(up) - DIGIT / 2)
        small = Image.fromarray(digit).convert("RGB")
        image.paste(small.resize((DIGIT, DIGIT), Image.Resampling.NEAREST), (x, y))
        colour = theme.GOOD.dark if said == truth else theme.BAD.dark
        pen.rectangle((x - 2, y - 2, x + DIGIT + 1, y + DIGIT + 1), outline=colour, width=2)
        sign = said if said == truth else f"✗ {said}"
        face = sheet.font(sheet.LINE, bold=True)
        at = (x + DIGIT / 2 - face.getlength(sign) / 2, y + DIGIT + 2)
        pen.text(at, sign, font=face, fill=colour)
    return sheet.sheet(title, image, lines, progress, dark=True)
