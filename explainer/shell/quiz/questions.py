"""Questions about the live model: their right answers are computed, so they never go stale."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from explainer.content.strangers_words import without_escapes
from explainer.content.term_links import without_links

SIGN_OF_ZERO = re.compile(r"^[-−+](?=0(\.0+)?( %)?$)")


@dataclass(frozen=True)
class Question:
    """One question whose right answer was computed a moment ago.

    Attributes:
        name: names the question on its page; part of its fingerprint.
        text: Markdown; may name what is chosen now.
        options: what can be answered, in the order shown.
        answer: index of the right option.
        why: one line of Markdown, shown after the answer, with the real numbers.
        part: of the page at whose top it is asked; empty for the end of the page.
        shows: where "Show me" leads after a wrong answer: a part, a fold, or the key of a
            container or component; empty for the picture of its own part.

    Raises:
        ValueError: ``answer`` is not the index of an option.
    """

    name: str
    text: str
    options: tuple[str, ...]
    answer: int
    why: str
    part: str = ""
    shows: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.answer < len(self.options):
            raise ValueError(
                f"the answer to {self.name!r} is option {self.answer} of {len(self.options)}; "
                f"options count from 0"
            )


def askable(questions: Sequence[Question]) -> list[Question]:
    """Return the questions that can be asked; options that read the same become one.

    If all numbers of a model are equal, a question may be left with a single option. Such a
    question is not asked.
    """
    asked = []
    for question in questions:
        option_by_reading: dict[str, str] = {}
        for option in question.options:
            option_by_reading.setdefault(as_read(option), option)
        right = list(option_by_reading).index(as_read(question.options[question.answer]))
        options = tuple(option_by_reading.values())
        if len(options) > 1:
            asked.append(replace(question, options=options, answer=right))
    return asked


def by_part(
    questions: Sequence[Question], parts: Sequence[str]
) -> tuple[dict[str, Question], list[Question]]:
    """Return the question of each part, and those that are asked at the end of the page.

    A part has one question: more of them, and those of parts that the page does not have now, are
    asked at the end.

    Args:
        parts: of the page, as it is drawn now.
    """
    placed: dict[str, Question] = {}
    rest = []
    for question in askable(questions):
        if question.part in parts and question.part not in placed:
            placed[question.part] = question
        else:
            rest.append(question)
    return placed, rest


def as_read(text: str) -> str:
    """Return a shown number without the sign of a zero: −0.00 reads as 0.00."""
    return SIGN_OF_ZERO.sub("", text)


def compared(
    name: str,
    text: str,
    shown: Sequence[tuple[str, str]],
    answer: int,
    why: str,
    /,
    part: str = "",
    shows: str = "",
    **values_by_name: object,
) -> Question:
    """Return a question whose options have numbers, such as which class has the largest one.

    An option that shows the same number as the right one would look just as right, so it is left
    out. If no other option is left, the question is not asked (see ``askable``).

    Args:
        shown: each option and its number, as the answer shows them.
        answer: index of the right one.
        why: format of the line after the answer; ``{values}`` in it are the options' numbers.
        part, shows: as ``Question`` has them.
        values_by_name: what else the format names.
    """
    right = shown[answer]
    distinct = [pair for pair in shown if pair is right or as_read(pair[1]) != as_read(right[1])]
    values = ", ".join(f"{option} ({number})" for option, number in distinct)
    options = tuple(option for option, _ in distinct)
    line = why.format(values=values, **values_by_name)
    return Question(name, text, options, distinct.index(right), line, part, shows)


def bare(markdown: str) -> str:
    """Return a question or an option without emphasis and links, to be no markup."""
    return without_escapes(without_links(markdown).replace("**", ""))


def fingerprint(view: str, question: Question) -> str:
    """Return a name for the question as it stands: other numbers make another question."""
    told = (view, question.name, question.text, question.options, question.answer, question.why)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]
