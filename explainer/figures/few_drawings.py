"""How much two ways of learning read right after few drawings, as pairs of bars in HTML."""

from collections.abc import Sequence
from html import escape

import numpy as np

from explainer.figures import theme

STYLE = f"""
.few {{ width: min(100%, 40rem); border-collapse: collapse; font-size: 0.9375rem; }}
.few caption {{ padding: 0 0 0.5rem; text-align: left; font-size: 0.875rem;
  color: {theme.MUTED.css}; }}
.few th, .few td {{ padding: 0.0625rem 0.5rem; border: 0; text-align: left;
  font-variant-numeric: tabular-nums; white-space: nowrap; }}
.few tbody th {{ width: 1%; padding-left: 0; font-weight: 600; text-align: right; }}
.few tbody tr:first-child > * {{ padding-top: 0.5rem; }}
.few td:last-child {{ width: 4rem; padding-right: 0; }}
.few i {{ display: block; height: 0.75rem; border-radius: 3px; background: {theme.MUTED.css}; }}
.few .first i {{ background: {theme.ACCENT.css}; }}
.few-legend {{ display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; margin: 0 0 0.5rem;
  font-size: 0.875rem; }}
.few-legend span::before {{ content: ""; display: inline-block; width: 0.75rem; height: 0.75rem;
  margin-right: 0.375rem; border-radius: 3px; background: {theme.MUTED.css}; }}
.few-legend .first::before {{ background: {theme.ACCENT.css}; }}
"""


def few_drawings(
    shares: np.ndarray,
    labels: Sequence[str],
    ways: tuple[str, str],
    caption: str,
    written: str = "{share} %",
) -> str:
    """Return a pair of bars over 0..1 for each row.

    Args:
        shares: (rows, 2) from 0 to 1, those of the first way in the accent colour.
        labels: of the rows, such as how many drawings of each there were.
        ways: what both are called.
        written: of a share, with ``{share}`` in percent.

    Raises:
        ValueError: a share is not from 0 to 1.
    """
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError("shares must be numbers from 0 to 1")
    bodies = "".join(
        f"<tbody>{pair(row, label, ways, written)}</tbody>"
        for row, label in zip(shares.tolist(), labels, strict=True)
    )
    legend = "".join(
        f"<span{' class=first' if place == 0 else ''}>{escape(way)}</span>"
        for place, way in enumerate(ways)
    )
    return (
        f'<style>{STYLE}</style><p class="few-legend" aria-hidden="true">{legend}</p>'
        f'<table class="few"><caption>{escape(caption)}</caption>{bodies}</table>'
    )


def pair(shares: Sequence[float], label: str, ways: tuple[str, str], written: str) -> str:
    rows = []
    for place, (share, way) in enumerate(zip(shares, ways, strict=True)):
        head = f'<th scope="rowgroup" rowspan="2">{escape(label)}</th>' if place == 0 else ""
        text = escape(written.format(share=f"{100 * share:.0f}"))
        bar = f'<i style="width:max(1px,{100 * share:.2f}%)" role="img" '
        bar += f'aria-label="{escape(way)}"></i>'
        kind = " class=first" if place == 0 else ""
        rows.append(f"<tr{kind}>{head}<td>{bar}</td><td>{text}</td></tr>")
    return "".join(rows)
