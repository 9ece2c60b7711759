"""The page's own HTML figures, drawn again: pictures with their words, tables, and the stream."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from explainer.figures import theme
from explainer.figures.panels import Panel
from explainer.figures.saved import colours, letters, panels, tables
from explainer.figures.saved.body import MUTED, TEXT, WIDEST, Body, below, flow, titled
from explainer.figures.saved.paper import Paper
from explainer.figures.saved.tree import Node, backdrops, image_of, number, percent, read

WIDTHS = {  # CSS pixels of a picture, by the class of what is around it
    "pieces": 110,
    "maps": 130,
    "gallery": 130,
    "alike": 56,
    "product": 170,
    "strip": 84,
    "colour-map": 280,
    "colour-strip": 120,
    "cut": 260,
    "shuffled": 240,
    "all-maps": 340,
    "looks": 190,
    "train-pattern": 260,
}
USUAL = 280
Behind = Mapping[str, np.ndarray]


def page_html(html: str, title: str = "") -> Body:
    """Return what a piece of the page's HTML draws.

    Args:
        title: of the whole picture, which is not said once more inside of it.
    """
    root = read(html)
    behind = backdrops(root)
    if stream := next((one for one in root.find("div") if "block-flow" in one.classes), None):
        return block_flow(stream)
    return below(bodies(root, behind, title), 18)


def bodies(node: Node, behind: Behind, known: str) -> list[Body]:
    """Return what an element draws, below one another."""
    found: list[Body] = []
    row: list[Body] = []  # of pictures that stand beside one another
    sign = ""

    def close() -> None:
        if row:
            found.append(flow(list(row), 20))
            row.clear()

    title = ""
    for child in node.elements:
        if child.tag == "style":
            continue
        if child.tag == "i" and child.text.strip():
            sign = child.text.strip()
        elif is_picture(child):
            shown = panel(child, behind, sign)
            if shown.title == known:
                shown = replace(shown, title="")
            row.append(panels.one(shown))
            sign = ""
        elif child.tag == "table":
            close()
            found.append(tables.table(child, behind))
        elif child.tag == "dl":
            row.append(list_of(child))
        elif child.tag == "b":
            title = child.text
        else:
            inner = bodies(child, behind, known)
            if inner and (child.tag == "section" or "cut" in node.classes):
                row.append(below(inner))
            else:
                close()
                found += inner
    close()
    if title and title != known and found:
        return [titled(title, below(found), 13)]
    return found


def is_picture(node: Node) -> bool:
    around = node.parent.classes if node.parent else []
    return (
        node.tag in ("figure", "img", "li")
        or "look" in node.classes
        or "all-maps" in node.classes
        or (node.tag == "div" and "pieces" in around)
    )


def panel(node: Node, behind: Behind, sign: str) -> Panel:
    """Return a picture of the page with its words."""
    layers = (
        [(image_of(node.attributes["src"]), 1.0)]
        if node.tag == "img"
        else tables.layers_of(node, behind)
    )
    classes = [name for one in node.above() for name in one.classes]
    width = next((WIDTHS[name] for name in classes if name in WIDTHS), USUAL)
    base, over = layers[0][0], layers[1] if len(layers) > 1 else None
    titles, lines = words_of(node)
    marks = []
    if frame := next((one for one in node.find("i") if "left" in one.style), None):
        marks.append(frame.style)
    shown = Panel(
        framed(base, marks[0]) if marks else base,
        titles,
        lines,
        over=None if over is None else tables.with_opacity(*over),
        frame=frame_of(node),
        width=width,
        height=26 if "pieces" in classes else None,
        numbers=numbers_of(node),
        sign=sign,
    )
    return shown


def frame_of(node: Node) -> str | None:
    if "chosen" in node.classes:
        return theme.QUERY.light
    around = node.parent.classes if node.parent else []
    return theme.BAD.light if "wrong" in node.classes and "marked" in around else None


def words_of(node: Node) -> tuple[str, list[str]]:
    """Return a picture's title and the lines below it."""
    if node.tag == "img":
        return "", []
    caption = next(node.find("figcaption"), node)
    bold = next((one for one in caption.elements if one.tag == "b"), None)
    spans = [one for one in caption.elements if one.tag == "span" and not list(one.find("img"))]
    lines = [one.text.strip() for one in spans if "cells" not in one.classes]
    if own := caption.own_text:
        lines.insert(0, own)
    return (bold.text.strip() if bold else ""), [line for line in lines if line]


def numbers_of(node: Node) -> list[list[str]]:
    """Return the numbers that stand in a picture's cells."""
    cells = next((one for one in node.find("span") if "cells" in one.classes), None)
    if cells is None:
        return []
    columns = int(
        cells.style["grid-template"].split("/")[1].strip().removeprefix("repeat(").split(",")[0]
    )
    texts = [one.text for one in cells.elements]
    return [texts[start : start + columns] for start in range(0, len(texts), columns)]


