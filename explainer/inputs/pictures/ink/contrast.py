"""How far each place differs from the paper around it, whatever light falls on the paper."""

import cv2
import numpy as np

DARK, LIGHT = "dark", "light"  # what the ink is, compared with its paper
OFFSET = 10  # grey levels, so that noise in black is no contrast


def paper_around(grey: np.ndarray, polarity: str, width: int) -> np.ndarray:
    """Return the paper's brightness at each place, (height, width) float32.

    A closing for dark ink, an opening for light ink: what is narrower than ``width`` pixels is
    filled with what lies beside it. A straight edge of a shadow stays as it is, so it is no ink.

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
    """Return the share of light by which ink and paper differ, from 0 to 1, (height, width).

    A ratio, so that ink in a shadow has the contrast that it has in the sun.
    """
    grey, paper = grey.astype(np.float32) + OFFSET, paper + OFFSET
    ratio = grey / paper if polarity == DARK else paper / grey
    values = 1 - ratio
    # the brightest of many noisy pixels is brighter than the paper
    return np.clip(values - min(0.08, float(np.median(values))), 0, 1)


def noise_of(values: np.ndarray) -> float:
    """Return the standard deviation of noise, measured between neighbours."""
    values = values.astype(np.float32)
    steps = np.abs(values[1:, 1:] + values[:-1, :-1] - values[1:, :-1] - values[:-1, 1:])
    return float(np.median(steps)) * 1.4826 / 2 if steps.size else 0.0
