"""What changes when attention heads are switched off: probabilities beside each other, effects."""

from collections.abc import Sequence
from html import escape

import numpy as np

from explainer.figures import pixels, theme
from explainer.figures.theme import DIVERGING

STYLE = f"""
.switched {{ width: min(100%, 50rem); border-collapse: collapse; font-size: 0.9375rem; }}
.switched caption, .effects caption {{ position: absolute; width: 1px; height: 1px;
  overflow: hidden; clip-path: inset(50%); }}
.switched th, .switched td {{ padding: 0.3125rem 0 0.3125rem 0.75rem; border: 0;
  border-bottom: 1px solid {theme.LINE.css}; text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }}
.switched th {{ font-weight: 400; }}
.switched thead th {{ color: {theme.MUTED.css}; }}
.switched tr > th:first-child {{ padding-left: 0; text-align: left; }}
.switched tbody th {{ font-weight: 600; white-space: normal;
  overflow-wrap: anywhere; }}
.switched .bars {{ width: 45%; }}
.switched i {{ display: block; height: 5px; margin: 2px 0; border-radius: 2px;
  background: {theme.MUTED.css}; }}
.switched i + i {{ background: {theme.ACCENT.css}; }}
.effects {{ border-collapse: separate; border-spacing: 2px; table-layout: fixed;
  width: min(100%, calc(4rem + var(--heads) * 5.5rem)); }}
.effects th, .effects td {{ padding: 0.5rem 0; border: 0; text-align: center;
  font-size: 0.875rem; font-variant-numeric: tabular-nums; white-space: nowrap; }}
.effects th {{ padding: 0.25rem 0; font-weight: 400; color: {theme.MUTED.css}; }}
.effects tr > th:first-child {{ width: 3.25rem; text-align: left; }}
.effects td {{ border-radius: 3px; }}
.effects td.chosen {{ box-shadow: 0 0 0 2px {theme.QUERY.css}; }}
.effects td.off {{ text-decoration: line-through; text-decoration-thickness: 2px; }}
.effects-box {{ overflow-x: auto; padding: 2px; }}
.effects {{ min-width: calc(3.5rem + var(--heads) * 3.75rem); }}
"""


def before_after(
    before: np.ndarray,
    after: np.ndarray,
    names: Sequence[str],
    texts: Sequence[tuple[str, str, str]],
    headings: tuple[str, str, str, str],
    caption: str,
) -> str:
    """Return the probabilities of all classes twice: a grey bar before, a coloured one after.

    Args:
        before, after: (C,) probabilities.
        texts: of each class, before, after and the change.
        headings: class, before, after, change.
        caption: for screen readers.

    Raises:
        ValueError: a probability is not finite.
    """
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        raise ValueError("probabilities must be finite numbers")
    name, *others = headings
    head = f'<th scope="col">{escape(name)}</th><td></td>' + "".join(
        f'<th scope="col">{escape(other)}</th>' for other in others
    )
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}</th><td class="bars">'
        f'<i style="width:max(1px,{100 * old:.2f}%)"></i>'
        f'<i style="width:max(1px,{100 * new:.2f}%)"></i></td>'
        + "".join(f"<td>{escape(text)}</td>" for text in row)
        + "</tr>"
        for label, old, new, row in zip(names, before.tolist(), after.tolist(), texts, strict=True)
    )
    return (
        f'<style>{STYLE}</style><table class="switched"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def effects(
    changes: np.ndarray,
    texts: Sequence[Sequence[str]],
    names: tuple[Sequence[str], Sequence[str]],
    chosen: tuple[int, int],
    off: frozenset[tuple[int, int]],
    caption: str,
    limit: float | None = None,
) -> str:
    """Return a signed number for each head, a row for each block, coloured by sign and size.

    Args:
        changes: (depth, heads).
        texts: what stands in each cell.
        names: of the blocks and of the heads.
        chosen: block and head, framed.
        off: blocks and heads that are struck through.
        caption: for screen readers.
        limit: the size with the full colour; the largest one if None.

    Raises:
        ValueError: a change is not finite.
    """
    limit = float(np.abs(changes).max() if limit is None else limit) or 1.0
    indices = pixels.shades(changes, -limit, limit)
    colours = pixels.palette(DIVERGING)
    blocks, heads = names
    head = "<th></th>" + "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    rows = []
    for block, name in enumerate(blocks):
        cells = []
        for head_index in range(len(heads)):
            colour = colours[indices[block, head_index]]
            background = ",".join(map(str, colour))
            marks = [
                mark
                for mark, here in (
                    ("chosen", (block, head_index) == chosen),
                    ("off", (block, head_index) in off),
                )
                if here
            ]
            cells.append(
                f'<td class="{" ".join(marks)}" style="background:rgb({background});'
                f'color:{ink(colour)}">{escape(texts[block][head_index])}</td>'
            )
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>')
    return (
        f'<style>{STYLE}</style><div class="effects-box" role="region" tabindex="0" '
        f'aria-label="{escape(caption)}"><table class="effects" style="--heads:{len(heads)}">'
        f"<caption>{escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def ink(colour: np.ndarray) -> str:
    """Return black or white, whichever stands out more from ``colour``, (3,) uint8."""
    channels = colour / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return "#000" if linear @ (0.2126, 0.7152, 0.0722) > 0.179 else "#fff"
