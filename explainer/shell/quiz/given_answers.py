"""The answers that a visitor gave in this session, their score, and their table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlencode

import streamlit as st

from explainer.content import load_texts
from explainer.shell.downloads import table_csv
from explainer.shell.quiz.questions import Question, bare
from explainer.state import session
from explainer.state.link import encode

ANSWERS_KEY = "answers"
FRESH_KEY = "just-answered"  # fingerprint of the question that the last click answered


@dataclass(frozen=True)
class Answer:
    """The first answer to one question.

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
    """How many questions of one page were answered, and how many of these correctly."""

    answered: int
    right: int


def answers() -> dict[str, Answer]:
    """Return the session's answers by the fingerprints of their questions, in order of time."""
    return st.session_state.setdefault(ANSWERS_KEY, {})


def scores() -> dict[str, Score]:
    """Return the score of each view on which a question was answered."""
    by_view: dict[str, Score] = {}
    for answer in answers().values():
        answered, right = by_view.get(answer.view, (0, 0))
        by_view[answer.view] = Score(answered + 1, right + answer.is_right)
    return by_view


def keep_answer(view: str, name: str, question: Question, key: str) -> None:
    """Keep the answer that the widget ``key`` has, unless the question already has one."""
    given = st.session_state.get(key)
    if given in question.options and answer_to(name, question) is None:
        right = question.options[question.answer]
        answers()[name] = answered_now(view, question.text, given, right)
        st.session_state[FRESH_KEY] = name


def answered_now(view: str, question: str, given: str, right: str) -> Answer:
    """Return an answer that was given just now, where the session is."""
    return Answer(
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        view=view,
        question=question,
        given=given,
        right=right,
        link=urlencode(encode(session.load())),
    )


def answer_to(name: str, question: Question) -> Answer | None:
    """Return the answer that the question has; a browser may have kept one that is no option."""
    answer = answers().get(name)
    return answer if answer and answer.given in question.options else None


def as_csv(
    answers: Iterable[Answer],
    page_titles: Mapping[str, str],
    addresses: Mapping[str, str],
    nickname: str = "",
) -> str:
    """Return answers as a table with a header, in order of time.

    Args:
        page_titles, addresses: title and address of each view's page.
        nickname: stands before each answer.
    """
    texts = load_texts("frame")
    return table_csv(
        texts["csv_columns"],
        (
            (
                str(nickname),
                answer.time,
                page_titles[answer.view],
                # these are Markdown on the page, and plain text in a table
                *map(bare, (answer.question, answer.given, answer.right)),
                texts["csv_right" if answer.is_right else "csv_wrong"],
                f"{addresses.get(answer.view, '')}?{answer.link}".rstrip("?"),
            )
            for answer in answers
        ),
    )
