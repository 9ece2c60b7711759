"""Symbols drawn by a pen that is never twice the same: what visitors might draw, for benchmarks.

A symbol is a few strokes in a square from 0 to 1. Each drawing bends, turns, stretches and shears
them, lets the pen tremble, leaves some gaps where a stroke should close, and takes one of the three
pens of the pad. What the pen leaves is prepared as the app prepares a drawing.
"""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from explainer.inputs.pictures.prepare import centred

PAD, SIDE = 280, 112  # pixels of the pad, and of a drawing on its way to the server
PENS = (12, 20, 30)  # pixels of the pad
Stroke = np.ndarray  # (points, 2): x to the right and y downwards, 0 to 1


def line(*corners: tuple[float, float]) -> Stroke:
    """Return a stroke through corners, with a point about every twentieth of the square."""
    points = [np.array([corners[0]])]
    for start, end in pairwise(corners):
        count = max(1, math.ceil(20 * math.dist(start, end)))
        points.append(np.linspace(start, end, count + 1)[1:])
    return np.concatenate(points)


def curve(place: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], count: int = 48) -> Stroke:
    return np.stack(place(np.linspace(0, 1, count)), axis=1)


def circle(x: float, y: float, radius: float, start: float = 0.0, share: float = 1.0) -> Stroke:
    def place(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        angle = 2 * np.pi * (start + share * t)
        return x + radius * np.cos(angle), y + radius * np.sin(angle)

    return curve(place)


def star() -> list[Stroke]:
    """A star of five points in one stroke, as children draw it."""
    angles = [-math.pi / 2 + 4 * math.pi * corner / 5 for corner in range(6)]
    return [line(*((0.5 + 0.48 * math.cos(a), 0.52 + 0.48 * math.sin(a)) for a in angles))]


def heart() -> list[Stroke]:
    def place(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        angle = 2 * np.pi * t
        x = 16 * np.sin(angle) ** 3
        y = 13 * np.cos(angle) - 5 * np.cos(2 * angle) - 2 * np.cos(3 * angle) - np.cos(4 * angle)
        return 0.5 + x / 34, 0.47 - y / 34

    return [curve(place)]


def arrow() -> list[Stroke]:
    return [line((0.05, 0.5), (0.95, 0.5)), line((0.65, 0.22), (0.95, 0.5), (0.65, 0.78))]


def house() -> list[Stroke]:
    walls = line((0.15, 0.45), (0.15, 0.95), (0.85, 0.95), (0.85, 0.45))
    return [walls, line((0.05, 0.5), (0.5, 0.05), (0.95, 0.5))]


def spiral() -> list[Stroke]:
    def place(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        angle, radius = 2 * np.pi * 2.4 * t, 0.03 + 0.45 * t
        return 0.5 + radius * np.cos(angle), 0.5 + radius * np.sin(angle)

    return [curve(place, 90)]


def cross() -> list[Stroke]:
    return [line((0.1, 0.1), (0.9, 0.9)), line((0.9, 0.1), (0.1, 0.9))]


def bolt() -> list[Stroke]:
    return [line((0.6, 0.02), (0.25, 0.52), (0.6, 0.5), (0.35, 0.98))]


def fish() -> list[Stroke]:
    def place(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = 0.05 + 0.9 * np.where(t < 0.5, 2 * t, 2 - 2 * t)
        half = 0.28 * np.sin(np.pi * np.clip((x - 0.05) / 0.68, 0, 1.25))
        return x, 0.5 + np.where(t < 0.5, half, -half)

    return [curve(place), line((0.95, 0.3), (0.95, 0.7))]


def face() -> list[Stroke]:
    eyes = [line((x, 0.36), (x, 0.42)) for x in (0.36, 0.64)]
    return [circle(0.5, 0.5, 0.46), *eyes, circle(0.5, 0.52, 0.24, 0.08, 0.34)]


def umbrella() -> list[Stroke]:
    roof = circle(0.5, 0.5, 0.45, 0.5, 0.5)
    return [roof, line((0.05, 0.5), (0.95, 0.5)), line((0.5, 0.5), (0.5, 0.95), (0.36, 0.9))]


UNLIKE = {"star": star, "heart": heart, "arrow": arrow, "house": house, "spiral": spiral}
# on which the recipe was chosen
OTHERS = {"cross": cross, "bolt": bolt, "fish": fish, "face": face, "umbrella": umbrella}


def drawing(strokes: list[Stroke], random: np.random.Generator) -> np.ndarray:
    """Return one drawing of a symbol as the pad hands it over, (112, 112) uint8, white on black."""
    bent = [tremble(stroke, random) for stroke in strokes]
    turn, shear = np.radians(random.normal(0, 9)), random.normal(0, 0.1)
    stretch = np.exp(random.normal(0, 0.13, 2))
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = matrix @ np.array([[stretch[0], shear], [0, stretch[1]]])
    wave, phase = random.normal(0, 0.03, (2, 2)), random.uniform(0, 2 * np.pi, 2)
    changed = []
    for stroke in bent:
        points = (stroke - 0.5) @ matrix.T + random.normal(0, 0.02, 2)
        changed.append(points + np.sin(4 * points[:, ::-1] + phase) @ wave)
    size = random.uniform(0.45, 0.75)
    low, high = (np.concatenate(changed).min(0), np.concatenate(changed).max(0))
    scale = size / max(high - low)
    centre = 0.5 + random.uniform(-0.08, 0.08, 2)
    placed = [(stroke - (low + high) / 2) * scale + centre for stroke in changed]
    return inked(placed, random.choice(PENS, p=(0.2, 0.6, 0.2)))


def tremble(stroke: Stroke, random: np.random.Generator) -> Stroke:
    """Bend a stroke as a hand does, and let it end too early or too late."""
    keys = max(3, len(stroke) // 6)
    bends = random.normal(0, 0.028, (keys, 2))
    at, along = np.linspace(0, 1, len(stroke)), np.linspace(0, 1, keys)
    bent = stroke + np.stack([np.interp(at, along, bends[:, axis]) for axis in (0, 1)], axis=1)
    lost = int(random.integers(0, max(1, len(stroke) // 12) + 1))
    return bent[: len(bent) - lost] if lost and len(bent) - lost >= 2 else bent


def inked(strokes: list[Stroke], width: float, finer: int = 4) -> np.ndarray:
    """Return what a round pen of this width leaves, (112, 112) uint8."""
    side = SIDE * finer
    picture = Image.new("L", (side, side))
    pen, draw = width * side / PAD, ImageDraw.Draw(picture)
    for stroke in strokes:
        points = [tuple(point) for point in stroke * side]
        draw.line(points, fill=255, width=round(pen), joint="curve")
        for x, y in points:
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX))


def pictures(
    symbols: dict[str, Callable[[], list[Stroke]]], each: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return drawings as the model gets them, (symbols · each, 28, 28) uint8, and their classes."""
    random = np.random.default_rng(seed)
    drawn = [centred(drawing(make(), random)) for make in symbols.values() for _ in range(each)]
    return np.stack(drawn), np.repeat(np.arange(len(symbols)), each)
