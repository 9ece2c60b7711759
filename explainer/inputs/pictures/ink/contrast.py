"""The contrast of each pixel with the paper around it, independent of the light on the paper."""

import cv2
import numpy as np

DARK, LIGHT = "dark", "light"  # the ink, compared with its paper
OFFSET = 10  # grey levels, which keep noise in black from becoming contrast


def paper_around(grey: np.ndarray, polarity: str, width: int) -> np.ndarray:
    """Estimate the paper's brightness at each pixel, (height, width) float32.

    This is a morphological closing for dark ink and an opening for light ink: anything narrower
    than ``width`` pixels gets the brightness beside it. The straight edge of a shadow stays as it
    is, so that it does not count as ink.

    Args:
        grey: (height, width) uint8.
        polarity: ``DARK`` or ``LIGHT``.
    """
    smooth = grey
    kernel = np.ones((min(width, grey.shape[0]) | 1, min(width, grey.shape[1]) | 1), np.uint8)
    steps = (cv2.dilate, cv2.erode) if polarity == DARK else (cv2.erode, cv2.dilate)
    for step in steps:
        smooth = step(smooth, kernel)
    return smooth.astype(np.float32)


def contrast(grey: np.ndarray, paper: np.ndarray, polarity: str) -> np.ndarray:
    """Return the relative difference of ink and paper, from 0 to 1, (height, width).

    It is a ratio, so that ink has the same contrast in a shadow and in the sun.
    """
    grey, paper = grey.astype(np.float32) + OFFSET, paper + OFFSET
    ratio = grey / paper if polarity == DARK else paper / grey
    values = 1 - ratio
    # the brightest of many noisy pixels is brighter than the paper
    return np.clip(values - min(0.08, float(np.median(values))), 0, 1)


def noise_of(values: np.ndarray) -> float:
    """Estimate the standard deviation of noise from differences between neighbours."""
    values = values.astype(np.float32)
    steps = np.abs(values[1:, 1:] + values[:-1, :-1] - values[1:, :-1] - values[:-1, 1:])
    return float(np.median(steps)) * 1.4826 / 2 if steps.size else 0.0
