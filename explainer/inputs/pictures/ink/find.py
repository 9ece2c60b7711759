"""The ink of one digit in a grey picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from explainer.inputs.pictures.ink.contrast import (
    DARK,
    LIGHT,
    OFFSET,
    contrast,
    noise_of,
    paper_around,
)
from explainer.inputs.pictures.ink.groups import Group, groups_in
from explainer.inputs.pictures.ink.lines import ruled_lines, without_hairs, without_lines
from explainer.inputs.pictures.ink.shapes import surrounds

WIDTHS = (0.07, 0.18, 0.45)  # of the widest stroke that is looked for, as shares of the longer side
MIN_SCORE = 0.04  # blank paper, noise and small print have less
MIN_WHOLE = 0.8  # score of the whole digit, as a share of its best part's score
LEVELS = (0.06, 0.1, 0.16, 0.24, 0.34, 0.46, 0.6)  # thresholds of contrast for ink


@dataclass(frozen=True)
class Finding:
    """The ink of a digit in a picture.

    Attributes:
        polarity: whether the ink is darker or lighter than its paper.
        paper: (height, width) uint8, the estimated brightness of the paper.
        contrast: (height, width) float32 from 0 to 1.
        ink: (height, width) uint8, white ink on black, only of the chosen group.
        group: the chosen group.
        others: groups whose scores are not much lower.
        lines: (height, width) bool, the ruled lines that were removed.
    """

    polarity: str
    paper: np.ndarray
    contrast: np.ndarray
    ink: np.ndarray
    group: Group
    others: tuple[Group, ...]
    lines: np.ndarray


class Candidate(NamedTuple):
    """Groups of ink at one width of stroke and one level of contrast, the best first."""

    groups: list[Group]
    polarity: str
    paper: np.ndarray
    values: np.ndarray
    lines: np.ndarray
    level: float

    @property
    def best(self) -> Group:
        return self.groups[0]


def find(grey: np.ndarray, polarity: str = "", scale: float = 1) -> Finding | None:
    """Find the ink of one digit; return None if there is none.

    Args:
        grey: (height, width) uint8, about 512 pixels on its longer side.
        polarity: ``DARK`` or ``LIGHT`` if it is known; empty to try both.
        scale: factor for the thresholds of contrast; less than 1 finds more ink.
    """
    best: dict[str, Candidate] = {}
    for tried in (polarity,) if polarity else (DARK, LIGHT):
        if options := list(candidates(grey, tried, scale)):
            best[tried] = whole_of(max(options, key=lambda one: one.best.score), options)
    if not best:
        return None
    ordered = sorted(best.values(), key=lambda candidate: -candidate.best.score)
    chosen = ordered[0]
    # the paper inside a loop has the shape of a stroke as well
    if len(ordered) == 2 and is_loop_around(ordered[1].best, chosen.groups):
        chosen = ordered[1]
    if chosen.best.score < MIN_SCORE * min(1, scale):
        return None
    groups, tried, paper, values, lines, level = chosen
    first, *rest = groups
    others = tuple(
        one for one in rest if one.score > 0.6 * first.score and not (one.mask & first.mask).any()
    )
    mask = without_hairs(first.mask, lines)
    if scale != 1:
        mask = grown(mask, without_lines(values > level * scale, lines))
    if not mask.any():
        return None
    ink = soft_ink(values, mask, scale)
    ink_with_lines = values > level
    taken = ink_with_lines & ~without_lines(ink_with_lines, lines)
    return Finding(tried, paper.astype(np.uint8), values, ink, first, others, taken)


def whole_of(part: Candidate, candidates: list[Candidate]) -> Candidate:
    """Return the candidate for the whole digit, if ``part`` is only a part of one, else ``part``.

    In a thick, even stroke some ink is taken for paper, so that pieces of the stroke remain. Such a
    piece may have a higher score than the whole digit, for example if only the digit touches the
    picture's border.
    """
    inner = part.best
    wholes = [
        one
        for one in candidates
        if one.best.score > MIN_WHOLE * inner.score
        and one.best.size > 1.1 * inner.size
        and (one.best.mask & inner.mask).sum() > 0.9 * inner.mask.sum()
    ]
    return max(wholes, key=lambda one: one.best.score, default=part)


def is_loop_around(outer: Group, groups: list[Group]) -> bool:
    """Return whether ``outer`` is a stroke whose loop contains the first of ``groups``.

    Its score must not be much lower. Paper inside a drawn ring around a digit does not count.
    """
    inner = groups[0]
    (top, left, bottom, right), box = outer.box, inner.box
    slack = 0.05 * outer.size
    return (
        box[0] >= top - slack
        and box[1] >= left - slack
        and box[2] <= bottom + slack
        and box[3] <= right + slack
        and outer.size > 1.1 * inner.size
        and outer.score > 0.5 * inner.score
        and outer.stroke < 0.4
        and not any(surrounds(one.mask, outer.mask) for one in groups[1:])
    )


def candidates(grey: np.ndarray, polarity: str, scale: float) -> Iterator[Candidate]:
    """Yield the groups at each width of stroke and each threshold of contrast, if there are any."""
    longest = max(grey.shape)
    smooth = cv2.GaussianBlur(grey, (0, 0), 0.8)
    lines = None
    for width in WIDTHS:
        paper = paper_around(smooth, polarity, round(width * longest))
        values = contrast(smooth, paper, polarity)
        noise = noise_of(smooth / (paper + OFFSET))
        lowest = max(0.05, 4 * noise) * min(1, scale)
        if lines is None:
            lines = ruled_lines(values > lowest)
        for level in sorted({lowest, *LEVELS}) if scale < 1 else LEVELS:
            if level < lowest:
                continue
            mask = values > level
            if not mask.any():
                break
            groups = groups_in(without_lines(mask, lines), values, smooth, polarity)
            if groups:
                yield Candidate(groups, polarity, paper, values, lines, level)


def grown(mask: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the pieces of ``wanted`` that touch ``mask``."""
    _, labels = cv2.connectedComponents(wanted.astype(np.uint8), connectivity=8)
    touching = np.unique(labels[mask & wanted])
    return np.isin(labels, touching[touching > 0])


def soft_ink(values: np.ndarray, mask: np.ndarray, scale: float) -> np.ndarray:
    """Return the chosen ink with soft edges, (height, width) uint8, white on black."""
    high = 0.85 * float(np.percentile(values[mask], 70))
    # the faintest pixels of a soft edge are left out: they would enlarge the box around the digit
    low = 0.35 * high * scale
    high = max(low * 1.2, high * min(1, scale))
    near = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    soft = np.clip((values - low) / (high - low), 0, 1)
    return np.rint(255 * np.where(near, soft, 0)).astype(np.uint8)
