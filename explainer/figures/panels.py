"""What components draw over an image, as data: for those who save it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explainer.figures import pixels, theme

SIGNED_VEIL = 0.8  # of what is painted over an image, which shows through
VEIL = (0.6, 0.28)  # likewise, the less the larger an amount is


@dataclass(frozen=True)
class Swatch:
    """A token that is no patch: a small square in its colour, its name, and a number."""

    name: str
    colour: str
    text: str = ""
    is_marked: bool = False


@dataclass(frozen=True)
class Panel:
    """A picture with what lies on it and beside it.

    Attributes:
        pixels: (height, width), (height, width, 3) or, with clear places, (height, width, 4) uint8.
        title, lines: below it.
        over: (rows, columns, 4) uint8, stretched over it.
        grid: rows and columns of the lines that are drawn between its patches.
        marks: (patch, colour) of framed patches of the grid.
        swatches: tokens that are no patch.
        scale: stops of a colour map, and what stands at its two ends.
        frame: colour of a frame around all of it.
        width: CSS pixels on the page.
        numbers: written into its cells, as many rows and columns as they have.
        sign: stands between it and the panel before it.
    """

    pixels: np.ndarray
    title: str = ""
    lines: Sequence[str] = ()
    over: np.ndarray | None = None
    grid: tuple[int, int] | None = None
    marks: Sequence[tuple[int, str]] = ()
    swatches: Sequence[Swatch] = ()
    scale: tuple[Sequence[str], str, str] | None = None
    frame: str | None = None
    width: float = 220
    height: float | None = None
    numbers: Sequence[Sequence[str]] = ()
    sign: str = ""


def levels(values: np.ndarray, limit: float, *, signed: bool) -> np.ndarray:
    """Return each value's place in the 256 colours, uint8, as the components find it."""
    share = np.asarray(values, np.float64) / limit
    place = 127.5 * (1 + share) if signed else 255 * share
    return np.floor(np.clip(place, 0, 255) + 0.5).astype(np.uint8)


def stops_of(signed: bool) -> Sequence[str]:
    """Return the colour map on a light page."""
    return theme.DIVERGING if signed else theme.SEQUENTIAL


def colours(values: np.ndarray, limit: float, *, signed: bool) -> np.ndarray:
    """Return the colour of each value, (…, 3) uint8."""
    return pixels.palette(list(stops_of(signed)))[levels(values, limit, signed=signed)]


def veil(values: np.ndarray, limit: float, *, signed: bool = False) -> np.ndarray:
    """Return values as colours through which an image shows, (rows, columns, 4) uint8."""
    places = levels(values, limit, signed=signed)
    opacity = np.full(places.shape, SIGNED_VEIL) if signed else VEIL[0] + VEIL[1] * places / 255
    painted = pixels.palette(list(stops_of(signed)))[places]
    return np.concatenate([painted, np.rint(255 * opacity)[..., None].astype(np.uint8)], axis=-1)


def hex_of(colour: np.ndarray) -> str:
    """Return (3,) uint8 as a colour of CSS."""
    return "#" + "".join(f"{int(channel):02x}" for channel in colour[:3])


def marked(patch: int, colour: str) -> Sequence[tuple[int, str]]:
    """Return the mark of a patch; none for a token before the first patch."""
    return [(patch, colour)] if patch >= 0 else []
