"""Matrices with all that a page shows of them: cells, names, colour bar, marks, notes and signs."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from explainer.content.numbers import written
from explainer.figures import panels, theme
from explainer.figures.matrix import Matrix
from explainer.figures.saved import letters
from explainer.figures.saved.body import LINE, MUTED, TEXT, WIDEST, Body, beside, flow
from explainer.figures.saved.paper import Paper

LARGEST = 20  # pixels of a cell without a number
TALL = 560  # pixels that the rows of a matrix take, where they are not too many
VECTOR = 28  # pixels across a vector
FEW = 14  # rows that are higher than wide
NUMBER = (44, 26)  # pixels of a cell with its number
MOST_NUMBERS = 400
NAME = 11  # pixels of a name's letters
LONGEST = 150  # pixels of a name
WORD = 90  # pixels of height that the word for the rows needs
STEP = 13  # pixels that a name needs
BAR = (160, 8)  # pixels of a colour bar
MARK = 2  # pixels
STRIP_TALL = 480  # pixels that the rows of a strip take
STRIP_ACROSS, STRIP_DOWN = (2, 14), (4, 24)  # pixels of a cell, at least and at most
STRIP_NARROW, STRIP_FEW = 34, 2  # pixels of a column where there are so few
STRIP_LEAST = 60  # pixels of a matrix's title


def matrices(
    items: Sequence[Matrix],
    texts: Mapping[str, Any],
    *,
    cell: Sequence[Any] | None = None,
    links: Mapping[str, int] | None = None,
    prefix: int | None = None,
    is_strip: bool = False,
) -> Body:
    """Return matrices side by side, or in a strip.

    Args:
        texts: the words of ``components.matrices``.
        cell: the chosen one: the matrix's name, row and column.
        links: axis → the index that is marked.
        prefix: tokens before the first patch.
    """
    marks = Marks(links or {}, prefix or 0)
    chosen = {cell[0]: (int(cell[1]), int(cell[2]))} if cell else {}
    if is_strip:
        return strip(items, texts, marks, chosen)
    is_alone = len(items) == 1  # then the picture has its title
    return flow([one(item, texts, marks, chosen.get(item.name), is_alone) for item in items], 32)


class Marks:
    """What is marked on each axis; as ``components/shared/marks.js`` finds it."""

    COLOURS: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("token", "any", "query"), theme.QUERY.light),
        **dict.fromkeys(("key", "patch as key"), theme.KEY.light),
        "value": theme.VALUE.light,
        "patch": theme.PATCH.light,
    }

    def __init__(self, links: Mapping[str, int], prefix: int) -> None:
        self._prefix = prefix
        self._at = named_links(links, prefix)

    def of(self, item: Matrix) -> list[tuple[bool, int, str]]:
        """Return what is marked in a matrix: whether a row, its index, and the colour."""
        row, column = item.row_axis, item.column_axis
        if row in ("token", "any", "query") and column in ("token", "any", "query"):
            row, column = "query", "key"
        if row == column:
            column = ""
        found = []
        for axis, other, is_row, count in (
            (row, column, True, len(item.row_names)),
            (column, row, False, len(item.column_names)),
        ):
            as_key = {"token": "key", "any": "key", "patch": "patch as key"}.get(axis)
            for one in filter(None, (axis, as_key)):
                if one != axis and one == other:
                    continue
                name, shift = place_of(one, self._prefix)
                index = self._at.get(name, -1) - shift
                if 0 <= index < count and count > 1:
                    found.append((is_row, index, self.COLOURS.get(one, theme.ACCENT.light)))
        return found


def place_of(axis: str, prefix: int) -> tuple[str, int]:
    """Return the axis on which another lies, and how far it is shifted there."""
    if axis in ("token", "any"):
        return "query", 0
    if axis == "patch":
        return "query", prefix
    if axis == "patch as key":
        return "key", prefix
    return axis, 0


def named_links(links: Mapping[str, int], prefix: int) -> dict[str, int]:
    """Return what is marked, on the axes on which all others lie."""
    found: dict[str, int] = {}
    for axis, index in links.items():
        name, shift = place_of(axis, prefix)
        found.setdefault(name, index + shift)
    return found


def from_centre(item: Matrix) -> np.ndarray:
    """Return how far each number is from what its colour compares it with, as float32 holds it."""
    values = np.asarray(item.values, np.float32).astype(np.float64)
    if item.centre is None:
        return values
    return values - np.asarray(item.centre, np.float32).astype(np.float64)


def limit_of(item: Matrix) -> float:
    """Return the size from which a cell has the full colour."""
    return item.limit or float(np.abs(from_centre(item)).max()) or 1.0


def colours_of(item: Matrix) -> np.ndarray:
    """Return the colour of each cell, (rows, columns, 3) uint8."""
    signed = item.scale == "diverging"
    return panels.colours(from_centre(item), limit_of(item), signed=signed)


def one(
    item: Matrix,
    texts: Mapping[str, Any],
    marks: Marks,
    chosen: tuple[int, int] | None,
    is_alone: bool = False,
) -> Body:
    """Return one matrix with its axes, colour bar and notes, and its title if it is not alone."""
    rows, columns = np.shape(item.values)
    across, down, numbered = cell_size(item)
    row_names, row_step = ticks(item.row_names, down)
    left = max((letters.width(name, NAME) for name in row_names.values()), default=0)
    left = left + 6 if row_names else 0
    row_word = axis_word(item.row_axis, texts) if down * rows >= WORD else ""
    left += 18 if row_word else 0
    column_names, _ = ticks(item.column_names, across, lie=True)
    flat = all(
        letters.width(name, NAME) <= across * gap(column_names) - 4
        for name in column_names.values()
    )
    deep = max((letters.width(name, NAME) for name in column_names.values()), default=0)
    under = 0 if not column_names else 16 if flat else deep + 8
    column_word = axis_word(item.column_axis, texts) if columns > 1 else ""
    plane = across * columns, down * rows
    title = heading(item, max(plane[0] + left, 220), has_words=not is_alone)
    notes = [words for note in notes_of(item, texts) for words in note_lines(note, left, plane[0])]
    top = title.height + (18 if column_word else 0)
    width = max(left + plane[0] + 2, title.width, left + BAR[0] + 90)

    def draw(paper: Paper, x: float, y: float) -> None:
        title.draw(paper, x, y)
        at = x + left
        if column_word:
            paper.text(at, y + title.height + 8, f"{column_word} →", NAME, MUTED)
        y += top
        paper.cells(at, y, across, down, colours_of(item), item.name)
        paper.rect(at, y, *plane, edge=LINE)
        if numbered:
            write_numbers(paper, at, y, item, across, down)
        if row_word:
            paper.text(x + 7, y + plane[1], f"← {row_word}", NAME, MUTED, turned=True)
        for index, name in row_names.items():
            paper.text(at - 5, y + (index + 0.5) * down, name, NAME, TEXT, anchor="right")
            if row_step > 1:
                middle = y + (index + 0.5) * down
                paper.line([(at - 3, middle), (at, middle)], MUTED)
        for index, name in column_names.items():
            middle = at + (index + 0.5) * across
            if gap(column_names) > 1:
                paper.line([(middle, y + plane[1]), (middle, y + plane[1] + 3)], MUTED)
            if flat:
                paper.text(middle, y + plane[1] + 10, name, NAME, TEXT, anchor="center")
            else:
                low = y + plane[1] + 5
                paper.text(middle, low, name, NAME, TEXT, anchor="right", turned=True)
        draw_marks(paper, at, y, item, across, down, marks.of(item), chosen)
        y += plane[1] + under + 10
        draw_bar(paper, at, y, item, texts)
        y += 22
        for line in notes:
            paper.text(at, y + 7, line, NAME, MUTED)
            y += 15

    return Body(width, top + plane[1] + under + 32 + 15 * len(notes), draw)


def strip(
    items: Sequence[Matrix],
    texts: Mapping[str, Any],
    marks: Marks,
    chosen: Mapping[str, tuple[int, int]],
) -> Body:
    """Return matrices whose rows have one height, with signs between them."""
    rows = max(len(item.row_names) for item in items)
    down = int(np.clip(STRIP_TALL // rows, *STRIP_DOWN))
    wide = sum(len(i.column_names) for i in items if len(i.column_names) > STRIP_FEW) or 1
    across = int(np.clip((WIDEST + 240) // wide, *STRIP_ACROSS))
    names, _ = ticks(items[0].row_names, down)
    left = max((letters.width(name, NAME) for name in names.values()), default=0) + 8
    sizes = [
        (STRIP_NARROW if len(item.column_names) <= STRIP_FEW else across) * len(item.column_names)
        for item in items
    ]
    titles = [
        letters.lines(item.title, max(size, STRIP_LEAST), 12, bold=True)
        for item, size in zip(items, sizes, strict=True)
    ]
    top = 16 * max(map(len, titles)) + 18
    plane = rows * down

    def part(item: Matrix, size: float, title: Sequence[str], is_first: bool) -> Body:
        before = left if is_first else 20 if item.sign else 6
        cell_width = size / len(item.column_names)
        at_end = (texts["strip_signed" if item.scale == "diverging" else "strip_amounts"]).format(
            limit=written(limit_of(item))
        )

        def draw(paper: Paper, x: float, y: float) -> None:
            at = x + before
            low = y + top
            start = low - 18 - 16 * len(title)
            for index, line in enumerate(title):
                paper.text(at, start + 16 * index + 8, line, 12, TEXT, bold=True)
            shape = f"{len(item.row_names)} × {len(item.column_names)}"
            paper.text(at, low - 10, shape, 10, MUTED)
            if item.sign:
                paper.text(x + 10, low + plane / 2, item.sign, 16, TEXT, anchor="center", bold=True)
            if is_first:
                for index, name in names.items():
                    middle = low + (index + 0.5) * down
                    paper.text(at - 5, middle, name, NAME, TEXT, anchor="right")
            paper.cells(at, low, cell_width, down, colours_of(item), item.name)
            paper.rect(at, low, size, len(item.row_names) * down, edge=LINE)
            draw_marks(
                paper, at, low, item, cell_width, down, marks.of(item), chosen.get(item.name)
            )
            paper.image(at, low + plane + 8, max(size, 34), 6, ramp(item), smooth=False)
            paper.text(at, low + plane + 24, at_end, 10, MUTED)

        room = max([size, *(letters.width(line, 12, bold=True) for line in title)])
        room = max(room, letters.width(at_end, 10))
        return Body(before + room + 4, top + plane + 34, draw)

    parts = [
        part(item, size, title, index == 0)
        for index, (item, size, title) in enumerate(zip(items, sizes, titles, strict=True))
    ]
    notes = [(item, note) for item in items for note in notes_of(item, texts)]
    body = beside(parts, 4)
    words = [
        line
        for item, note in notes
        for line in letters.lines(f"{item.title}: {note}", body.width, NAME)
    ]

    def draw(paper: Paper, x: float, y: float) -> None:
        body.draw(paper, x, y)
        for index, line in enumerate(words):
            paper.text(x, y + body.height + 8 + 15 * index, line, NAME, MUTED)

    return Body(body.width, body.height + 15 * len(words), draw)


def cell_size(item: Matrix) -> tuple[float, float, bool]:
    """Return a cell's width and height in whole pixels, and whether its number stands in it."""
    rows, columns = np.shape(item.values)
    if item.cell != "auto":
        side = max(1, round(float(item.cell)))
        return side, side, False
    if (
        rows * columns <= MOST_NUMBERS
        and NUMBER[0] * columns <= WIDEST
        and NUMBER[1] * rows <= 1.5 * TALL
    ):
        return *NUMBER, True
    across = int(np.clip(WIDEST // columns, 1, LARGEST))
    down = int(np.clip(TALL // rows, 1, LARGEST))
    if rows == 1:
        return across, VECTOR, False
    if columns == 1:
        return VECTOR, down, False
    if rows <= FEW:
        return across, LARGEST, False
    return min(across, down), min(across, down), False


def ticks(names: Sequence[str], size: float, *, lie: bool = False) -> tuple[dict[int, str], int]:
    """Return which names are written along cells of so many pixels, and the step between them.

    Names that differ in their number alone become that number, as the axis says the rest.

    Args:
        lie: whether the names stand beside one another.
    """
    if len(names) < 1 or not any(names) or (len(names) == 1 and not names[0]):
        return {}, 1
    short = numbers_alone(names)
    is_counted = short is not names
    # numbers have room beside one another; other names are turned where they have none
    room = max(letters.width(short[-1], NAME) + 6, STEP) if is_counted and lie else STEP
    step = max(1, int(np.ceil(room / size)))
    if step > 1:
        step = next(each for each in nice_steps() if each >= step)
    chosen = list(range(0, len(names), step))
    if is_counted and step >= 5:  # 1, 10, 20 … as people count
        chosen = sorted({0, *range(step - 1, len(names), step)})
    return {
        index: letters.shortened(letters.plain(short[index]), LONGEST, NAME) for index in chosen
    }, step


def nice_steps() -> Sequence[int]:
    return [base * 10**power for power in range(6) for base in (1, 2, 5)]


def numbers_alone(names: Sequence[str]) -> Sequence[str]:
    """Return "1", "2" … for "dimension 1", "dimension 2" …; other names as they are."""
    if len(names) < 3:
        return names
    split = [re.fullmatch(r"(.*?)(\d+)(\D*)", str(name)) for name in names]
    if all(split) and len({(one[1], one[3]) for one in split if one}) == 1:
        return [one[2] for one in split if one]
    return names


def gap(names: Mapping[int, str]) -> int:
    """Return how many cells there are between two names."""
    first = sorted(names)[-2:]
    return first[1] - first[0] if len(first) == 2 else 1


def axis_word(axis: str, texts: Mapping[str, Any]) -> str:
    return str(texts["axes"].get(axis, axis)) if axis else ""


def heading(item: Matrix, room: float, *, has_words: bool) -> Body:
    """Return a matrix's title with the colour of its meaning, and its shape."""
    shape = f"{len(item.row_names)} × {len(item.column_names)}"
    words = letters.lines(item.title, room, 13, bold=True) if has_words else [""]
    indent = 15 if item.colour else 0
    end = letters.width(words[-1], 13, bold=True) if words else 0
    alone = indent + end + (10 if end else 0) + letters.width(shape, 11) > room + 40
    width = max([letters.width(line, 13, bold=True) + indent for line in words] + [0])

    def draw(paper: Paper, x: float, y: float) -> None:
        if item.colour:
            paper.rect(x, y + 3, 10, 10, fill=theme.MARKS[item.colour].light)
        for index, line in enumerate(words):
            paper.text(x + indent, y + 8 + 17 * index, line, 13, TEXT, bold=True)
        last = y + 8 + 17 * (len(words) - 1 + alone)
        paper.text(x + indent + (0 if alone else end + (10 if end else 0)), last, shape, 11, MUTED)

    wide = (
        width if alone else max(width, indent + end + (10 if end else 0) + letters.width(shape, 11))
    )
    return Body(wide, 17 * (len(words) + alone) + 8, draw)


def write_numbers(
    paper: Paper, x: float, y: float, item: Matrix, across: float, down: float
) -> None:
    painted = colours_of(item)
    light = painted @ np.array([0.299, 0.587, 0.114]) > 140
    for (row, column), value in np.ndenumerate(np.asarray(item.values, np.float32)):
        paper.text(
            x + (column + 0.5) * across,
            y + (row + 0.5) * down,
            briefly(float(value)),
            NAME,
            "#111111" if light[row, column] else "#ffffff",
            anchor="center",
        )


def briefly(value: float) -> str:
    """Write a number with at most two decimals, as ``components/shared/numbers.js`` does."""
    size = abs(value)
    text = f"{size:.{2 if size < 9.995 else 1 if size < 99.95 else 0}f}"
    return f"−{text}" if value < 0 and float(text) else text


def draw_marks(
    paper: Paper,
    x: float,
    y: float,
    item: Matrix,
    across: float,
    down: float,
    marks: Sequence[tuple[bool, int, str]],
    chosen: tuple[int, int] | None,
) -> None:
    """Frame the marked rows and columns, and the chosen cell."""
    rows, columns = np.shape(item.values)
    for is_row, index, colour in marks:
        if is_row:
            outline(paper, x, y + index * down, columns * across, down, colour)
        else:
            outline(paper, x + index * across, y, across, rows * down, colour)
    if chosen and chosen[0] < rows and chosen[1] < columns:
        row, column = chosen
        outline(paper, x + column * across, y + row * down, across, down, TEXT)


def outline(paper: Paper, x: float, y: float, width: float, height: float, colour: str) -> None:
    """Draw a frame around cells, with white outside of it, so that it shows on every colour."""
    paper.rect(x - 3, y - 3, width + 6, height + 6, edge="#ffffff", thick=1)
    paper.rect(x - 1.5, y - 1.5, width + 3, height + 3, edge=colour, thick=MARK)


def ramp(item: Matrix) -> np.ndarray:
    """Return the colours from the least to the largest, (1, 256, 3) uint8."""
    from explainer.figures import pixels

    signed = item.scale == "diverging"
    return pixels.palette(list(panels.stops_of(signed)))[None]


def draw_bar(paper: Paper, x: float, y: float, item: Matrix, texts: Mapping[str, Any]) -> None:
    """Draw the colour bar, with the numbers at its ends."""
    limit, signed = limit_of(item), item.scale == "diverging"

    def end(sign: int) -> str:
        if item.centre is None:
            return written(sign * limit)
        return str(texts["centred"]).format(value=("+" if sign > 0 else "−") + written(limit))

    least = end(-1) if signed else "0"
    start = x + letters.width(least, NAME) + 6
    paper.text(x, y + 6, least, NAME, MUTED)
    paper.image(start, y + 2, *BAR, ramp(item), smooth=False)
    paper.text(start + BAR[0] + 6, y + 6, end(1), NAME, MUTED)


def notes_of(item: Matrix, texts: Mapping[str, Any]) -> list[str]:
    """Return what stands below a matrix: that large numbers are clipped, and its own note."""
    notes, limit = [], limit_of(item)
    apart = from_centre(item)
    farthest = float(np.abs(apart).max())
    if farthest > limit * (1 + 1e-6):
        least, largest = float(apart.min()), float(apart.max())
        far = farthest if item.centre is not None else least if -least > largest else largest
        sign = "±" if item.scale == "diverging" else ""
        notes.append(
            str(texts["clipped"]).format(limit=sign + written(limit), largest=written(far))
        )
    return [*notes, item.note] if item.note else notes


def note_lines(note: str, left: float, plane: float) -> list[str]:
    return letters.lines(note, max(plane, 260), NAME)
