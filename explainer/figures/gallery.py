"""Small pictures in a row, each with a title and a number."""

from collections.abc import Sequence
from html import escape

from explainer.figures import theme

STYLE = f"""
.gallery {{ display: grid; gap: 0.75rem;
  grid-template-columns: repeat(auto-fill, minmax(7.5rem, 1fr)); }}
.gallery figure {{ margin: 0; }}
.gallery img {{ display: block; width: 100%; aspect-ratio: 1; border-radius: 4px; }}
.gallery figcaption {{ margin-top: 0.375rem; font-size: 0.875rem; line-height: 1.4; }}
.gallery figcaption span {{ display: block; color: {theme.MUTED.css};
  font-variant-numeric: tabular-nums; }}
"""


def gallery(pictures: Sequence[tuple[str, str, str, str]]) -> str:
    """Return the pictures in reading order.

    Args:
        pictures: (address, alternative text, title, line below) of each.
    """
    figures = "".join(
        f'<figure><img src="{address}" alt="{escape(alt)}"><figcaption><b>{escape(title)}</b>'
        f"<span>{escape(line)}</span></figcaption></figure>"
        for address, alt, title, line in pictures
    )
    return f'<style>{STYLE}</style><div class="gallery">{figures}</div>'
