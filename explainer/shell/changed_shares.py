"""Probabilities before and after a change, as bars with their numbers."""

from collections.abc import Sequence

import numpy as np

from explainer.content.numbers import points, precise_percent
from explainer.figures.switched import before_after
from explainer.shell.shown import show_html


def show_changed_shares(
    before: np.ndarray,
    after: np.ndarray,
    names: Sequence[str],
    headings: tuple[str, str, str, str],
    *,
    name: str,
    title: str,
) -> None:
    """Draw a row for each class: both bars, both probabilities, and the change in points.

    Args:
        before, after: (C,) probabilities.
        headings: class, before, after, change.
        name: of the picture, unlike all others of its part.
        title: of the table for screen readers, and of a saved picture.

    Raises:
        ValueError: a probability is not finite.
    """
    texts = [
        (precise_percent(old), precise_percent(new), points(new - old))
        for old, new in zip(before.tolist(), after.tolist(), strict=True)
    ]
    show_html(before_after(before, after, names, texts, headings, title), name, title)
