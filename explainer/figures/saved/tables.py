"""Tables of the page with their bars, shades and little pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from explainer.figures import theme
from explainer.figures.saved import letters
from explainer.figures.saved.body import LINE, MUTED, TEXT, WIDEST, Body
from explainer.figures.saved.colours import ink, light
from explainer.figures.saved.paper import Paper
from explainer.figures.saved.tree import Node, image_of, percent

LETTERS = 12
ROW = 24  # pixels
BARS = 220  # pixels of the longest bar
LONGEST = 260  # pixels of a cell's words
PICTURE = 84  # pixels
SQUARE = {"effects", "confusion", "cosines"}  # tables whose cells are all of one size


@dataclass
class Cell:
    """One cell.

    Attributes:
        bars: (share of the room, colour), below one another.
        signed: share from -1 to 1 of a bar from a middle line, and its colour.
        layers: pictures on one another, with their opacity.
        span: columns that it takes.
    """

    text: str = ""
    bold: bool = False
    colour: str = TEXT
    fill: str | None = None
    frame: str | None = None
    is_struck: bool = False
    bars: list[tuple[float, str]] = field(default_factory=list)
    signed: tuple[float, str] | None = None
    layers: list[tuple[np.ndarray, float]] = field(default_factory=list)
    span: int = 1
    after: tuple[str, str] | None = None  # a sign behind the words, and its colour


def table(node: Node, behind: Mapping[str, np.ndarray]) -> Body:
    """Return a table of the page.

    Args:
        behind: images that the page's styles put behind pictures, by their class.
    """
    kinds = set(node.classes)
    rows = []
    for row in node.find("tr"):
        is_head = any(one.tag == "thead" for one in row.above())
        rows.append([cell_of(one, kinds, is_head, behind) for one in row.elements])
    return laid([row for row in rows if row], is_square=bool(kinds & SQUARE))


def cell_of(node: Node, kinds: set[str], is_head: bool, behind: Mapping[str, np.ndarray]) -> Cell:
    style, classes = node.style, node.classes
    row = node.parent
    row_classes = row.classes if row else []
    cell = Cell(" ".join(words_of(node).split()), span=int(node.attributes.get("colspan", 1)))
    cell.bold = node.tag == "th" and not is_head and "parts" not in kinds
    cell.bold |= bool({"here", "last"} & set(row_classes))
    cell.colour = MUTED if is_head else TEXT
    if "background" in style:
        cell.fill = light(style["background"])
        cell.colour = ink(cell.fill)
    if "none" in classes:
        cell.text = ""
        cell.fill = theme.SURFACE.light
    if "chosen" in classes:
        cell.frame = theme.QUERY.light
    cell.is_struck = "off" in classes
    if "bar" in classes and (bar := next(node.find("b"), None)):
        share = percent(bar.style["width"]) * 2
        sign = -1 if "right" in bar.style else 1
        cell.signed = sign * share, light(bar.style["background"])
    elif bars := [one for one in node.find("i") if "width" in one.style]:
        best = "best" in row_classes
        usual = [theme.MUTED.light, theme.ACCENT.light]
        if "class-bars" in kinds or "parts" in kinds:
            usual = [theme.ACCENT.light if best or "parts" in kinds else theme.MUTED.light]
        cell.bars = [
            (percent(one.style["width"]), usual[min(index, len(usual) - 1)])
            for index, one in enumerate(bars)
        ]
    tick = next((one for one in node.find("b") if one.attributes.get("role") == "img"), None)
    if tick:
        cell.text = cell.text.removesuffix(tick.text).strip()
        cell.after = tick.text, theme.GOOD.light
    cell.layers = layers_of(node, behind)
    return cell


def words_of(node: Node) -> str:
    """Return a cell's words; where its name is shortened, the whole name stands in its title."""
    return node.attributes.get("title") or node.text


def layers_of(node: Node, behind: Mapping[str, np.ndarray]) -> list[tuple[np.ndarray, float]]:
    """Return the pictures in an element, the lowest first, with their opacity."""
    layers: list[tuple[np.ndarray, float]] = []
    for image in node.find("img"):
        around = next((one for one in image.above() if "look" in one.classes), None)
        is_over = around is not None and "over" in around.classes
        if is_over:
            names = {name for one in image.above() for name in one.classes}
            layers += [(pixels, 1.0) for name, pixels in behind.items() if name in names]
        is_upper = is_over or (around is not None and bool(layers))
        layers.append((image_of(image.attributes["src"]), 0.8 if is_upper else 1.0))
    return layers


