"""One token's row of numbers, cut into the pieces that belong to each head."""

from html import escape

import numpy as np

from explainer.figures import pixels, theme

STYLE = f"""
.pieces {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(4.5rem, 22%), 1fr));
  gap: 0.375rem; }}
.pieces > div {{ min-width: 0; padding: 0.25rem; border: 1px solid {theme.LINE.css};
  border-radius: 5px; font-size: 0.8125rem; color: {theme.MUTED.css}; }}
.pieces > .chosen {{ border-color: {theme.QUERY.css};
  box-shadow: inset 0 0 0 1px {theme.QUERY.css}; color: inherit; }}
.pieces img {{ display: block; width: 100%; height: 1.5rem; border-radius: 2px;
  image-rendering: pixelated; }}
.pieces b, .pieces span {{ display: block; font-weight: 600;
  font-variant-numeric: tabular-nums; }}
.pieces span {{ font-weight: 400; }}
.pieces s {{ display: block; height: 5px; margin-top: 0.25rem; border-radius: 2px;
  background: {theme.ACCENT.css}; }}
"""


def side_by_side(
    pieces: np.ndarray,
    sizes: np.ndarray,
    names: list[str],
    texts: list[str],
    chosen: int,
    alt: str,
    limits: tuple[float, float] | None = None,
) -> str:
    """Return one strip of numbers for each head, all in one scale, with a bar of its size below.

    Args:
        pieces: (heads, numbers), signed.
        sizes: (heads,), at least 0; the largest bar is full.
        names, texts: of each head.
        chosen: head that is framed.
        alt: says what the whole picture shows.
        limits: the number with the full colour, and the size with the full bar; the largest of
            each if None.

    Raises:
        ValueError: a number is not finite.
    """
    limit, largest = (end or 1.0 for end in limits or (np.abs(pieces).max(), sizes.max()))
    colours = pixels.palette(theme.DIVERGING)
    boxes = []
    for head, (name, text) in enumerate(zip(names, texts, strict=True)):
        strip = pixels.png(pixels.shades(pieces[head][None], -limit, limit), colours)
        mark = ' class="chosen"' if head == chosen else ""
        boxes.append(
            f"<div{mark}><b>{escape(name)}</b>"
            f'<img class="signed" src="{pixels.data_uri(strip)}" alt="">'
            f'<s style="width:max(1px,{100 * sizes[head] / largest:.1f}%)"></s>'
            f"<span>{escape(text)}</span></div>"
        )
    return (
        f'<style>{STYLE}</style><div class="pieces" role="img" aria-label="{escape(alt)}">'
        f"{''.join(boxes)}</div>"
    )
