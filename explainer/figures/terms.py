"""The terms of a sum as a table: what is multiplied, and what comes of it, with coloured bars."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from explainer.figures import theme
from explainer.figures.theme import DIVERGING

STYLE = f"""
.terms {{ max-width: 46rem; max-height: 34rem; overflow: auto; }}
.terms table {{ width: 100%; border-collapse: collapse; font-size: 0.9375rem; }}
.terms caption {{ position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); }}
.terms th, .terms td {{ padding: 0.25rem 0 0.25rem 1rem; border: 0;
  border-bottom: 1px solid {theme.LINE.css}; text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }}
.terms tr > :first-child {{ padding-left: 0; text-align: left; font-weight: 400; }}
.terms thead th {{ position: sticky; top: 0; background: {theme.BACKGROUND.css};
  font-weight: 600; white-space: normal; vertical-align: bottom; }}
.terms thead i {{ display: inline-block; width: 0.75em; height: 0.75em; margin-right: 0.375em;
  border-radius: 2px; }}
.terms .last > * {{ font-weight: 600; border-bottom: 0; }}
.terms .here > * {{ background: {theme.SURFACE.css}; font-weight: 600; }}
.terms .bar {{ width: 6rem; padding-left: 0.75rem; }}
.terms .bar span {{ position: relative; display: block; height: 0.75rem; }}
.terms .bar b {{ position: absolute; inset-block: 0; border-radius: 2px; }}
.terms .bar span::before {{ content: ""; position: absolute; inset-block: -0.25rem; left: 50%;
  border-left: 1px solid {theme.LINE.css}; }}
.terms::-webkit-scrollbar {{ width: 0.5rem; height: 0.5rem; }}
.terms::-webkit-scrollbar-thumb {{ border-radius: 0.25rem; background: {theme.MUTED.css}; }}
@media (max-width: 40rem) {{
  .terms .bar {{ display: none; }}
  .terms table {{ font-size: 0.875rem; }}
}}
"""
NEGATIVE, POSITIVE = DIVERGING[2], DIVERGING[-3]


class Column(NamedTuple):
    """One column of numbers: its heading, how each is written, and its colour by meaning (CSS)."""

    heading: str
    texts: Sequence[str]
    colour: str | None = None


def terms_table(
    names: Sequence[str],
    columns: Sequence[Column],
    terms: np.ndarray,
    last: tuple[str, str],
    *,
    corner: str,
    caption: str,
    marked: int | None = None,
) -> str:
    """Return a table of terms whose last column is also drawn as bars from a middle line.

    Args:
        names: of each term.
        columns: with a text for each term.
        terms: (n,) finite, what the bars show, in one scale.
        last: name and number of the bottom row.
        corner: heading of the names.
        caption: for screen readers.
        marked: the row that stands out.

    Raises:
        ValueError: a column has not one text for each term, or a term is not finite.
    """
    if any(len(column.texts) != len(names) for column in columns) or len(terms) != len(names):
        raise ValueError(f"every column must have {len(names)} texts, one for each term")
    if not np.isfinite(terms).all():
        raise ValueError("terms must be finite numbers")
    limit = float(np.abs(terms).max(initial=0.0)) or 1.0
    head = "".join(
        f'<th scope="col">{swatch(column.colour)}{escape(column.heading)}</th>'
        for column in columns
    )
    rows = "".join(
        f'<tr{" class=here" if row == marked else ""}><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{escape(column.texts[row])}</td>" for column in columns)
        + f'<td class="bar">{bar(float(terms[row]) / limit)}</td></tr>'
        for row, name in enumerate(names)
    )
    span = len(columns)
    return (
        f'<style>{STYLE}</style><div class="terms" tabindex="0" role="group" '
        f'aria-label="{escape(caption)}"><table><caption>{escape(caption)}</caption>'
        f'<thead><tr><th scope="col">{escape(corner)}</th>{head}<td class="bar"></td></tr></thead>'
        f'<tbody>{rows}<tr class="last"><th scope="row">{escape(last[0])}</th>'
        f'<td colspan="{span}">{escape(last[1])}</td><td class="bar"></td></tr></tbody>'
        f"</table></div>"
    )


def swatch(colour: str | None) -> str:
    return f'<i style="background:{colour}"></i>' if colour else ""


def bar(share: float) -> str:
    """Return a bar from the middle to the right, or to the left below zero; ``share`` is -1..1."""
    side = "left" if share >= 0 else "right"
    colour = POSITIVE if share >= 0 else NEGATIVE
    width = f"{50 * abs(share):.1f}%"
    return f'<span><b style="{side}:50%;width:{width};background:{colour}"></b></span>'
