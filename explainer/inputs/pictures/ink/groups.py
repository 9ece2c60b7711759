"""Pieces of ink that belong together, and how much a group of them looks like one digit."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from explainer.inputs.pictures.ink.contrast import DARK, OFFSET

SMALLEST = 0.03  # share of the picture's longer side that a digit takes at least
MAX_SEEDS = 8
MAX_COMPANIONS = 12
GAP = 0.22  # of a digit's size, across which its strokes may lie apart
FATTEST = 0.34  # of a digit's size, that its widest stroke takes
MAX_HOLES = 3  # one more than an 8 has
BAR = 6  # times as long as wide
CUT = (0.5, 1.3)  # times the width of a stroke, that it takes of the border where it is cut
THINNEST = 0.08  # of a digit's size, below which what has a corner may be a part of a frame
SQUARISH = 2.2  # a four-cornered piece this much longer than wide is a stroke


@dataclass(frozen=True)
class Group:
    """Pieces of ink that may be a digit.

    Attributes:
        mask: (height, width) bool.
        box: top, left, bottom and right; the last two are outside.
        score: from 0 to 1.
        stroke: width of the widest stroke, as a share of the group's size.
    """

    mask: np.ndarray
    box: tuple[int, int, int, int]
    score: float
    stroke: float

    @property
    def size(self) -> int:
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])


def groups_in(mask: np.ndarray, values: np.ndarray, grey: np.ndarray, polarity: str) -> list[Group]:
    """Return the groups in a mask, the best first.

    Args:
        mask: (height, width) bool, what may be ink.
        values: contrast from 0 to 1, of the same size.
        grey: what the contrast was taken from, uint8.
    """
    longest = max(mask.shape)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    sizes = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1, initial=0)
    least = max(5, SMALLEST * longest)
    large = 1 + np.flatnonzero(sizes >= least)
    order = np.argsort(-stats[large, cv2.CC_STAT_AREA] * sizes[large - 1])
    found: list[Group] = []
    for seed in large[order][:MAX_SEEDS]:
        members = [seed, *companions(seed, stats, labels)]
        group = measured(members, seed, labels, stats, values, grey, polarity)
        if group is not None:
            found.append(group)
    return sorted(demoted(found), key=lambda group: -group.score)


def companions(seed: int, stats: np.ndarray, labels: np.ndarray) -> list[int]:
    """Return the pieces that are smaller than another and close to it."""
    left, top, width, height, area = stats[seed]
    size = max(width, height)
    reach = max(3, int(GAP * size))
    x, y, wide, high, areas = stats.T
    across = np.maximum(np.maximum(x - (left + width), left - (x + wide)), 0)
    down = np.maximum(np.maximum(y - (top + height), top - (y + high)), 0)
    is_near = (
        (areas >= 0.012 * area)
        & (areas <= area)
        & (np.maximum(wide, high) <= 0.85 * size)
        & (np.maximum(across, down) <= reach)
    )
    is_near[[0, seed]] = False  # the first is all that is not ink
    found = np.flatnonzero(is_near)[:MAX_COMPANIONS].tolist()
    if not found:
        return []
    y0, x0 = max(0, top - 2 * reach), max(0, left - 2 * reach)
    window = labels[y0 : top + height + 2 * reach, x0 : left + width + 2 * reach]
    away = cv2.distanceTransform((window != seed).astype(np.uint8), cv2.DIST_L2, 3)
    near = []
    for other in found:
        here = window == other
        # what a stroke goes all around is not a stroke of the same digit
        if here.any() and away[here].min() <= reach and not surrounds(window == seed, here):
            near.append(other)
    return near


def measured(members, seed, labels, stats, values, grey, polarity) -> Group | None:
    """Return a group with its score, or nothing where it cannot be a digit."""
    height, width = labels.shape
    boxes = stats[members]
    left, top = boxes[:, 0].min(), boxes[:, 1].min()
    right, bottom = (boxes[:, 0] + boxes[:, 2]).max(), (boxes[:, 1] + boxes[:, 3]).max()
    size = max(bottom - top, right - left)
    margin = max(3, round(0.12 * size))
    y0, y1 = max(0, top - margin), min(height, bottom + margin)
    x0, x1 = max(0, left - margin), min(width, right + margin)
    ink = np.isin(labels[y0:y1, x0:x1], members)
    padded = np.pad(ink, 1).astype(np.uint8)
    stroke = 2 * cv2.distanceTransform(padded, cv2.DIST_L2, 5).max() / size
    inner = values[y0:y1, x0:x1]
    strength = float(np.median(inner[ink]))
    near = cv2.dilate(ink.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    around = cv2.dilate(ink.astype(np.uint8), np.ones((2 * margin + 1,) * 2, np.uint8)) > 0
    ring = around & ~near
    if not ring.any():
        return None
    rest = float(np.sqrt(np.mean(inner[ring] ** 2)))
    clean = max(0.0, 1 - rest / max(strength, 1e-6)) ** 1.5
    supported = support(ink, grey[y0:y1, x0:x1], polarity, strength)
    share = size / max(height, width)
    middle = np.array([(top + bottom) / 2 / height, (left + right) / 2 / width])
    far = float(np.hypot(*(middle - 0.5)))
    score = (
        min(1.0, (strength / 0.5)) ** 0.5
        * clean
        * min(1.0, share / 0.25) ** 0.8
        * (1 - 0.5 * min(1.0, far / 0.7) ** 2)
        * min(1.0, max(0.0, (supported - 0.5) / 0.45)) ** 1.5
        * falling(stroke, FATTEST, 2)
        * at_the_border((top, left, bottom, right), ink, (y0, x0), labels.shape, stroke * size)
    )
    if is_box(padded):
        score *= 0.05
    if is_bar(padded) or (stroke < THINNEST and is_corner(padded)):
        score *= 0.7
    if holes_in(padded, size) > MAX_HOLES:
        score *= 0.2
    whole = np.zeros(labels.shape, bool)
    whole[y0:y1, x0:x1] = ink
    box = (int(top), int(left), int(bottom), int(right))
    return Group(whole, box, float(score), float(stroke))


def support(ink: np.ndarray, grey: np.ndarray, polarity: str, strength: float) -> float:
    """Return the share of a group's surroundings that are paper, seen from the ink beside them.

    What ends without an edge in the picture is an artefact of how the paper was estimated.
    """
    mask = ink.astype(np.uint8)
    ring = cv2.dilate(mask, disc(5)).astype(bool) & ~cv2.dilate(mask, disc(3)).astype(bool)
    if not ring.any():
        return 0.0
    light = np.log(grey.astype(np.float32) + OFFSET)
    weight = cv2.blur(mask.astype(np.float32), (15, 15))
    beside = cv2.blur(np.where(ink, light, 0).astype(np.float32), (15, 15)) / (weight + 1e-6)
    step = light - beside if polarity == DARK else beside - light
    return float((1 - np.exp(-step[ring]) > 0.45 * strength).mean())


def disc(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)


def falling(value: float, most: float, steepness: float) -> float:
    """Return 1 up to ``most``, and less and less beyond."""
    return 1.0 if value <= most else float(np.exp(-steepness * (value / most - 1) * 4))


def at_the_border(
    box: tuple[int, int, int, int],
    ink: np.ndarray,
    corner: tuple[int, int],
    shape: tuple[int, int],
    stroke: float,
) -> float:
    """Return how far a group that touches the picture's border may still be a digit, 0 to 1.

    A stroke of a digit that is cut leaves the picture about as wide as it is; a desk, a shadow or
    the side of a frame lies along the border.

    Args:
        stroke: width of the group's widest stroke in pixels.
    """
    top, left, bottom, right = box
    y0, x0 = corner
    contact, longest = 0, 0
    rows, columns = ink.shape
    for is_near, line in (
        (top <= 1, ink[max(0, 0 - y0) : 2, :].any(axis=0)),
        (left <= 1, ink[:, max(0, 0 - x0) : 2].any(axis=1)),
        (bottom >= shape[0] - 1, ink[rows - 2 :, :].any(axis=0)),
        (right >= shape[1] - 1, ink[:, columns - 2 :].any(axis=1)),
    ):
        if is_near:
            contact += int(line.sum())
            longest = max(longest, longest_run(np.asarray(line)))
    if not contact:
        return 1.0
    if CUT[0] * stroke <= longest <= CUT[1] * stroke:
        return 0.92
    share = contact / max(1, bottom - top + right - left)
    return 0.6 * float(np.exp(-2 * max(0.0, share - 0.25)))


def longest_run(line: np.ndarray) -> int:
    """Return the length of the longest unbroken run in a line of true and false."""
    ends = np.flatnonzero(np.diff(np.concatenate(([0], line.astype(np.int8), [0]))))
    return int((ends[1::2] - ends[::2]).max(initial=0))


def is_box(ink: np.ndarray) -> bool:
    """Whether what a piece encloses has four corners, as a sheet or a frame has."""
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
    """Return how many holes a group has; a grid or the grain of something has many."""
    contours, tree = cv2.findContours(ink, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    is_hole = tree[0][:, 3] >= 0
    least = (0.04 * size) ** 2
    return sum(
        cv2.contourArea(contour) > least
        for contour, inside in zip(contours, is_hole, strict=True)
        if inside
    )


def is_bar(ink: np.ndarray) -> bool:
    """Whether a group is one straight stroke: a 1, but also a line or an edge of something."""
    contours, _ = cv2.findContours(ink, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    _, (wide, high), _ = cv2.minAreaRect(np.vstack(contours))
    return max(wide, high) > BAR * (1 + min(wide, high))


def is_corner(ink: np.ndarray) -> bool:
    """Whether a group lies along the sides of a rectangle, as two or three sides of a frame do."""
    rows, columns = np.nonzero(ink)
    points = np.stack([columns, rows], axis=1).astype(np.float32)
    middle, (wide, high), angle = cv2.minAreaRect(points)
    turn = np.deg2rad(angle)
    axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    from_middle = np.abs((points - middle) @ axes)
    near = max(3.0, 0.05 * max(wide, high))
    return bool((from_middle > np.array([wide, high]) / 2 - near).any(axis=1).mean() > 0.95)


def demoted(groups: list[Group]) -> list[Group]:
    """Give little to what encloses another group, as a ring or a frame around a digit does."""
    result = []
    for group in groups:
        top, left, bottom, right = group.box
        encloses = any(
            other is not group
            and other.score > 0.05
            and other.size >= 0.25 * group.size
            and top < other.box[0]
            and left < other.box[1]
            and bottom > other.box[2]
            and right > other.box[3]
            and (is_inside(other, group) or is_open_around(group, other))
            for other in groups
        )
        factor = 0.1 if encloses else 1
        result.append(replace(group, score=group.score * factor))
    return result


def is_open_around(outer: Group, inner: Group) -> bool:
    """Whether thin strokes go partly around a group that is as good, as an open frame does."""
    return (
        outer.stroke < THINNEST
        and inner.score > 0.5 * outer.score
        and not (outer.mask & inner.mask).any()
    )


def is_inside(inner: Group, outer: Group) -> bool:
    """Whether a group lies in a hole of another."""
    top, left, bottom, right = outer.box
    inside = inner.mask[top:bottom, left:right]
    return surrounds(outer.mask[top:bottom, left:right], inside)


def surrounds(outer: np.ndarray, inner: np.ndarray) -> bool:
    """Whether one mask lies in nearly all directions from the middle of another."""
    middle = cv2.moments(inner.astype(np.uint8), binaryImage=True)
    left, top, wide, high = cv2.boundingRect(outer.astype(np.uint8))
    if not middle["m00"] or not wide:
        return False
    row, column = middle["m01"] / middle["m00"], middle["m10"] / middle["m00"]
    # seen from outside of a box, what is in it lies in half of all directions at most
    if not (top <= row < top + high and left <= column < left + wide):
        return False
    far_rows, far_columns = np.nonzero(outer)
    turns = np.arctan2(far_rows - row, far_columns - column)
    places = ((turns + np.pi) / (2 * np.pi) * 24).astype(int) % 24
    return bool(np.count_nonzero(np.bincount(places)) >= 22)
