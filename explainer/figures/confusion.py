"""Which digit is taken for which: counts in a table, shaded."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from explainer.figures import theme

# per cent of the colour behind a share; on the strongest, text can still be read
WEAKEST, STRONGEST = 12, 42
STYLE = f"""
.confusion {{ width: 100%; max-width: 27rem; border-collapse: separate; border-spacing: 2px;
  table-layout: fixed; font-variant-numeric: tabular-nums; }}
.confusion caption {{ position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); }}
.confusion th, .confusion td {{ height: 2rem; padding: 0; border: 0; border-radius: 4px;
  font-size: 0.875rem; text-align: center; vertical-align: middle; }}
.confusion th {{ font-weight: 600; color: {theme.MUTED.css}; }}
.confusion td {{ color: {theme.TEXT.css}; background: {theme.SURFACE.css}; }}
.confusion td.none {{ color: transparent; }}
"""


def confusion(counts: np.ndarray, names: Sequence[str], texts: Mapping[str, str]) -> str:
    """Return a table of how often each class was taken for each: rows true, columns predicted.

    What is right is shaded in the accent's colour, what is wrong in that of mistakes, each by its
    share of the row.

    Args:
        counts: (C, C), index 0 is the true class.
        texts: ``caption``, and ``corner`` of the names.

    Raises:
        ValueError: there is not one name for each row and column, or a count is below 0.
    """
    if counts.shape != (len(names), len(names)) or (counts < 0).any():
        raise ValueError(f"{len(names)} names do not fit counts of shape {counts.shape}")
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(
            cell(int(counts[row, column]), float(shares[row, column]), row == column)
            for column in range(len(names))
        )
        + "</tr>"
        for row, name in enumerate(names)
    )
    corner = f'<th scope="col" aria-label="{escape(texts["corner"])}"></th>'
    return (
        f'<style>{STYLE}</style><table class="confusion">'
        f"<caption>{escape(texts['caption'])}</caption>"
        f"<thead><tr>{corner}{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def cell(count: int, share: float, is_right: bool) -> str:
    if not count:
        return '<td class="none">0</td>'
    shade = theme.ACCENT if is_right else theme.BAD
    # few mistakes have to be seen beside many right answers
    strength = WEAKEST + (STRONGEST - WEAKEST) * (share if is_right else share**0.5)
    return (
        f'<td style="background: color-mix(in srgb, {shade.css} {strength:.0f}%, '
        f'{theme.SURFACE.css})">{count}</td>'
    )
