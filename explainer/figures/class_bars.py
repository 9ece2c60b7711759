"""The probability of each class as bars, in HTML."""

from collections.abc import Sequence
from html import escape

import numpy as np

from explainer.figures import theme

MOST_LETTERS = 18  # of a name beside its bar
STYLE = f"""
.class-bars {{ width: min(100%, 40rem); border-collapse: collapse; font-size: 0.9375rem; }}
.class-bars caption {{ position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); }}
.class-bars th, .class-bars td {{ padding: 0.1875rem 0.5rem; border: 0; text-align: left;
  font-variant-numeric: tabular-nums; white-space: nowrap; }}
.class-bars th {{ width: 1%; padding-left: 0; font-weight: 600; text-align: right; }}
.class-bars td:last-child {{ width: 8.5rem; padding-right: 0; }}
.class-bars i {{ display: block; height: 1rem; border-radius: 3px;
  background: {theme.MUTED.css}; }}
.class-bars .best i {{ background: {theme.ACCENT.css}; }}
.class-bars b {{ color: {theme.GOOD.css}; }}
@media (max-width: 30rem) {{ .class-bars td:last-child {{ width: 6.5rem; }} }}
"""


def class_bars(
    values: np.ndarray,
    names: Sequence[str],
    truth: int | None,
    texts: Sequence[str],
    true_class: str,
    caption: str,
) -> str:
    """Return horizontal bars over 0..1, the first class on top.

    The most probable class has the accent colour; the true one, where it is known, has a tick
    beside its bar.

    Args:
        values: (C,) probabilities.
        names: of the classes.
        texts: what stands beside each bar.
        true_class: what the tick means, for screen readers.
        caption: for screen readers.

    Raises:
        ValueError: a value is not finite.
    """
    if not np.isfinite(values).all():
        raise ValueError("probabilities must be finite numbers")
    best, tick = int(values.argmax()), f' <b role="img" aria-label="{escape(true_class)}">✓</b>'
    rows = "".join(
        f"<tr{' class=best' if index == best else ''}>"
        f'<th scope="row" title="{escape(name)}">{escape(shortened(name))}</th>'
        f'<td><i style="width:max(1px,{100 * value:.2f}%)"></i></td>'
        f"<td>{escape(text)}{tick if index == truth else ''}</td></tr>"
        for index, (name, value, text) in enumerate(zip(names, values.tolist(), texts, strict=True))
    )
    return (
        f'<style>{STYLE}</style><table class="class-bars"><caption>{escape(caption)}</caption>'
        f"<tbody>{rows}</tbody></table>"
    )


def shortened(name: str) -> str:
    """Return as much of a name as leaves the bars their place; pointing at it shows it all."""
    return name if len(name) <= MOST_LETTERS else name[: MOST_LETTERS - 1].rstrip() + "…"
