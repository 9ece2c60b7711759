"""Panels: pictures with what lies on them, the lines below, and a colour bar."""

from collections.abc import Sequence

import numpy as np

from explainer.figures import pixels as picture
from explainer.figures.panels import Panel
from explainer.figures.saved import letters
from explainer.figures.saved.body import LINE, MUTED, TEXT, Body, flow
from explainer.figures.saved.paper import Paper

LETTERS = 11  # pixels
STEP = 15  # pixels from line to line
SWATCH = 11  # pixels
GRID = "#808080"


def panels(items: Sequence[Panel], gap: float = 24) -> Body:
    """Return panels in rows."""
    return flow([one(item) for item in items], gap)


def one(item: Panel) -> Body:
    """Return one panel."""
    pixels = colour_of(item.pixels)
    rows, columns = pixels.shape[:2]
    width = item.width
    height = item.height or width * rows / columns
    room = max(width, 110)
    titles = letters.lines(item.title, room, 12, bold=True)
    lines = [line for text in item.lines for line in letters.lines(text, room, LETTERS)]
    left = 26 if item.sign else 0
    edge = 4 if item.frame else 0
    above = (SWATCH + 9) * len(item.swatches)

    def draw(paper: Paper, x: float, y: float) -> None:
        if item.sign:
            at = y + above + height / 2
            paper.text(x + 7, at, item.sign, 18, MUTED, anchor="center")
        x += left + edge
        for swatch in item.swatches:
            paper.rect(x, y + 1, SWATCH, SWATCH, fill=swatch.colour, edge=LINE)
            words = f"{swatch.name}  {swatch.text}".strip()
            paper.text(x + SWATCH + 7, y + 7, words, LETTERS, TEXT, bold=swatch.is_marked)
            y += SWATCH + 9
        y += edge
        smooth = picture.is_smooth(pixels)
        paper.image(x, y, width, height, pixels, smooth=smooth)
        if item.over is not None:
            paper.image(x, y, width, height, item.over, smooth=False)
        if item.grid:
            draw_grid(paper, x, y, width, height, item)
        if item.numbers:
            draw_numbers(paper, x, y, width, height, item)
        if item.frame:
            paper.rect(x - 3, y - 3, width + 6, height + 6, edge=item.frame, thick=2)
        y += height + edge + 8
        for line in titles:
            paper.text(x, y + STEP / 2, line, 12, TEXT, bold=True)
            y += STEP + 1
        for line in lines:
            paper.text(x, y + STEP / 2, line, LETTERS, MUTED)
            y += STEP
        if item.scale:
            draw_scale(paper, x, y + 4, width, item.scale)

    below = 8 + (STEP + 1) * len(titles) + STEP * len(lines) + (20 if item.scale else 0)
    words = [letters.width(line, 12, bold=True) for line in titles]
    words += [letters.width(line, LETTERS) for line in lines]
    wide = max([width + edge, *words]) + left + edge
    return Body(wide, above + height + 2 * edge + below, draw)


def colour_of(pixels: np.ndarray) -> np.ndarray:
    """Return any image as (height, width, 3 or 4) uint8."""
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def draw_grid(paper: Paper, x: float, y: float, width: float, height: float, item: Panel) -> None:
    assert item.grid is not None
    rows, columns = item.grid
    for row in range(1, rows):
        at = y + height * row / rows
        paper.line([(x, at), (x + width, at)], GRID, thick=0.5, alpha=0.6)
    for column in range(1, columns):
        at = x + width * column / columns
        paper.line([(at, y), (at, y + height)], GRID, thick=0.5, alpha=0.6)
    across, down = width / columns, height / rows
    for patch, colour in item.marks:
        row, column = divmod(patch, columns)
        left, top = x + column * across, y + row * down
        paper.rect(left - 2, top - 2, across + 4, down + 4, edge="#ffffff")
        paper.rect(left, top, across, down, edge=colour, thick=2.5)


def draw_numbers(
    paper: Paper, x: float, y: float, width: float, height: float, item: Panel
) -> None:
    """Write numbers into the cells, dark where a cell is light."""
    pixels = colour_of(item.pixels)
    rows, columns = len(item.numbers), len(item.numbers[0])
    for row, texts in enumerate(item.numbers):
        for column, text in enumerate(texts):
            behind = pixels[
                int((row + 0.5) * pixels.shape[0] / rows),
                int((column + 0.5) * pixels.shape[1] / columns),
            ]
            light = behind[:3] @ np.array([0.299, 0.587, 0.114]) > 140
            paper.text(
                x + (column + 0.5) * width / columns,
                y + (row + 0.5) * height / rows,
                text,
                10,
                "#111111" if light else "#ffffff",
                anchor="center",
            )


def draw_scale(
    paper: Paper, x: float, y: float, room: float, scale: tuple[Sequence[str], str, str]
) -> None:
    """Draw a colour bar with words at its ends."""
    stops, least, most = scale
    start = letters.width(least, LETTERS) + 6
    wide = max(40.0, min(160.0, room - start - letters.width(most, LETTERS) - 6))
    paper.text(x, y + 6, least, LETTERS, MUTED)
    paper.image(x + start, y + 2, wide, 8, picture.palette(list(stops))[None], smooth=False)
    paper.text(x + start + wide + 6, y + 6, most, LETTERS, MUTED)
