"""Questions to answer before looking: asked of the live model, so that they never go stale."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """One question whose right answer was computed a moment ago.

    Attributes:
        name: of the question on its page, for the score.
        text: Markdown; may name what is chosen now.
        options: what can be answered, in the order shown.
        answer: index of the right option.
        why: one line of Markdown, shown after the answer, with the real numbers.
    """

    name: str
    text: str
    options: tuple[str, ...]
    answer: int
    why: str
