"""Shapes of pieces of ink that tell a digit from frames, lines, grids and edges.

All masks are (height, width), and their ink is not zero.
"""

import cv2
import numpy as np

MAX_BAR_RATIO = 6  # times as long as wide, above which a piece is a bar
SQUARISH = 2.2  # times as long as wide, above which a piece with four corners is a stroke


def is_box(ink: np.ndarray) -> bool:
    """Return whether the outline of a piece has four corners, as a sheet or a frame has."""
    contours, _ = cv2.findContours(ink, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outer = max(contours, key=cv2.contourArea)
    area = cv2.contourArea(outer)
    hull = cv2.convexHull(outer)
    hull_area = cv2.contourArea(hull)
    if area < 25 or area < 0.85 * hull_area:
        return False
    _, (wide, high), _ = cv2.minAreaRect(hull)
    if max(wide, high) > SQUARISH * max(1, min(wide, high)):
        return False
    if hull_area > 0.93 * wide * high:
        return True
    corners = cv2.approxPolyDP(hull, 0.035 * cv2.arcLength(hull, True), True)
    return (
        len(corners) == 4
        and cv2.contourArea(corners) > 0.94 * hull_area
        and (hull_area > 0.82 * wide * high)
    )


def holes_in(ink: np.ndarray, size: int) -> int:
    """Return how many holes a group has; a grid or a rough surface has many."""
    contours, tree = cv2.findContours(ink, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    is_hole = tree[0][:, 3] >= 0
    smallest = (0.04 * size) ** 2  # pixels
    return sum(
        cv2.contourArea(contour) > smallest
        for contour, inside in zip(contours, is_hole, strict=True)
        if inside
    )


def is_bar(ink: np.ndarray) -> bool:
    """Return whether a group is one straight stroke: a 1, but also a line or an edge."""
    contours, _ = cv2.findContours(ink, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    _, (wide, high), _ = cv2.minAreaRect(np.vstack(contours))
    return max(wide, high) > MAX_BAR_RATIO * (1 + min(wide, high))


def is_corner(ink: np.ndarray) -> bool:
    """Return whether a group follows the sides of a rectangle, as part of a frame does."""
    rows, columns = np.nonzero(ink)
    points = np.stack([columns, rows], axis=1).astype(np.float32)
    middle, (wide, high), angle = cv2.minAreaRect(points)
    turn = np.deg2rad(angle)
    axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    from_middle = np.abs((points - middle) @ axes)
    near = max(3.0, 0.05 * max(wide, high))
    return bool((from_middle > np.array([wide, high]) / 2 - near).any(axis=1).mean() > 0.95)


def longest_run(line: np.ndarray) -> int:
    """Return the length of the longest unbroken run of true values."""
    ends = np.flatnonzero(np.diff(np.concatenate(([0], line.astype(np.int8), [0]))))
    return int((ends[1::2] - ends[::2]).max(initial=0))


def surrounds(outer: np.ndarray, inner: np.ndarray) -> bool:
    """Return whether ``outer`` lies in nearly all directions from the middle of ``inner``."""
    middle = cv2.moments(inner.astype(np.uint8), binaryImage=True)
    left, top, wide, high = cv2.boundingRect(outer.astype(np.uint8))
    if not middle["m00"] or not wide:
        return False
    row, column = middle["m01"] / middle["m00"], middle["m10"] / middle["m00"]
    # from a point outside its box, a mask lies in at most half of all directions
    if not (top <= row < top + high and left <= column < left + wide):
        return False
    far_rows, far_columns = np.nonzero(outer)
    turns = np.arctan2(far_rows - row, far_columns - column)
    sectors = ((turns + np.pi) / (2 * np.pi) * 24).astype(int) % 24
    return bool(np.count_nonzero(np.bincount(sectors)) >= 22)
