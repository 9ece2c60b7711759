"""One frame of a film of attention: arcs over the picture, each as wide as its weight is large."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from explainer.figures import pixels, theme
from explainer.figures.films import sheet

WIDEST = 22.0  # pixels of an arc of the largest weight
BEND = 0.14  # of the way, to the side; as in stage/arcs.js
SHARPER = 3  # times as large as arcs are drawn before they are made smaller
VEIL = 0.5  # of the dark ground that lies over the picture
CHIP = 40  # pixels of the row of tokens before the first patch
STEPS = 24  # of a curve
COLOUR = theme.QUERY.dark


@dataclass(frozen=True)
class Stage:
    """What all frames of a film have in common.

    Attributes:
        image: the dimmed picture with its grid, and the tokens before the first patch above it.
        middles: token → where its middle is.
        followed: the box around the followed token: left, top, right, bottom.
    """

    image: Image.Image
    middles: Sequence[tuple[float, float]]
    followed: tuple[float, float, float, float]


def stage(
    values: np.ndarray, grid: tuple[int, int], prefix_names: Sequence[str], query: int
) -> Stage:
    """Return the picture with its tokens.

    Args:
        values: (height, width) or (height, width, 1 or 3) uint8.
        grid: rows and columns of patches.
        prefix_names: of the tokens before the first patch.
        query: the followed token.
    """
    picture = enlarged(values)
    wide, high = picture.size
    top = CHIP + 14 if prefix_names else 0
    image = Image.new("RGB", (wide, top + high), sheet.SCREEN)
    ground = Image.new("RGB", picture.size, sheet.SCREEN)
    image.paste(Image.blend(picture, ground, VEIL), (0, top))
    pen = ImageDraw.Draw(image)
    (rows, columns), boxes = grid, []
    left = 0.0
    for name in prefix_names:
        room = sheet.font(sheet.LINE).getlength(name) + 24
        boxes.append((left, 0.0, left + room, float(CHIP)))
        pen.rounded_rectangle(boxes[-1], 8, outline=theme.MUTED.dark)
        sheet.write(pen, (left + 12, 8), name, sheet.LINE, theme.TEXT.dark)
        left += room + 8
    for row in range(rows):
        for column in range(columns):
            box = (
                column * wide / columns,
                top + row * high / rows,
                (column + 1) * wide / columns,
                top + (row + 1) * high / rows,
            )
            boxes.append(box)
            pen.rectangle(tuple(map(round, box)), outline=theme.LINE.dark)
    middles = [((x0 + x1) / 2, (y0 + y1) / 2) for x0, y0, x1, y1 in boxes]
    return Stage(image, middles, boxes[query])


def enlarged(values: np.ndarray) -> Image.Image:
    """Return a picture as wide as there is room; small ones in whole pixels."""
    grey = values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values
    image = Image.fromarray(grey).convert("RGB")
    width, height = image.size
    if pixels.is_smooth(grey):
        size = sheet.INSIDE, max(1, round(sheet.INSIDE * height / width))
        return image.resize(size, Image.Resampling.LANCZOS)
    times = max(1, sheet.INSIDE // max(width, height))
    return image.resize((times * width, times * height), Image.Resampling.NEAREST)


def frame(
    on: Stage,
    query: int,
    weights: Mapping[int, float],
    scale: float,
    title: str,
    lines: Sequence[str],
    progress: float,
) -> Image.Image:
    """Return one frame.

    Args:
        weights: token → weight, of the tokens at which arcs end.
        scale: the weight of the widest arc.
    """
    image = on.image.copy()
    arcs = Image.new("L", [SHARPER * side for side in image.size], 0)
    pen = ImageDraw.Draw(arcs)
    start = on.middles[query]
    for key, weight in sorted(weights.items(), key=lambda entry: entry[1]):
        share = weight / scale if scale else 0.0
        if share > 0:
            arc(pen, start, on.middles[key], share)
    mask = arcs.resize(image.size, Image.Resampling.BOX)
    image.paste(Image.new("RGB", image.size, COLOUR), (0, 0), mask)
    x0, y0, x1, y1 = on.followed
    ImageDraw.Draw(image).rectangle((x0 - 1, y0 - 1, x1 + 1, y1 + 1), outline=COLOUR, width=4)
    return sheet.sheet(title, image, lines, progress, dark=True)


def arc(
    pen: ImageDraw.ImageDraw,
    start: tuple[float, float],
    end: tuple[float, float],
    share: float,
) -> None:
    """Draw one arc and the dot at its end; one that is finer than a pixel is fainter."""
    points = [tuple(SHARPER * value for value in point) for point in curve(start, end)]
    width = SHARPER * WIDEST * share
    level = round(255 * opacity(share) * min(1.0, max(width, 0.0)))
    thick = max(1, round(width))
    pen.line(points, fill=level, width=thick, joint="curve")
    x, y = points[-1]
    for at, radius in ((points[0], thick / 2), ((x, y), max(0.7 * width, min(2.0, width)))):
        pen.ellipse((at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius), fill=level)


def opacity(share: float) -> float:
    """Return how opaque an arc is; as in stage/arcs.js."""
    return 0.6 + 0.35 * share


def curve(start: tuple[float, float], end: tuple[float, float]) -> list[tuple[float, float]]:
    """Return points along an arc."""
    (x0, y0), (x1, y1) = start, end
    xm = (x0 + x1) / 2 + BEND * (y1 - y0)
    ym = (y0 + y1) / 2 - BEND * (x1 - x0)
    points = []
    for step in range(STEPS + 1):
        t = step / STEPS
        points.append(
            (
                (1 - t) ** 2 * x0 + 2 * t * (1 - t) * xm + t**2 * x1,
                (1 - t) ** 2 * y0 + 2 * t * (1 - t) * ym + t**2 * y1,
            )
        )
    return points
