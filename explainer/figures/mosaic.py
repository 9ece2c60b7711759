"""All filters of a patch embedding as one picture: a small patch of weights for each dimension."""

import math

import numpy as np

from explainer.figures import pixels
from explainer.figures.theme import DIVERGING


def mosaic(filters: np.ndarray, patch: tuple[int, int], limit: float) -> str:
    """Return the filters side by side as a picture's address, with clear gaps between them.

    Args:
        filters: (D, height·width), one row for each filter of a grey patch.
        patch: height and width.
        limit: the weight in the darkest brown, and with a minus in the darkest blue.

    Raises:
        ValueError: a filter does not fill the patch, or is not finite.
    """
    count, (height, width) = len(filters), patch
    if filters.shape != (count, height * width):
        raise ValueError(f"filters of shape {filters.shape} do not fill patches of {patch} pixels")
    rows, columns = grid(count)
    gap = max(1, height // 4)
    sheet = np.full((rows, columns, height + gap, width + gap), np.nan)
    for index, values in enumerate(filters.reshape(count, height, width)):
        sheet[index // columns, index % columns, :height, :width] = values
    flat = sheet.transpose(0, 2, 1, 3).reshape(rows * (height + gap), columns * (width + gap))
    flat = flat[:-gap, :-gap]
    gaps = np.isnan(flat)
    if gaps.sum() != flat.size - filters.size:
        raise ValueError("filters need finite numbers")
    painted = pixels.shades(np.where(gaps, 0.0, flat), -limit, limit)
    return pixels.data_uri(pixels.png(painted, pixels.palette(DIVERGING), clear=gaps))


def grid(count: int) -> tuple[int, int]:
    """Return rows and columns for so many tiles: nearly square, never higher than wide."""
    columns = math.ceil(math.sqrt(count))
    while count % columns:
        columns += 1
    return count // columns, columns