def laid(rows: Sequence[Sequence[Cell]], *, is_square: bool) -> Body:
    """Return cells in columns that are as wide as what stands in them."""
    count = max(sum(cell.span for cell in row) for row in rows)
    widths = [0.0] * count
    for row in rows:
        at = 0
        for cell in row:
            if cell.span == 1:
                widths[at] = max(widths[at], room_of(cell))
            at += cell.span
    if is_square:
        widths[1:] = [max(widths[1:], default=0)] * (count - 1)
    widths = [min(width, WIDEST) + 14 for width in widths]
    heights = [max(height_of(cell) for cell in row) for row in rows]

    def draw(paper: Paper, x: float, y: float) -> None:
        for row, height in zip(rows, heights, strict=True):
            left, at = x, 0
            for cell in row:
                width = sum(widths[at : at + cell.span])
                # words stand at the left in the first column, and figures at the right
                draw_cell(paper, cell, left, y, width, height, at == 0, is_square)
                left, at = left + width, at + cell.span
            y += height
            if not is_square:
                paper.line([(x, y), (x + sum(widths), y)], LINE, thick=0.75)

    return Body(sum(widths), sum(heights), draw)


def room_of(cell: Cell) -> float:
    bars = BARS if cell.bars and not cell.text else 0
    signed = 110 if cell.signed else 0
    picture = PICTURE if cell.layers else 0
    words = min(letters.width(letters.plain(cell.text), LETTERS, cell.bold), LONGEST)
    return max(words + (20 if cell.after else 0), bars, signed, picture)


def height_of(cell: Cell) -> float:
    if cell.layers:
        return PICTURE + 8
    return ROW + (8 if cell.bars and cell.text else 0)


def draw_cell(
    paper: Paper,
    cell: Cell,
    x: float,
    y: float,
    width: float,
    height: float,
    is_first: bool,
    is_square: bool,
) -> None:
    if cell.fill:
        paper.rect(x + 1, y + 1, width - 2, height - 2, fill=cell.fill)
    if cell.frame:
        paper.rect(x + 2, y + 2, width - 4, height - 4, edge=cell.frame, thick=2)
    middle = y + height / 2
    if cell.layers:
        side = PICTURE
        for pixels, opacity in cell.layers:
            if opacity < 1:
                pixels = with_opacity(pixels, opacity)
            paper.image(
                x + (width - side) / 2, y + 4, side, side, pixels, smooth=pixels.shape[1] > 96
            )
        return
    if cell.signed:
        centre = x + width / 2
        share, colour = cell.signed
        reach = share * (width - 14) / 2
        paper.line([(centre, y), (centre, y + height)], LINE)
        paper.rect(min(centre, centre + reach), middle - 6, abs(reach), 12, fill=colour)
        return
    if cell.bars:
        room, thick = width - 14, 10 if len(cell.bars) == 1 and not cell.text else 4
        top = y + height - 7 if cell.text else middle - (thick + 1) * len(cell.bars) / 2
        for share, colour in cell.bars:
            paper.rect(x + 2, top, max(1.0, share * room), thick, fill=colour)
            top += thick + 2
        middle -= 4 if cell.text else 0
    words = letters.shortened(letters.plain(cell.text), LONGEST, LETTERS, cell.bold)
    wide = letters.width(words, LETTERS, cell.bold)
    if is_square and not is_first:
        paper.text(
            x + width / 2, middle, words, LETTERS, cell.colour, anchor="center", bold=cell.bold
        )
        start = x + (width - wide) / 2
    elif is_first:
        paper.text(x + 2, middle, words, LETTERS, cell.colour, bold=cell.bold)
        start = x + 2
    else:
        end = x + width - 8 - (16 if cell.after else 0)
        paper.text(end, middle, words, LETTERS, cell.colour, anchor="right", bold=cell.bold)
        start = end - wide
    if cell.is_struck and words:
        paper.line([(start - 2, middle), (start + wide + 2, middle)], cell.colour, thick=1.5)
    if cell.after:
        paper.text(x + width - 16, middle, cell.after[0], LETTERS, cell.after[1], bold=True)


def with_opacity(pixels: np.ndarray, opacity: float) -> np.ndarray:
    """Return a picture through which one sees what lies behind."""
    alpha = (
        pixels[..., 3:] if pixels.shape[2] == 4 else np.full((*pixels.shape[:2], 1), 255, np.uint8)
    )
    return np.concatenate([pixels[..., :3], np.rint(opacity * alpha).astype(np.uint8)], axis=2)
