"""Questions to answer before looking: asked of the live model, so that they never go stale."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple
from urllib.parse import urlencode

import streamlit as st

from explainer.components.verdict import show_verdict
from explainer.content import load_texts
from explainer.content.strangers_words import without_escapes
from explainer.shell.downloads import table_csv
from explainer.state import session
from explainer.state.link import encode
from explainer.state.place import Place

ANSWERS_KEY = "answers"
FRESH_KEY = "just-answered"
SIGN_OF_ZERO = re.compile(r"^[-−+](?=0(\.0+)?( %)?$)")


@dataclass(frozen=True)
class Question:
    """One question whose right answer was computed a moment ago.

    Attributes:
        name: of the question on its page, for the score.
        text: Markdown; may name what is chosen now.
        options: what can be answered, in the order shown.
        answer: index of the right option.
        why: one line of Markdown, shown after the answer, with the real numbers.

    Raises:
        ValueError: ``answer`` is the place of no option.
    """

    name: str
    text: str
    options: tuple[str, ...]
    answer: int
    why: str

    def __post_init__(self) -> None:
        if not 0 <= self.answer < len(self.options):
            raise ValueError(
                f"the answer to {self.name!r} is option {self.answer} of {len(self.options)}; "
                f"options count from 0"
            )


@dataclass(frozen=True)
class Answer:
    """The first answer that somebody gave to one question.

    Attributes:
        time: UTC, to the second.
        link: what the address says of the state that the question was about.
    """

    time: str
    view: str
    question: str
    given: str
    right: str
    link: str

    @property
    def is_right(self) -> bool:
        return self.given == self.right


class Score(NamedTuple):
    """How many questions of one page were answered, and how many of these rightly."""

    answered: int
    right: int


def askable(questions: Sequence[Question]) -> list[Question]:
    """Return the questions that can be asked: options that read the same become one.

    A model whose numbers all fall together may leave a question with a single option, which asks
    nothing.
    """
    distinct = []
    for question in questions:
        read: dict[str, str] = {}
        for option in question.options:
            read.setdefault(as_read(option), option)
        right = list(read).index(as_read(question.options[question.answer]))
        options = tuple(read.values())
        if len(options) > 1:
            distinct.append(replace(question, options=options, answer=right))
    return distinct


def as_read(text: str) -> str:
    """Return a shown number without the sign of a zero, which tells nobody anything."""
    return SIGN_OF_ZERO.sub("", text)


def compared(
    name: str,
    text: str,
    shown: Sequence[tuple[str, str]],
    answer: int,
    why: str,
    /,
    **words: object,
) -> Question:
    """Return a question for the option whose number stands out, by the numbers as they are shown.

    An option that shows the same number as the right one would look as right, so it is left out.
    With no other option left, nothing is asked (``askable``).

    Args:
        shown: each option and its number, as the answer shows them.
        answer: index of the right one.
        why: format of the line after the answer; ``{values}`` in it are the options' numbers.
        words: what else it names.
    """
    right = shown[answer]
    others = [one for one in shown if as_read(one[1]) != as_read(right[1])]
    kept = [one for one in shown if one is right or one in others]
    values = ", ".join(f"{option} {number}" for option, number in kept)
    options = tuple(option for option, _ in kept)
    return Question(name, text, options, kept.index(right), why.format(values=values, **words))


def fingerprint(view: str, question: Question) -> str:
    """Return a name for the question as it stands: other numbers make another question."""
    parts = (view, question.name, question.text, question.options, question.answer, question.why)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def answers() -> dict[str, Answer]:
    """Return the session's answers by the fingerprints of their questions, in order of time."""
    return st.session_state.setdefault(ANSWERS_KEY, {})


def scores() -> dict[str, Score]:
    """Return the score of each view on which a question was answered."""
    found: dict[str, Score] = {}
    for answer in answers().values():
        answered, right = found.get(answer.view, (0, 0))
        found[answer.view] = Score(answered + 1, right + answer.is_right)
    return found


def show(view: str, questions: Sequence[Question], place: Place) -> None:
    """Draw a page's questions, each open until it is answered."""
    texts, asked = load_texts("frame"), askable(questions)
    st.header(texts["questions_title"], anchor=False)
    st.markdown(texts["questions_lead"])
    for question in asked:
        name = fingerprint(view, question)
        with st.container(key=place.key(f"question-{name}"), border=True):
            if answer := answers().get(name):
                show_answer(name, question, answer, place)
            else:
                ask(view, name, question, place)


def ask(view: str, name: str, question: Question, place: Place) -> None:
    """Draw an open question."""
    texts, key = load_texts("frame"), place.key(f"answer-{name}")
    with st.form(place.key(f"form-{name}"), border=False, enter_to_submit=False):
        given = st.radio(question.text, question.options, index=None, key=key, horizontal=True)
        sent = st.form_submit_button(
            texts["answer"], on_click=partial(keep, view, name, question, key)
        )
    if sent and given is None:
        st.markdown(texts["choose_first"])


def keep(view: str, name: str, question: Question, key: str) -> None:
    """Keep the first answer to a question."""
    given = st.session_state.get(key)
    if given in question.options and name not in answers():
        answers()[name] = Answer(
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            view=view,
            question=question.text,
            given=given,
            right=question.options[question.answer],
            link=urlencode(encode(session.load())),
        )
        st.session_state[FRESH_KEY] = name


def show_answer(name: str, question: Question, answer: Answer, place: Place) -> None:
    """Draw an answered question: what was said, what is right, and why."""
    texts = load_texts("frame")
    st.markdown(question.text)
    sign, verdict = ("✓", texts["right"]) if answer.is_right else ("✗", texts["wrong"])
    fresh = st.session_state.get(FRESH_KEY) == name
    if fresh:
        del st.session_state[FRESH_KEY]
    show_verdict(
        f"{sign} {verdict}",
        right=answer.is_right,
        fresh=fresh,
        key=place.key(f"verdict-{name}"),
    )
    said = "said_right" if answer.is_right else "said_wrong"
    st.markdown(texts[said].format(given=answer.given, right=answer.right))
    st.markdown(question.why)


def as_csv(
    answers: Iterable[Answer], page_titles: Mapping[str, str], addresses: Mapping[str, str]
) -> str:
    """Return answers as a table with a header, in order of time.

    Args:
        page_titles, addresses: of each view.
    """
    texts = load_texts("frame")
    return table_csv(
        texts["csv_columns"],
        (
            (
                answer.time,
                page_titles[answer.view],
                # Markdown on the page, and letters in a table
                *map(without_escapes, (answer.question, answer.given, answer.right)),
                texts["csv_right" if answer.is_right else "csv_wrong"],
                f"{addresses[answer.view]}?{answer.link}".rstrip("?"),
            )
            for answer in answers
        ),
    )
