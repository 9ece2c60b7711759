"""A small picture of an image under a grid of patches."""

import numpy as np

LINE = 96  # grey of a grid line, visible on black and on white


def gridded(pixels: np.ndarray, grid: tuple[int, int], zoom: int) -> np.ndarray:
    """Enlarge an image and draw the lines between its patches, (height·zoom, width·zoom, 3) uint8.

    Args:
        pixels: (height, width) or (height, width, 3) uint8, of whole patches.
        grid: rows and columns of patches.

    Raises:
        ValueError: the image has no whole number of pixels for each patch.
    """
    if any(size % count for size, count in zip(pixels.shape[:2], grid, strict=True)):
        raise ValueError(f"an image of {pixels.shape} pixels has no {grid} whole patches")
    large = pixels.repeat(zoom, axis=0).repeat(zoom, axis=1)
    if large.ndim == 2:
        large = np.repeat(large[..., None], 3, axis=2)
    for axis, count in enumerate(grid):
        step = large.shape[axis] // count
        lines = np.arange(1, count) * step
        if axis == 0:
            large[lines] = LINE
        else:
            large[:, lines] = LINE
    return large
