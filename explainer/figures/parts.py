"""How many learned numbers each part of a model has, as a table with bars."""

from collections.abc import Mapping
from html import escape

from explainer.figures import theme

STYLE = f"""
.parts {{ width: 100%; border-collapse: collapse; font-size: 1rem; }}
.parts caption {{ position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); }}
.parts th, .parts td {{ padding: 0.5rem 0 0.5rem 0.75rem; border: 0;
  border-bottom: 1px solid {theme.LINE.css}; text-align: right; vertical-align: baseline;
  white-space: nowrap; font-variant-numeric: tabular-nums; }}
.parts th:first-child {{ padding-left: 0; text-align: left; font-weight: 400;
  white-space: normal; }}
.parts thead th, .parts thead th:first-child {{ padding-top: 0; font-size: 0.9375rem;
  font-weight: 400; color: {theme.MUTED.css}; }}
.parts i {{ display: block; height: 3px; margin-top: 0.25rem; border-radius: 2px;
  background: {theme.ACCENT.css}; }}
"""


def parts_table(
    counts: Mapping[str, int], names: Mapping[str, str], headings: tuple[str, str, str], about: str
) -> str:
    """Return a table of all parts that have learned numbers, with each one's share of them all.

    Args:
        counts: part → learned numbers.
        names: part → what people call it.
        headings: of the three columns.
        about: the table's caption, for screen readers.
    """
    total = sum(counts.values())
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    rows = "".join(
        f'<tr><th scope="row">{escape(names[part])}'
        f'<i style="width:max(2px,{100 * count / total:.2f}%)"></i></th>'
        f"<td>{count:,}</td><td>{share(count / total)}</td></tr>"
        for part, count in counts.items()
        if count
    )
    return (
        f"<style>{STYLE}</style><table class='parts'><caption>{escape(about)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def share(part: float) -> str:
    return f"{100 * part:.1f} %" if part >= 0.0005 else "< 0.1 %"
