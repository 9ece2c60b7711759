"""The quiz of a page: each question is open until one of its options is clicked."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial

import streamlit as st

from explainer.components.verdict import show_verdict
from explainer.content import load_texts
from explainer.content.term_links import without_links
from explainer.shell.quiz.given_answers import (
    ANSWERS_KEY,
    FRESH_KEY,
    Answer,
    Score,
    answer_to,
    answers,
    as_csv,
    keep_answer,
    scores,
)
from explainer.shell.quiz.kept import keep_heard, nickname, show_kept, sync
from explainer.shell.quiz.questions import Question, askable, bare, by_part, compared, fingerprint
from explainer.state.place import Place

__all__ = [
    "ANSWERS_KEY",
    "Answer",
    "Question",
    "Score",
    "answers",
    "as_csv",
    "askable",
    "by_part",
    "compared",
    "fingerprint",
    "keep_heard",
    "nickname",
    "scores",
    "show",
    "show_kept",
    "show_question",
    "sync",
]


def show(view: str, questions: Sequence[Question], place: Place) -> None:
    """Draw the questions at the end of a page, if it has any there."""
    if not questions:
        return
    texts = load_texts("frame")
    st.header(texts["questions_title"], anchor=False)
    st.markdown(texts["questions_lead"])
    for question in askable(questions):
        show_question(view, question, place)


def show_question(view: str, question: Question, place: Place, remark: str = "") -> None:
    """Draw one question: open, or with the answer that was given to it.

    Args:
        remark: a sentence that stands behind the question in small letters.
    """
    name = fingerprint(view, question)
    with st.container(key=place.key(f"question-{name}"), border=True, gap="small"):
        st.markdown(f"{question.text} :small[{remark}]" if remark else question.text)
        if answer := answer_to(name, question):
            show_answer(name, question, answer, place)
        else:
            ask(view, name, question, place)


def ask(view: str, name: str, question: Question, place: Place) -> None:
    """Draw the options of an open question; a click on one is the answer."""
    key = place.key(f"answer-{name}")
    st.pills(
        # what a screen reader calls the options: Markdown, in which strangers' words stay escaped
        without_links(question.text).replace("**", ""),
        question.options,
        key=key,
        on_change=partial(keep_answer, view, name, question, key),
        label_visibility="collapsed",
    )


def show_answer(name: str, question: Question, answer: Answer, place: Place) -> None:
    """Draw all options of an answered question, what was chosen, what is right, and why."""
    texts = load_texts("frame")
    right = question.options[question.answer]
    fresh = st.session_state.get(FRESH_KEY) == name
    if fresh:
        del st.session_state[FRESH_KEY]
    is_right = answer.given == right
    show_verdict(
        [(bare(option), state_of(option, answer.given, right)) for option in question.options],
        texts["answered"],
        show_me=[] if is_right else places_of(question, place),
        fresh=fresh,
        keep=(name, asdict(answer)) if fresh else None,
        key=place.key(f"verdict-{name}"),
    )
    verdict = texts["right_line" if is_right else "wrong_line"]
    st.markdown(verdict.format(why=question.why))


def state_of(option: str, given: str, right: str) -> str:
    """Return what became of an option, as the texts name it."""
    if option == right:
        return "chosen_right" if option == given else "right"
    return "chosen_wrong" if option == given else "other"


def places_of(question: Question, place: Place) -> list[str]:
    """Return the keys under which a page may have what shows the answer, the likeliest first."""
    shows, part = question.shows, question.part
    keys = [f"fold-{shows}", f"part-{shows}", shows] if shows else []
    return [place.key(key) for key in (*keys, *([f"part-{part}"] if part else []))]
