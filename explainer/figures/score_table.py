"""Numbers of several methods in a table: a row for each, and two lines of words over a column."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from explainer.figures import theme

STYLE = f"""
.scores-box {{ overflow-x: auto; padding: 2px; }}
.scores {{ border-collapse: collapse; font-size: 0.9375rem; font-variant-numeric: tabular-nums; }}
.scores caption {{ position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); }}
.scores th, .scores td {{ padding: 0.3125rem 0.875rem; border: 0;
  border-bottom: 1px solid {theme.LINE.css}; text-align: right; white-space: nowrap; }}
.scores th {{ font-weight: 400; }}
.scores thead th {{ color: {theme.MUTED.css}; font-size: 0.8125rem; line-height: 1.3;
  vertical-align: bottom; }}
.scores thead b {{ display: block; color: {theme.TEXT.css}; font-weight: 600; }}
.scores tr > th:first-child {{ position: sticky; left: 0; padding-left: 0; text-align: left;
  background: {theme.BACKGROUND.css}; }}
.scores td.strong {{ font-weight: 700; }}
.scores tr.apart > * {{ border-top: 2px solid {theme.MUTED.css}; }}
"""


@dataclass(frozen=True)
class ScoreCell:
    text: str
    is_strong: bool = False


def score_table(
    columns: Sequence[tuple[str, str]],
    rows: Sequence[tuple[str, Sequence[ScoreCell]]],
    *,
    corner: str,
    caption: str,
    apart: int = 0,
) -> str:
    """Return the table.

    Args:
        columns: two lines of each column's head.
        corner: what the rows are.
        caption: for screen readers.
        apart: so many rows at the end stand apart.

    Raises:
        ValueError: a row has not one cell for each column.
    """
    if any(len(cells) != len(columns) for _, cells in rows):
        raise ValueError(f"each row needs {len(columns)} cells")
    head = "".join(
        f'<th scope="col"><b>{escape(top)}</b> {escape(below)}</th>' for top, below in columns
    )
    body = "".join(
        f"<tr{' class=apart' if apart and index == len(rows) - apart else ''}>"
        f'<th scope="row">{escape(name)}</th>'
        + "".join(
            f"<td{' class=strong' if cell.is_strong else ''}>{escape(cell.text)}</td>"
            for cell in cells
        )
        + "</tr>"
        for index, (name, cells) in enumerate(rows)
    )
    return (
        f'<style>{STYLE}</style><div class="scores-box" role="region" tabindex="0" '
        f'aria-label="{escape(caption)}"><table class="scores"><caption>{escape(caption)}</caption>'
        f'<thead><tr><th scope="col">{escape(corner)}</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
