"""The page's own HTML as a tree, so that what it draws can be drawn again."""

import base64
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import numpy as np

EMPTY = ("img", "br", "hr", "input", "col")  # elements that are never closed


@dataclass(eq=False)
class Node:
    """An element: its name, attributes and what is inside of it, elements and texts."""

    tag: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    parent: "Node | None" = None
    children: "list[Node | str]" = field(default_factory=list)

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    @property
    def style(self) -> dict[str, str]:
        """What its ``style`` says, property by property."""
        parts = re.findall(r"\s*([\w-]+)\s*:\s*([^;]*)", self.attributes.get("style", ""))
        return {name: value.strip() for name, value in parts}

    @property
    def elements(self) -> "list[Node]":
        return [child for child in self.children if isinstance(child, Node)]

    @property
    def text(self) -> str:
        """All words inside of it."""
        parts = (one if isinstance(one, str) else one.text for one in self.children)
        return "" if self.tag == "style" else "".join(parts)

    @property
    def own_text(self) -> str:
        """The words that stand in it directly."""
        return "".join(one for one in self.children if isinstance(one, str)).strip()

    def find(self, *tags: str) -> "Iterator[Node]":
        """Yield every element of these names inside of it, in order."""
        for child in self.elements:
            if child.tag in tags:
                yield child
            yield from child.find(*tags)

    def above(self) -> "Iterator[Node]":
        """Yield it and every element around it."""
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self.here = Node("root")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs}, self.here)
        self.here.children.append(node)
        if tag not in EMPTY:
            self.here = node

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.here.children.append(
            Node(tag, {name: value or "" for name, value in attrs}, self.here)
        )

    def handle_endtag(self, tag: str) -> None:
        for node in self.here.above():
            if node.tag == tag and node.parent is not None:
                self.here = node.parent
                return

    def handle_data(self, data: str) -> None:
        self.here.children.append(data)


def read(html: str) -> Node:
    """Return the tree of a piece of HTML."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader.root


def backdrops(root: Node) -> dict[str, np.ndarray]:
    """Return the images that styles put behind the pictures of a class."""
    found = {}
    for style in root.find("style"):
        for name, address in re.findall(
            r'\.([\w-]+) \.over \{ background: url\("(data:[^"]*)"\)', style.own_text
        ):
            found[name] = image_of(address)
    return found


def image_of(address: str) -> np.ndarray:
    """Return the picture of a ``data:`` address as (height, width, 3 or 4) uint8."""
    from PIL import Image

    content = base64.b64decode(address.partition(",")[2])
    with Image.open(io.BytesIO(content)) as image:
        clear = image.mode in ("RGBA", "LA") or "transparency" in image.info
        return np.asarray(image.convert("RGBA" if clear else "RGB"))


def number(value: Any, usual: float = 0.0) -> float:
    """Return the first number of a value of CSS."""
    found = re.search(r"-?\d+(?:\.\d+)?", str(value or ""))
    return float(found[0]) if found else usual


def percent(value: str) -> float:
    """Return a width such as ``max(1px,12.5%)`` as a share of 1."""
    found = re.search(r"(-?[\d.]+)%", value)
    return float(found[1]) / 100 if found else 0.0
