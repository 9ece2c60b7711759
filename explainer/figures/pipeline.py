"""The pipeline as a picture: one tile for each stage, as HTML that needs no script to be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from explainer.figures import pixels

LONG = 24  # letters of an answer that fit in its tile


@dataclass(frozen=True)
class Stage:
    """One step of the model.

    Attributes:
        title, text: said under the picture.
        shape: of the tensor that leaves the step.
        picture: HTML, from the functions below.
        pages: (view, link text, address) of each page that shows the step from close up.
    """

    title: str
    text: str
    shape: tuple[int, ...]
    picture: str
    pages: tuple[tuple[str, str, str], ...] = ()


def shape_text(shape: tuple[int, ...]) -> str:
    return "(" + ", ".join(f"{size:,}" for size in shape) + ")"


def image(pixel_values: np.ndarray, alt: str) -> str:
    kind = "smooth" if pixels.is_smooth(pixel_values) else ""
    return tag(pixels.image_address(pixel_values), alt, kind)


def patches(values: np.ndarray, grid: tuple[int, int], patch: tuple[int, int], alt: str) -> str:
    is_large = grid[1] * patch[1] > pixels.LARGEST_PIXELATED
    return tag(pixels.pieces(values, grid, patch), alt, "bare smooth" if is_large else "bare")


def tokens(values: np.ndarray, alt: str, marked: bool = False) -> str:
    """Return a matrix of tokens; ``marked`` points out its first row, the class token."""
    mark = f'<i class="mark" style="height:{100 / len(values):.3f}%"></i>' if marked else ""
    return tag(pixels.signed_matrix(values), alt) + mark


def patterns(weights: Sequence[np.ndarray], alt: str, clipped: float = 0.0) -> str:
    """Return the attention patterns of several blocks, in reading order.

    Args:
        clipped: share of the cells, the largest, that all have the full colour: among many tokens
            a few large weights would leave all others dark.
    """
    columns = int(np.ceil(np.sqrt(len(weights))))
    first, *others = [pixels.weights_matrix(weight, clipped) for weight in weights]
    tiles = tag(first, alt) + "".join(tag(other, "") for other in others)
    return f'<div class="tiles" style="--columns:{columns}">{tiles}</div>'


def reading(values: np.ndarray, before: np.ndarray, alt: str) -> str:
    """Return one vector (D,) as a strip over the fading matrix that it was read from."""
    return (
        f'<div class="strip">{tag(pixels.signed_matrix(values[None]), alt)}</div>'
        f'<div class="faded">{tag(pixels.signed_matrix(before), "")}</div>'
    )


def bars(scores: np.ndarray, names: Sequence[str], alt: str) -> str:
    """Return signed scores as bars from a common zero line; the largest stands out."""
    low, high = min(0.0, float(scores.min())), max(0.0, float(scores.max()))
    span = (high - low) or 1.0
    rows = "".join(
        f"<div{' class=top' if index == scores.argmax() else ''}><b>{escape(name)}</b>"
        f'<span><i style="left:{100 * (min(score, 0.0) - low) / span:.2f}%;'
        f'width:{100 * abs(score) / span:.2f}%"></i></span></div>'
        for index, (name, score) in enumerate(zip(names, scores.tolist(), strict=True))
    )
    kind = "bars named" if is_long(names) else "bars"
    return f'<div class="{kind}" role="img" aria-label="{escape(alt)}">{rows}</div>'


def answer(name: str, share: str, verdict: str, kind: str) -> str:
    """Return the answer itself, large; ``kind`` colours the verdict: good, bad or guess."""
    size = ' class="word"' if is_long([name]) else ""
    if len(name) > LONG:
        size = ' class="word long"'
    return (
        f'<div class="answer"><strong{size}>{escape(name)}</strong><span>{escape(share)}</span>'
        f'<em class="{kind}">{escape(verdict)}</em></div>'
    )


def is_long(names: Sequence[str]) -> bool:
    """Whether names are words and need another space than digits do."""
    return max(map(len, names)) > 2


def tag(address: str, alt: str, kind: str = "") -> str:
    return f'<img src="{address}" alt="{escape(alt)}" class="{kind}">'


def pipeline(rows: Sequence[tuple[str, Sequence[Stage]]], legend: str) -> str:
    """Return all stages, in titled rows, and what their colours mean."""
    number = 0
    columns = max(len(stages) for _, stages in rows)
    parts = []
    for title, stages in rows:
        tiles = []
        for stage in stages:
            number += 1
            tiles.append(tile(number, stage))
        parts.append(
            f'<h2>{escape(title)}</h2><ol style="--columns:{columns}" '
            f'start="{number - len(stages) + 1}">{"".join(tiles)}</ol>'
        )
    return "".join(parts) + f'<p class="legend">{escape(legend)}</p>'


def tile(number: int, stage: Stage) -> str:
    links = "".join(
        f'<a href="{escape(address)}" data-view="{escape(view)}">{escape(label)}</a>'
        for view, label, address in stage.pages
    )
    # with a single link the whole tile leads there
    kind = ("stays", "leads", "branches")[min(len(stage.pages), 2)]
    return (
        f'<li class="{kind}"><div class="picture">{stage.picture}</div>'
        f'<div class="words"><h3><span>{number}</span> {escape(stage.title)}</h3>'
        f"<code>{shape_text(stage.shape)}</code><p>{escape(stage.text)}</p>{links}</div></li>"
    )
