"""From a drawing or a photograph to 28 × 28 pixels, prepared as the digits of MNIST were."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from explainer.pictures import SIDE, quantise

BOX = 20  # pixels of the longer side of a digit of MNIST
CENTRE = 14.0  # row and column in which the digits of MNIST have their centre of mass
CELLS = 16  # per side, in which the paper's brightness is estimated
LEAST_CONTRAST = 20  # of 255 grey levels between paper and ink


class UnusablePictureError(ValueError):
    """A picture that no digit can be made of.

    Attributes:
        reason: names the sentence that says why.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Ink:
    """A photograph as white ink on black.

    Attributes:
        values: (height, width) uint8.
        inverted: whether the ink was darker than the paper.
    """

    values: np.ndarray
    inverted: bool


def centred(ink: np.ndarray) -> np.ndarray:
    """Return white ink on black, of any size, as the model gets it: (28, 28) uint8, 16 levels.

    What is not black is scaled to 20 pixels on its longer side, its brightest point becomes white,
    and its centre of mass goes to the centre. Nothing is cut off: where the centre of mass lies so
    far out that the digit would leave the picture, it stays at the edge. No ink gives a black
    picture.

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
    small = Image.fromarray(cut).resize(size, Image.Resampling.BOX if scale < 1 else None)
    digit = np.asarray(small, dtype=np.float64)
    # before its mass is measured: of thin strokes, rounding to 16 greys moves the centre
    digit = quantise(np.rint(digit * (255 / digit.max())).astype(np.uint8))
    # a tip that has faded to black takes no room
    rows, columns = np.flatnonzero(digit.any(axis=1)), np.flatnonzero(digit.any(axis=0))
    digit = digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    masses = digit.astype(np.float64)
    top, left = (place(masses.sum(axis=1 - axis), masses.sum()) for axis in (0, 1))
    prepared = np.zeros((SIDE, SIDE), np.uint8)
    prepared[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return prepared


def place(masses: np.ndarray, total: float) -> int:
    """Return where the first of the rows or columns goes, of which these are the masses."""
    centre = float(masses @ np.arange(len(masses))) / total
    return int(np.clip(round(CENTRE - centre), 0, SIDE - len(masses)))


def ink_of(grey: np.ndarray) -> Ink:
    """Find the ink in a grey picture of any size, (height, width) uint8.

    The border tells what is paper. What is left of the paper's brightness, which changes slowly
    from place to place where a shadow falls on it, is taken away; faint differences, such as the
    paper's grain, fade to black, and the darkest ink becomes white.

    Raises:
        UnusablePictureError: paper and ink cannot be told apart.
    """
    low, high = np.percentile(grey, (0.1, 99.9))
    if grey.min() == grey.max() or max(high - low, grey.max() - grey.min()) < LEAST_CONTRAST:
        raise UnusablePictureError("uniform")
    paper = float(np.median(border(grey)))
    inverted = paper - float(grey.min()) > float(grey.max()) - paper
    ink = (255 - grey if inverted else grey).astype(np.float32)
    ink = np.maximum(ink - background(ink), 0)
    peak = max(float(np.percentile(ink, 99.9)), 0.5 * float(ink.max()))
    if peak < LEAST_CONTRAST:
        raise UnusablePictureError("uniform")
    # the grain of the paper is what the border still has; a clean picture keeps its soft edges
    grain = float(np.percentile(border(ink), 98))
    foot = float(np.clip(2 * grain, 0.06 * peak, 0.4 * peak))
    values = np.clip((ink - foot) / (peak - 2 * foot), 0, 1)
    return Ink(unspeckled(np.rint(255 * values).astype(np.uint8)), inverted)


def border(values: np.ndarray) -> np.ndarray:
    """Return the outermost values of a picture, a twentieth of each side deep."""
    height, width = values.shape
    deep, wide = max(1, height // 20), max(1, width // 20)
    inside = np.zeros(values.shape, dtype=bool)
    inside[deep : height - deep, wide : width - wide] = True
    return values[~inside]


def background(ink: np.ndarray) -> np.ndarray:
    """Estimate the paper under white ink: dark in each neighbourhood, and changing slowly."""
    height, width = ink.shape
    coarse = Image.fromarray(ink).resize((CELLS, CELLS), Image.Resampling.BOX)
    darkest = np.asarray(coarse)
    around = np.pad(darkest, 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(around, (5, 5))
    lowest = np.ascontiguousarray(windows.min(axis=(2, 3)))
    return np.asarray(Image.fromarray(lowest).resize((width, height), Image.Resampling.BICUBIC))


def unspeckled(ink: np.ndarray) -> np.ndarray:
    """Remove specks, which would widen the box around the digit; small pictures have none."""
    if min(ink.shape) < 100:
        return ink
    kept = Image.fromarray(ink).filter(ImageFilter.MedianFilter(5)).filter(ImageFilter.MaxFilter(5))
    return np.where(np.asarray(kept) > 64, ink, 0).astype(np.uint8)
