"""Pictures of a page as bytes: what was drawn becomes a PNG or an SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from explainer.figures.drawn import Drawn
from explainer.figures.matrix import Matrix
from explainer.figures.panels import Panel
from explainer.figures.saved import charts, matrices, page_html, panels, paper
from explainer.figures.saved.body import Body, below, beside, titled
from explainer.figures.saved.margin import About, framed

KINDS = ("png", "svg")
HALVES = ("A", "B")  # of a comparison
WIDEST_PAIR = 1500  # pixels of two halves beside one another


def content(pictures: Sequence[Drawn], about: About, texts: Mapping[str, Any], kind: str) -> bytes:
    """Return a picture as a file, the same for the same picture.

    Args:
        pictures: one, or those of both halves of a comparison.
        texts: the words of ``components.matrices``.
        kind: "png" or "svg".

    Raises:
        ValueError: there is no such kind of file.
    """
    if kind not in KINDS:
        raise ValueError(f"a picture is saved as one of {', '.join(KINDS)}, not {kind}")
    # what is computed for the picture holds up nobody else's drawing
    things = on_one_scale(pictures)
    with paper.drawing():
        parts = [
            body(thing, picture.how, texts, about.title)
            for thing, picture in zip(things, pictures, strict=True)
        ]
        if len(parts) > 1:
            parts = [titled(name, part, 16) for name, part in zip(HALVES, parts, strict=False)]
        is_wide = sum(part.width for part in parts) > WIDEST_PAIR
        figure = framed(below(parts, 32) if is_wide else beside(parts, 40), about)
        if kind == "png":
            return paper.png(figure, about.for_png())
        return paper.svg(figure, about.for_svg())


def body(thing: Any, how: Mapping[str, Any], texts: Mapping[str, Any], title: str = "") -> Body:
    """Return what is drawn of the data of a picture.

    Args:
        title: that stands above all of it.

    Raises:
        TypeError: nothing is known of data of this type.
    """
    if isinstance(thing, str):
        return page_html.page_html(thing, title)
    if isinstance(thing, Mapping) and "panels" in thing:
        return charts.curves(thing)
    if isinstance(thing, Sequence) and thing:
        if isinstance(thing[0], Matrix):
            return matrices.matrices(thing, texts, **how)
        if isinstance(thing[0], Panel):
            return panels.panels(thing)
    if hasattr(thing, "layout") and hasattr(thing, "data"):
        return charts.plotly(thing)
    raise TypeError(f"a {type(thing).__name__} cannot be saved as a picture")


def on_one_scale(pictures: Sequence[Drawn]) -> list[Any]:
    """Return what is in pictures: in both halves of a comparison, one size has the full colour."""
    if len(pictures) > 1 and all("on_scale" in picture.how for picture in pictures):
        sizes = [np.asarray(picture.how["largest"]()) for picture in pictures]
        if len({size.shape for size in sizes}) == 1:
            most = np.maximum.reduce(sizes)
            limit = most if most.shape else float(most)
            return [picture.how["on_scale"](limit) for picture in pictures]
    things = [picture.make() for picture in pictures]
    if len(things) < 2 or not all(is_matrices(thing) for thing in things):
        return things
    limits: dict[str, float] = {}
    for items in things:
        for item in items:
            limits[item.name] = max(limits.get(item.name, 0.0), matrices.limit_of(item))
    return [[replace(item, limit=limits[item.name]) for item in items] for items in things]


def is_matrices(thing: Any) -> bool:
    return isinstance(thing, Sequence) and bool(thing) and isinstance(thing[0], Matrix)
