"""Groups of pieces of ink, and a score for how much each looks like one digit."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from explainer.inputs.pictures.ink.contrast import DARK, OFFSET
from explainer.inputs.pictures.ink.shapes import (
    holes_in,
    is_bar,
    is_box,
    is_corner,
    longest_run,
    surrounds,
)

SMALLEST = 0.03  # size of a digit, as a share of the picture's longer side
MAX_SEEDS = 8
MAX_COMPANIONS = 12
GAP = 0.22  # largest distance between strokes of a digit, as a share of its size
THICKEST = 0.34  # of the widest stroke, as a share of the digit's size
MAX_HOLES = 3  # one more than an 8 has
CUT = (0.5, 1.3)  # length on the border of a stroke that the border cuts, in widths of the stroke
THINNEST = 0.08  # share of a group's size; with a thinner stroke, a corner may be part of a frame


@dataclass(frozen=True)
class Group:
    """Pieces of ink that may be one digit.

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
        """The longer side of the box in pixels."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])


def groups_in(mask: np.ndarray, values: np.ndarray, grey: np.ndarray, polarity: str) -> list[Group]:
    """Return the groups in a mask, the best first.

    Args:
        mask: (height, width) bool, the pixels that may be ink.
        values: contrast from 0 to 1, of the same size.
        grey: the picture from which the contrast was computed, uint8.
    """
    longest = max(mask.shape)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    sizes = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1, initial=0)
    smallest = max(5, SMALLEST * longest)
    large = 1 + np.flatnonzero(sizes >= smallest)
    order = np.argsort(-stats[large, cv2.CC_STAT_AREA] * sizes[large - 1])
    groups: list[Group] = []
    for seed in large[order][:MAX_SEEDS]:
        members = [seed, *companions(seed, stats, labels)]
        group = measured(members, labels, stats, values, grey, polarity)
        if group is not None:
            groups.append(group)
    return sorted(demoted(groups), key=lambda group: -group.score)


def companions(seed: int, stats: np.ndarray, labels: np.ndarray) -> list[int]:
    """Return the pieces that are smaller than the piece ``seed`` and close to it."""
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
    is_near[[0, seed]] = False  # label 0 is the background
    candidates = np.flatnonzero(is_near)[:MAX_COMPANIONS].tolist()
    if not candidates:
        return []
    y0, x0 = max(0, top - 2 * reach), max(0, left - 2 * reach)
    window = labels[y0 : top + height + 2 * reach, x0 : left + width + 2 * reach]
    away = cv2.distanceTransform((window != seed).astype(np.uint8), cv2.DIST_L2, 3)
    near = []
    for other in candidates:
        here = window == other
        # a piece that the seed surrounds is no stroke of the same digit
        if here.any() and away[here].min() <= reach and not surrounds(window == seed, here):
            near.append(other)
    return near


def measured(
    members: list[int],
    labels: np.ndarray,
    stats: np.ndarray,
    values: np.ndarray,
    grey: np.ndarray,
    polarity: str,
) -> Group | None:
    """Return a group of labelled pieces with its score; None if it fills the whole picture."""
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
    noise = float(np.sqrt(np.mean(inner[ring] ** 2)))
    cleanness = max(0.0, 1 - noise / max(strength, 1e-6)) ** 1.5
    supported = support(ink, grey[y0:y1, x0:x1], polarity, strength)
    share = size / max(height, width)
    middle = np.array([(top + bottom) / 2 / height, (left + right) / 2 / width])
    far = float(np.hypot(*(middle - 0.5)))
    score = (
        min(1.0, (strength / 0.5)) ** 0.5
        * cleanness
        * min(1.0, share / 0.25) ** 0.8
        * (1 - 0.5 * min(1.0, far / 0.7) ** 2)
        * min(1.0, max(0.0, (supported - 0.5) / 0.45)) ** 1.5
        * falling(stroke, THICKEST, 2)
        * border_factor((top, left, bottom, right), ink, (y0, x0), labels.shape, stroke * size)
    )
    if is_box(padded):
        score *= 0.05
    if is_bar(padded) or (stroke < THINNEST and is_corner(padded)):
        score *= 0.7
    if holes_in(padded, size) > MAX_HOLES:
        score *= 0.2
    mask = np.zeros(labels.shape, bool)
    mask[y0:y1, x0:x1] = ink
    box = (int(top), int(left), int(bottom), int(right))
    return Group(mask, box, float(score), float(stroke))


def support(ink: np.ndarray, grey: np.ndarray, polarity: str, strength: float) -> float:
    """Return the share of the pixels around a group that are as different from it as paper is.

    A group without such an edge in the picture is an artefact of how the paper was estimated.
    """
    mask = ink.astype(np.uint8)
    ring = cv2.dilate(mask, disc(5)).astype(bool) & ~cv2.dilate(mask, disc(3)).astype(bool)
    if not ring.any():
        return 0.0
    light = np.log(grey.astype(np.float32) + OFFSET)
    weight = cv2.blur(mask.astype(np.float32), (15, 15))
    ink_nearby = cv2.blur(np.where(ink, light, 0).astype(np.float32), (15, 15)) / (weight + 1e-6)
    step = light - ink_nearby if polarity == DARK else ink_nearby - light
    return float((1 - np.exp(-step[ring]) > 0.45 * strength).mean())


def disc(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)


def falling(value: float, limit: float, steepness: float) -> float:
    """Return 1 up to ``limit``; above it, the result falls exponentially."""
    return 1.0 if value <= limit else float(np.exp(-steepness * (value / limit - 1) * 4))


def border_factor(
    box: tuple[int, int, int, int],
    ink: np.ndarray,
    corner: tuple[int, int],
    shape: tuple[int, int],
    stroke: float,
) -> float:
    """Return a factor for the score of a group, from 0 to 1, that is low if it lies on the border.

    A stroke that the border cuts touches it on about the stroke's own width. A desk, a shadow or
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


def demoted(groups: list[Group]) -> list[Group]:
    """Lower the score of a group that encloses another, such as a ring around a digit."""
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
    """Return whether ``outer`` is a thin, open frame around a group of about the same score."""
    return (
        outer.stroke < THINNEST
        and inner.score > 0.5 * outer.score
        and not (outer.mask & inner.mask).any()
    )


def is_inside(inner: Group, outer: Group) -> bool:
    """Return whether ``inner`` lies in a hole of ``outer``."""
    top, left, bottom, right = outer.box
    inside = inner.mask[top:bottom, left:right]
    return surrounds(outer.mask[top:bottom, left:right], inside)
