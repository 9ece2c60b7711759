"""The lines of ruled and squared paper, which are not strokes of a digit."""

import cv2
import numpy as np

STEEPEST = 20  # degrees by which ruled lines may lean
COARSE = 192  # pixels of the longer side of the picture in which the lean is measured
THICKEST = 0.022  # of a line, as a share of the picture's longer side
SHORTEST = 0.4  # of a line, as a share of the picture's extent along it
MIN_PARALLEL = 3  # so many parallel lines are not strokes, wherever they end


def ruled_lines(mask: np.ndarray) -> np.ndarray:
    """Return the pixels of ruled lines, (height, width) bool.

    Lines count if they run from border to border, or if several are parallel. A single long stroke,
    such as a 1, does neither.

    Args:
        mask: (height, width) bool, the pixels that may be ink.
    """
    rows, thick = along_rows(mask)
    columns, thick_too = along_rows(mask.T)
    lines = rows | columns.T
    if rows.any() and columns.any():  # fill the points where they cross
        side = (round(max(thick, thick_too)) + 2) | 1
        kernel = np.ones((side, side), np.uint8)
        lines = cv2.morphologyEx(lines.astype(np.uint8), cv2.MORPH_CLOSE, kernel).astype(bool)
    return lines


def along_rows(mask: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the lines that run along the rows, and their thickness in pixels."""
    values = mask.astype(np.uint8)
    lean = lean_of(values)
    height, width = values.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), lean, 1)
    level = cv2.warpAffine(values, turn, (width, height), flags=cv2.INTER_NEAREST)
    inside = cv2.warpAffine(np.ones_like(values), turn, (width, height), flags=cv2.INTER_NEAREST)
    thickest = max(3, round(THICKEST * max(mask.shape)))
    # a thick piece is no line, but a line that a stroke crosses still is one
    thick = cv2.morphologyEx(level, cv2.MORPH_OPEN, np.ones((thickest + 2, 1), np.uint8))
    thin = cv2.subtract(level, cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, thickest * 2))))
    grown = cv2.dilate(thin, np.ones((3, 1), np.uint8))
    grown = cv2.morphologyEx(grown, cv2.MORPH_CLOSE, np.ones((1, 9), np.uint8))
    long = cv2.morphologyEx(grown, cv2.MORPH_OPEN, np.ones((1, max(15, width // 6)), np.uint8))
    # join the pieces of a line that leans a little, or that a thick stroke interrupts
    joined = cv2.morphologyEx(long, cv2.MORPH_CLOSE, np.ones((3, thickest * 4 + 1), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    long_lines, spanning = [], []
    for label in range(1, count):
        left, top, wide, high, _ = stats[label]
        if high > thickest * 2 + 0.06 * wide:
            continue
        row = min(max(top + high // 2, 0), height - 1)
        reach = np.flatnonzero(inside[row])
        if not len(reach) or wide < SHORTEST * len(reach):
            continue
        long_lines.append(label)
        edge = max(4, 0.02 * width)
        if left <= reach[0] + edge and left + wide >= reach[-1] - edge:
            spanning.append(label)
    chosen = long_lines if len(long_lines) >= MIN_PARALLEL else spanning
    lines = np.isin(labels, chosen).astype(np.uint8)
    if not chosen:
        return lines.astype(bool), 0.0
    areas = [int((level[labels == label] > 0).sum()) / stats[label][2] for label in chosen]
    thickness = float(np.median(areas))
    # where a line is much thicker, a stroke runs along it or across it
    strokes = np.ones((round(2 * thickness) + 3, 1), np.uint8)
    opened: np.ndarray = cv2.morphologyEx(level, cv2.MORPH_OPEN, strokes)
    lines &= 1 - opened
    back = cv2.warpAffine(
        lines, cv2.invertAffineTransform(turn), (width, height), flags=cv2.INTER_NEAREST
    )
    return back.astype(bool), thickness


def lean_of(values: np.ndarray) -> float:
    """Return by how many degrees lines along the rows lean.

    At this angle, the sums along the rows of the turned picture differ most.
    """
    scale = COARSE / max(values.shape)
    small = cv2.resize(values * 255, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = small.shape
    best, most = 0.0, -1.0
    for lean in np.arange(-STEEPEST, STEEPEST + 0.1, 1.0):
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), lean, 1)
        sums = cv2.warpAffine(small, turn, (width, height)).sum(axis=1, dtype=np.float64)
        sharpness = float((np.diff(sums) ** 2).sum())
        if sharpness > most * (1 + 1e-9):
            best, most = float(lean), sharpness
    return best


def without_lines(mask: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Remove lines from a mask and mend the strokes that they cross; masks of bool.

    If the mask holds less than 40 % of the lines, the ink is so much darker that the lines are not
    in the mask, and removing them would only damage the strokes.
    """
    if not lines.any():
        return mask
    wide = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8))
    if wide[lines].mean() < 0.4:
        return mask
    rest = (mask & ~lines).astype(np.uint8)
    thickness = int(2 * cv2.distanceTransform(lines.astype(np.uint8), cv2.DIST_L2, 3).max())
    # the lines of a fine grid merge, and mending over their whole width would take seconds
    thickness = min(thickness, round(1.5 * THICKEST * max(mask.shape))) + 3
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (thickness | 1, thickness | 1))
    mended = cv2.morphologyEx(rest, cv2.MORPH_CLOSE, kernel).astype(bool)
    return rest.astype(bool) | (mended & lines & mask)


def without_hairs(mask: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Remove parts of a digit that lie along ruled lines and are much thinner than its strokes."""
    if not lines.any():
        return mask
    values = mask.astype(np.uint8)
    half = cv2.distanceTransform(np.pad(values, 1), cv2.DIST_L2, 5).max()
    radius = int(0.35 * half)
    if radius < 1:
        return mask
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    body = cv2.morphologyEx(values, cv2.MORPH_OPEN, kernel)
    near_lines = cv2.dilate(lines.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(bool)
    hairs = mask & ~cv2.dilate(body, np.ones((3, 3), np.uint8)).astype(bool) & near_lines
    return mask & ~hairs
