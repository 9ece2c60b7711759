"""Turns a drawing or a photograph into 28 × 28 pixels, prepared as the digits of MNIST were."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from explainer.content import load_texts
from explainer.inputs.pictures.link_code import SIDE, quantise
from explainer.measuring.refusals import Kind
from vit_core.errors import VitError

BOX = 20  # pixels of the longer side of a digit in MNIST
CENTRE = 14.0  # row and column of the centre of mass of a digit in MNIST
MIN_CONTRAST = 20  # of 255 grey levels, between paper and ink
SMALL = 120  # pixels of the longer side, below which a picture is enlarged
ENLARGED = 200  # pixels of its longer side afterwards, at least
MAX_STEPS = 5  # to less and to more ink
STEP = 0.75  # factor for the threshold of contrast, for each step to more ink


TOO_LARGE = ("heavy", "large", "whole")  # reasons


class UnusablePictureError(VitError, ValueError):
    """The picture has no digit that the pages can use; the message tells the visitor why.

    Attributes:
        reason: the key of the message in ``unusable`` of ``content/en/picker.toml``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(load_texts("picker")["unusable"][reason])
        self.reason = reason

    @property
    def kind(self) -> Kind:
        """By which it is counted."""
        return "too_large" if self.reason in TOO_LARGE else "unusable"


@dataclass(frozen=True)
class Ink:
    """A photograph as white ink on black, with intermediate results.

    Attributes:
        values: (height, width) uint8, only the chosen digit.
        inverted: whether the ink was darker than the paper.
        paper: (height, width) uint8, the estimated brightness of the paper.
        contrast: (height, width) uint8, the difference of each pixel from its paper.
        is_ruled: whether ruled lines were removed.
        is_one_of_several: whether something else is about as likely to be the digit.
    """

    values: np.ndarray
    inverted: bool
    paper: np.ndarray
    contrast: np.ndarray
    is_ruled: bool
    is_one_of_several: bool


def centred(ink: np.ndarray) -> np.ndarray:
    """Return white ink on black in the form that the model takes: (28, 28) uint8, 16 levels.

    The ink is scaled to 20 pixels on its longer side, its brightest point becomes white, and its
    centre of mass moves to the centre. Nothing is cut off: a digit that would leave the picture
    stays at the edge. No ink gives a black picture.

    Args:
        ink: (height, width) uint8.
    """
    if not ink.any():
        return np.zeros((SIDE, SIDE), np.uint8)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = cut.shape
    scale = BOX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    kind = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    # which direction Pillow takes first depends on its version and on the size; the browser, which
    # prepares a drawing while the pen is down (components/drawing_pad/centred.js), takes rows first
    rows_done = Image.fromarray(cut).resize((size[0], height), kind)
    small = rows_done.resize(size, kind)
    digit = np.asarray(small, dtype=np.float64)
    # rounding to 16 levels moves the centre of thin strokes, so it comes before the measurement
    digit = quantise(np.rint(digit * (255 / digit.max())).astype(np.uint8))
    # the tip of a stroke may have become black, and then takes no space
    rows, columns = np.flatnonzero(digit.any(axis=1)), np.flatnonzero(digit.any(axis=0))
    digit = digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    masses = digit.astype(np.float64)
    top, left = (start_of(masses.sum(axis=1 - axis), masses.sum()) for axis in (0, 1))
    prepared = np.zeros((SIDE, SIDE), np.uint8)
    prepared[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return prepared


def start_of(masses: np.ndarray, total: float) -> int:
    """Return the row or column where a digit with these masses of rows or columns starts."""
    centre = float(masses @ np.arange(len(masses))) / total
    return int(np.clip(round(CENTRE - centre), 0, SIDE - len(masses)))


def ink_of(grey: np.ndarray, polarity: str = "", more: int = 0) -> Ink:
    """Find the ink of one digit in a grey picture of any size, (height, width) uint8.

    Args:
        polarity: "dark" or "light" ink if it is known; empty to try both.
        more: steps to more ink, -5 to 5.

    Raises:
        UnusablePictureError: paper and ink have the same brightness ("uniform"), or nothing has
            the shape of a digit ("no_digit").
    """
    from explainer.inputs.pictures.ink.find import (
        find,  # OpenCV takes 17 MB, which drawings do not need
    )

    scale = STEP**more
    low, high = np.percentile(grey, (0.1, 99.9))
    span = max(high - low, int(grey.max()) - int(grey.min()))
    if span < MIN_CONTRAST * min(1, scale):
        raise UnusablePictureError("uniform")
    finding = find(enlarged(grey), polarity, scale)
    if finding is None:
        raise UnusablePictureError("no_digit")
    contrast = np.rint(255 * finding.contrast).astype(np.uint8)
    return Ink(
        back_to(finding.ink, grey.shape),
        finding.polarity == "dark",
        back_to(finding.paper, grey.shape),
        back_to(contrast, grey.shape),
        bool(finding.lines.any()),
        bool(finding.others),
    )


def enlarged(values: np.ndarray) -> np.ndarray:
    """Return a small picture enlarged by a whole factor; others are returned as they are."""
    height, width = values.shape[:2]
    if max(height, width) >= SMALL:
        return values
    times = -(-ENLARGED // max(height, width))
    size = (width * times, height * times)
    return np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BICUBIC))


def back_to(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return values in the size that the picture had before it was enlarged."""
    if values.shape == shape:
        return values
    size = (shape[1], shape[0])
    return np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BOX))
