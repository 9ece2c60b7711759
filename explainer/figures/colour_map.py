"""Principal components of patches as colours, beside the image that they come from."""

from collections.abc import Sequence
from html import escape

import numpy as np

from explainer.figures import theme
from explainer.figures.pixels import image_address

STYLE = f"""
.colour-map {{ display: grid; grid-template-columns: repeat(2, minmax(0, 22rem)); gap: 1rem; }}
.colour-map figure, .colour-strip figure {{ margin: 0; }}
.colour-map img, .colour-strip img {{ display: block; width: 100%; border-radius: 4px; }}
.colour-map img.patches, .colour-strip img {{ image-rendering: pixelated; }}
.colour-map figcaption, .colour-strip figcaption {{ margin-top: 0.375rem; font-size: 0.875rem;
  line-height: 1.4; color: {theme.MUTED.css}; }}
.colour-strip {{ display: grid; gap: 0.5rem;
  grid-template-columns: repeat(auto-fill, minmax(5.5rem, 1fr)); }}
"""


def colours_of(scores: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Return three components as red, green and blue, (rows, columns, 3) uint8.

    Each component runs from its least score (0) to its largest (255).

    Args:
        scores: (P, 3).

    Raises:
        ValueError: a score is not finite.
    """
    if not np.isfinite(scores).all():
        raise ValueError("a colour needs finite numbers, and some are infinite or not a number")
    low, high = scores.min(axis=0), scores.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    return ((scores - low) / span * 255).round().astype(np.uint8).reshape(*grid, 3)


def side_by_side(image: str, colours: np.ndarray, captions: Sequence[tuple[str, str]]) -> str:
    """Return the image and its patches' colours.

    Args:
        image: address of the image's picture.
        captions: (alternative text, caption) of both.
    """
    pictures = "".join(
        f'<figure><img class="{kind}" src="{source}" alt="{escape(alt)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for kind, source, (alt, caption) in zip(
            ("image", "patches"), (image, image_address(colours)), captions, strict=True
        )
    )
    return f'<style>{STYLE}</style><div class="colour-map">{pictures}</div>'


def strip(pictures: Sequence[tuple[np.ndarray, str]], label: str) -> str:
    """Return several colour maps in reading order, each with its caption.

    Args:
        label: of all of them, for screen readers.
    """
    figures = "".join(
        f'<figure><img src="{image_address(colours)}" alt="">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for colours, caption in pictures
    )
    return (
        f'<style>{STYLE}</style><div class="colour-strip" role="group" '
        f'aria-label="{escape(label)}">{figures}</div>'
    )
