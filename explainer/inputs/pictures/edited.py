"""A picture with a visitor's changes: turned, moved, with patches covered and swapped.

All of it is done on whole levels 0 to 255, so that a changed picture is a picture like any other.
The browser does the same in ``components/live``, with the same levels: sums and products below are
in double precision and in the order in which they stand.
"""

import math

import numpy as np

from explainer.state.edits import Edits

DIGITS_OF_TURN = 6  # decimals of sine and cosine, so that all computers have the same


def edited(pixels: np.ndarray, edits: Edits, patch_size: tuple[int, int]) -> np.ndarray:
    """Return a picture with changes; those of the pass itself, as of heads, change no pixel.

    Args:
        pixels: (height, width) or (height, width, channels) uint8.
        patch_size: height and width of a patch in pixels.

    Raises:
        ValueError: there is no such patch.
    """
    if not edits.changes_picture:
        return pixels
    pixels = moved(turned(pixels, edits.turn), *edits.move)
    pixels = covered(pixels, edits, patch_size)
    rows, columns = (size // side for size, side in zip(pixels.shape, patch_size, strict=False))
    order = edits.order(rows * columns)
    return pixels if order is None else in_order(pixels, order, patch_size)


def turned(pixels: np.ndarray, degrees: int) -> np.ndarray:
    """Return a picture turned counter-clockwise about its centre; black comes in.

    Each new pixel is the bilinear mean of the four that lie around its place before the turn.
    """
    if not degrees:
        return pixels
    height, width = pixels.shape[:2]
    sine, cosine = (
        round(function(math.radians(degrees)), DIGITS_OF_TURN) for function in (math.sin, math.cos)
    )
    centre_y, centre_x = (height - 1) / 2, (width - 1) / 2
    down, right = np.mgrid[:height, :width].astype(np.float64)
    down, right = down - centre_y, right - centre_x
    x = centre_x + cosine * right - sine * down
    y = centre_y + sine * right + cosine * down
    left, top = np.floor(x), np.floor(y)
    beside, below = x - left, y - top  # shares of the pixels to the right and further down
    if pixels.ndim == 3:
        beside, below = beside[..., None], below[..., None]

    def at(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        rows = rows.clip(0, height - 1).astype(np.intp)
        columns = columns.clip(0, width - 1).astype(np.intp)
        if pixels.ndim == 3:
            inside = inside[..., None]
        return np.where(inside, pixels[rows, columns], 0).astype(np.float64)

    upper = (1 - beside) * at(top, left) + beside * at(top, left + 1)
    lower = (1 - beside) * at(top + 1, left) + beside * at(top + 1, left + 1)
    return np.floor((1 - below) * upper + below * lower + 0.5).astype(np.uint8)


def moved(pixels: np.ndarray, right: int, down: int) -> np.ndarray:
    """Return a picture moved by whole pixels; black comes in."""
    if not right and not down:
        return pixels
    height, width = pixels.shape[:2]
    result = np.zeros_like(pixels)
    to_rows, from_rows = shifted(height, down)
    to_columns, from_columns = shifted(width, right)
    result[to_rows, to_columns] = pixels[from_rows, from_columns]
    return result


def shifted(size: int, by: int) -> tuple[slice, slice]:
    """Return where the part that stays inside goes to, and where it comes from."""
    by = max(-size, min(by, size))
    return slice(max(by, 0), size + min(by, 0)), slice(max(-by, 0), size + min(-by, 0))


def covered(pixels: np.ndarray, edits: Edits, patch_size: tuple[int, int]) -> np.ndarray:
    """Return a picture with patches in its mean colour or in black.

    Raises:
        ValueError: there is no such patch.
    """
    mean = mean_levels(pixels)
    result = pixels.copy()
    for how, level in (("mean", mean), ("black", 0)):
        for patch in edits.covered(how):
            result[place_of(patch, pixels, patch_size)] = level
    return result


def mean_levels(pixels: np.ndarray) -> np.ndarray:
    """Return the mean of each channel as a whole level."""
    return np.floor(pixels.mean(axis=(0, 1), dtype=np.float64) + 0.5).astype(np.uint8)


def in_order(pixels: np.ndarray, order: tuple[int, ...], patch_size: tuple[int, int]) -> np.ndarray:
    """Return a picture whose patches stand in another order: patch ``order[i]`` at place i."""
    result = pixels.copy()
    for place, patch in enumerate(order):
        if place != patch:
            source = pixels[place_of(patch, pixels, patch_size)]
            result[place_of(place, pixels, patch_size)] = source
    return result


def place_of(patch: int, pixels: np.ndarray, patch_size: tuple[int, int]) -> tuple[slice, slice]:
    """Return the rows and columns of pixels that a patch takes.

    Raises:
        ValueError: there is no such patch.
    """
    rows, columns = (size // side for size, side in zip(pixels.shape, patch_size, strict=False))
    if not 0 <= patch < rows * columns:
        raise ValueError(f"there is no patch {patch}; they are from 0 to {rows * columns - 1}")
    row, column = divmod(patch, columns)
    height, width = patch_size
    return (
        slice(row * height, (row + 1) * height),
        slice(column * width, (column + 1) * width),
    )
