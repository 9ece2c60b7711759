"""The very lines of ``vit_core`` that computed what a part of a page shows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Snippet:
    """Source code that stands under one part of a page.

    Attributes:
        part: of the page.
        source: a function, method or class of ``vit_core``.
        marks: beginnings of the relevant lines, without their indentation; each must occur.
    """

    part: str
    source: object
    marks: tuple[str, ...] = ()