def framed(pixels: np.ndarray, style: Mapping[str, str]) -> np.ndarray:
    """Return a picture enlarged, with a frame where the page has one over it."""
    zoom = max(1, 680 // pixels.shape[1])
    large = pixels.repeat(zoom, axis=0).repeat(zoom, axis=1)
    rgba = (
        large
        if large.shape[2] == 4
        else np.dstack([large, np.full(large.shape[:2], 255, np.uint8)])
    )
    rgba = rgba.copy()
    height, width = rgba.shape[:2]
    left, top = percent(style["left"]) * width, percent(style["top"]) * height
    right, bottom = left + percent(style["width"]) * width, top + percent(style["height"]) * height
    box = [
        int(np.clip(round(at), 0, size))
        for at, size in ((left, width), (top, height), (right, width), (bottom, height))
    ]
    colour = [int(theme.QUERY.light[start : start + 2], 16) for start in (1, 3, 5)] + [255]
    thick = 4
    x0, y0, x1, y1 = box
    for rows, columns in (
        (slice(y0, y0 + thick), slice(x0, x1)),
        (slice(max(y1 - thick, 0), y1), slice(x0, x1)),
        (slice(y0, y1), slice(x0, x0 + thick)),
        (slice(y0, y1), slice(max(x1 - thick, 0), x1)),
    ):
        rgba[rows, columns] = colour
    return rgba


def list_of(node: Node) -> Body:
    """Return names with their numbers below one another."""
    pairs = []
    for one in node.find("div"):
        name = next(one.find("dt"), None)
        value = next(one.find("dd"), None)
        if name and value:
            pairs.append((name.text.strip(), value.text.strip()))
    wide = max((max(letters.width(n, 12), letters.width(v, 20)) for n, v in pairs), default=0)

    def draw(paper: Paper, x: float, y: float) -> None:
        for name, value in pairs:
            paper.text(x, y + 8, name, 12, MUTED)
            paper.text(x, y + 28, value, 20, TEXT)
            y += 52

    return Body(wide, 52 * len(pairs), draw)


def block_flow(node: Node) -> Body:
    """Return the stream through a block, with its inflows and words."""
    river, words = node.elements[0], node.elements[1]
    edge = 150
    water = colours.mixed_of(theme.ACCENT.light, 0.3, "#ffffff")
    rows = words.elements
    step = number(river.style.get("height"), 340) / len(rows)

    def draw(paper: Paper, x: float, y: float) -> None:
        for part in river.elements:
            style, classes = part.style, part.classes
            left, top = x + number(style["left"]), y + number(style["top"])
            width, height = number(style.get("width")), number(style.get("height"))
            if "drops" in classes:
                continue
            if "water" in classes:
                paper.rect(left, top, width, height, fill=water)
            elif "copy" in classes:
                corner = [(left, top), (left + width, top), (left + width, top + height)]
                paper.line(corner, MUTED, thick=1.5)
            elif "reads" in classes:
                paper.text(left, top, part.text, 14, MUTED)
            else:
                colour = theme.BAD.light if "replaces" in classes else theme.ACCENT.light
                paper.dot(left, top, 26, colour)
                paper.dot(left, top, 22, "#ffffff")
                ink = colour if "replaces" in classes else TEXT
                paper.text(left, top, part.text, 16, ink, anchor="center")
        for index, row in enumerate(rows):
            draw_row(paper, x + edge, y + (index + 0.5) * step, row)

    widest = max(row_width(row) for row in rows)
    return Body(min(edge + widest, WIDEST), step * len(rows), draw)


def row_width(row: Node) -> float:
    return 40 + letters.width(letters.plain(row.text), 14, bold=True)


def draw_row(paper: Paper, x: float, middle: float, row: Node) -> None:
    """Write a row's name, or the parts that it passes, and its length below."""
    parts = row.elements
    first, rest = parts[0], parts[1:]
    y = middle - (9 if rest else 0)
    if first.tag == "b":
        paper.text(x, y, first.text, 14, TEXT, bold=True)
    else:
        boxes = [one for one in first.find("span") if "box" in one.classes]
        for index, box in enumerate(boxes):
            text = " ".join(box.text.partition("→")[0].split())
            if index:
                paper.text(x, y, "→", 14, TEXT)
                x += 20
            wide = letters.width(text, 13) + 16
            is_off = "off" in box.classes
            paper.rect(
                x, y - 11, wide, 22,
                fill=theme.SURFACE.light, edge=theme.LINE.light,
                dash=(4, 3) if is_off else None,
            )  # fmt: skip
            paper.text(x + 8, y, text, 13, MUTED if is_off else TEXT)
            if is_off:
                paper.line([(x + 6, y), (x + wide - 6, y)], MUTED)
            x += wide + 6
        x = (
            x
            - sum(letters.width(" ".join(b.text.partition("→")[0].split()), 13) + 22 for b in boxes)
            - 20 * (len(boxes) - 1)
        )
    for one in rest:
        paper.text(x, middle + 10, one.text, 13, MUTED)
