"""The quiz of a page: each question is open until it is answered."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from explainer.components.verdict import show_verdict
from explainer.content import load_texts
from explainer.shell.quiz.given_answers import (
    ANSWERS_KEY,
    FRESH_KEY,
    Answer,
    Score,
    answers,
    as_csv,
    keep_answer,
    scores,
)
from explainer.shell.quiz.questions import Question, askable, compared, fingerprint
from explainer.state.place import Place

__all__ = [
    "ANSWERS_KEY",
    "Answer",
    "Question",
    "Score",
    "answers",
    "as_csv",
    "askable",
    "compared",
    "fingerprint",
    "scores",
    "show",
]


def show(view: str, questions: Sequence[Question], place: Place) -> None:
    """Draw a page's questions and the answers that were given."""
    texts = load_texts("frame")
    st.header(texts["questions_title"], anchor=False)
    st.markdown(texts["questions_lead"])
    for question in askable(questions):
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
            texts["answer"], on_click=partial(keep_answer, view, name, question, key)
        )
    if sent and given is None:
        st.markdown(texts["choose_first"])


def show_answer(name: str, question: Question, answer: Answer, place: Place) -> None:
    """Draw an answered question: the answer given, the right one, and why it is right."""
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
    verdict_text = texts["said_right" if answer.is_right else "said_wrong"]
    st.markdown(verdict_text.format(given=answer.given, right=answer.right))
    st.markdown(question.why)
