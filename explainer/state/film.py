"""What a link says of a film: which one it is, and from which stop to which it runs.

``blocks.2-5`` is attention from block to block, from the third to the sixth (blocks count from 0 in
links); ``attention.mean.0-12`` is attention over epochs, as the mean of the heads. Which token,
block and head are followed is said by the link's own parameters.
"""

import re
from dataclasses import dataclass

BLOCKS = "blocks"  # attention from block to block
ATTENTION, FILTERS, MAP = "attention", "filters", "map"  # over the epochs of a run
OVER_EPOCHS = (FILTERS, ATTENTION, MAP)
WITH_HEADS = (BLOCKS, ATTENTION)
PATTERN = r"((blocks|attention)(\.mean)?|filters|map)(\.[0-9]{1,4}-[0-9]{1,4})?"


@dataclass(frozen=True)
class Film:
    """What is filmed.

    Attributes:
        kind: ``BLOCKS`` or one of ``OVER_EPOCHS``.
        mean: whether the heads' mean is shown, and not one head.
        span: first and last stop, both within: blocks from 0, or epochs; None for all there are.
    """

    kind: str
    mean: bool = False
    span: tuple[int, int] | None = None


def read_film(text: str) -> Film | None:
    """Return the film that a link asks for; None for an empty text.

    A span that was written the wrong way round is turned round.

    Raises:
        ValueError: the text is none that ``write_film`` writes.
    """
    if not text:
        return None
    if not re.fullmatch(PATTERN, text, re.ASCII):
        raise ValueError(f"no film: {text!r}")
    kind, *rest = text.split(".")
    span = None
    if rest and "-" in rest[-1]:
        low, high = sorted(map(int, rest[-1].split("-")))
        span = low, high
    return Film(kind, "mean" in rest, span)


def write_film(film: Film) -> str:
    """Return a film as a link says it."""
    parts = [film.kind]
    if film.mean and film.kind in WITH_HEADS:
        parts.append("mean")
    if film.span:
        parts.append(f"{film.span[0]}-{film.span[1]}")
    return ".".join(parts)


def narrowed(span: tuple[int, int] | None, stops: tuple[int, ...]) -> tuple[int, int]:
    """Return the part of a span that there is; what lies wholly outside becomes the nearest stop.

    Args:
        stops: that there are, in order; at least one.
    """
    if span is None:
        return stops[0], stops[-1]
    inside = [stop for stop in stops if span[0] <= stop <= span[1]]
    if inside:
        return inside[0], inside[-1]
    nearest = min(stops, key=lambda stop: min(abs(stop - span[0]), abs(stop - span[1])))
    return nearest, nearest
