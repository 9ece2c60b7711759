"""Which class is taken for which: counts in a table, shaded."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from explainer.figures import theme

# per cent of the colour behind a share; on the strongest, text can still be read
WEAKEST, STRONGEST = 12, 42
SHORT = 3  # letters of a name that has room above a column
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
.confusion.long thead th {{ height: auto; vertical-align: bottom; }}
.confusion.long thead span {{ display: inline-block; max-height: 7rem; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; writing-mode: vertical-rl;
  transform: rotate(180deg); }}
.confusion.long th:first-child {{ width: 28%; padding-right: 0.5rem; overflow: hidden;
  text-align: right; text-overflow: ellipsis; white-space: nowrap; }}
"""


def confusion(
    counts: np.ndarray,
    names: Sequence[str],
    texts: Mapping[str, str],
    *,
    is_pressable: bool = False,
) -> str:
    """Return a table of how often each class was taken for each: rows true, columns predicted.

    What is right is shaded in the accent's colour, what is wrong in that of mistakes, each by its
    share of the row.

    Args:
        counts: (C, C), index 0 is the true class.
        texts: ``caption``, and ``corner`` of the names; ``cell`` and ``cell_right`` of what can be
            pressed, in which {truth}, {answer} and {count} stand.
        is_pressable: whether a button stands in each cell that is not 0.

    Raises:
        ValueError: there is not one name for each row and column, or a count is below 0.
    """
    if counts.shape != (len(names), len(names)) or (counts < 0).any():
        raise ValueError(f"{len(names)} names do not fit counts of shape {counts.shape}")
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    is_long = any(len(name) > SHORT for name in names)
    head = "".join(f'<th scope="col"><span>{escape(name)}</span></th>' for name in names)

    def content(row: int, column: int) -> str:
        count = int(counts[row, column])
        if not is_pressable:
            return str(count)
        name = texts["cell_right" if row == column else "cell"].format(
            truth=str(names[row]), answer=str(names[column]), count=f"{count:,}"
        )
        return (
            f'<button type="button" data-cell="{row}.{column}" aria-label="{escape(name)}">'
            f"{count:,}</button>"
        )

    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(
            cell(content(row, column), counts[row, column] > 0, shares[row, column], row == column)
            for column in range(len(names))
        )
        + "</tr>"
        for row, name in enumerate(names)
    )
    corner = f'<th scope="col" aria-label="{escape(texts["corner"])}"></th>'
    return (
        f'<style>{STYLE}</style><table class="confusion{" long" if is_long else ""}">'
        f"<caption>{escape(texts['caption'])}</caption>"
        f"<thead><tr>{corner}{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def cell(content: str, is_there: bool, share: float, is_right: bool) -> str:
    if not is_there:
        return '<td class="none">0</td>'
    shade = theme.ACCENT if is_right else theme.BAD
    # few mistakes have to be seen beside many right answers
    strength = WEAKEST + (STRONGEST - WEAKEST) * (share if is_right else share**0.5)
    return (
        f'<td style="background: color-mix(in srgb, {shade.css} {strength:.0f}%, '
        f'{theme.SURFACE.css})">{content}</td>'
    )
