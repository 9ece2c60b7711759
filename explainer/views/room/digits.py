"""The digits that a class draws: a pad for each pupil, and what a model says of all of them."""

import hashlib
from dataclasses import replace

import numpy as np
import streamlit as st

from explainer import training
from explainer.classroom import ClassroomError, the_classrooms
from explainer.classroom.snapshot import DRAWINGS_OF_ONE, Drawing
from explainer.components.class_pad import class_pad
from explainer.content import load_texts
from explainer.content.numbers import percent
from explainer.content.strangers_words import in_markdown
from explainer.figures.confusion import confusion
from explainer.figures.pixels import image_address
from explainer.figures.strip import Answer, strip
from explainer.observation import class_digits
from explainer.observation.class_digits import ClassAnswers
from explainer.observation.naming import model_line
from explainer.shell.classroom import Membership
from explainer.shell.notes import note
from explainer.state.choice import Choice, read_saved, saved
from explainer.training import visitor

TEXTS = load_texts("room_digits")
PACE = 2.0  # seconds between two looks at what was drawn
SHOWN = 24  # drawings
COLUMNS = 8
STEP = 3  # from one digit of a pupil to the next, so that all digits are drawn


def show_pad(member: Membership) -> None:
    """Draw a pupil's pad, which appears when the teacher asks for drawings."""
    texts, secret = TEXTS["pupil"], visitor.current()
    try:
        pupil = the_classrooms().member(member.code, secret).pupil
        sent = sum(one.pupil == pupil for one in the_classrooms().drawings(member.code))
    except ClassroomError:
        return  # it has ended; the page says so
    st.header(texts["title"], anchor=False)
    class_pad(
        key=f"class-pad-{member.code}",
        ticket=member.ticket,
        address=member.address,
        digits=digits_of(secret, member.code),
        sent=sent,
        texts={**texts, "pad": load_texts("picker")["pad"]},
    )


def digits_of(secret: str, code: str) -> list[int]:
    """Return which digits a pupil draws; over a class, every digit is as frequent."""
    start = hashlib.sha256(f"{code} {secret}".encode()).digest()[0]
    return [(start + STEP * number) % 10 for number in range(DRAWINGS_OF_ONE)]


def show_digits(member: Membership, choice: Choice) -> None:
    """Draw for the teacher what the class has drawn, and what the page's model says of it."""
    st.header(TEXTS["title"], anchor=False)
    try:
        is_open = the_classrooms().seen(member.code).digits_open
    except ClassroomError:
        return  # it has ended; the page says so
    key = f"class-digits-{member.code}"
    st.session_state[key] = is_open
    st.toggle(
        TEXTS["open"],
        key=key,
        help=TEXTS["open_help"].format(most=DRAWINGS_OF_ONE),
        on_change=allow,
        args=(member.code, key),
    )
    if not class_digits.reads_digits(choice):
        st.markdown(TEXTS["unfit"])
        return
    st.fragment(show_answers, run_every=PACE if is_open else None)(member.code, choice)


def allow(code: str, key: str) -> None:
    """Let the class draw, or not any more."""
    try:
        the_classrooms().steer(code, visitor.current(), digits_open=bool(st.session_state[key]))
    except ClassroomError as error:
        st.error(in_markdown(str(error)))


def show_answers(code: str, choice: Choice) -> None:
    """Draw the newest drawings with the model's answers, the score, and the table of mistakes."""
    try:
        drawn = the_classrooms().drawings(code)
    except ClassroomError:
        return
    if not drawn:
        st.markdown(TEXTS["none"].format(most=DRAWINGS_OF_ONE))
        return
    choice = newest(choice)
    found = class_digits.ask(choice, [(one.pixels, one.label) for one in drawn])
    st.markdown(f"### {TEXTS['score'].format(right=found.right, count=len(drawn))}")
    st.html(strip_of(drawn, found))
    said = [TEXTS["model"].format(model=in_markdown(model_line(choice)))]
    if len(drawn) > SHOWN:
        said.append(TEXTS["latest"].format(shown=SHOWN, count=len(drawn)))
    if worst := found.worst():
        drew, read, times = worst
        said.append(TEXTS["worst"].format(drawn=drew, read=read, times=times))
    st.markdown(" ".join(said))
    with st.expander(TEXTS["confusions"]):
        names = [str(digit) for digit in range(class_digits.CLASSES)]
        texts = {"caption": TEXTS["table_caption"], "corner": TEXTS["table_corner"]}
        st.html(confusion(found.counts, names, texts))
    note(TEXTS["note"])


def newest(choice: Choice) -> Choice:
    """Return the choice with the newest saved epoch, if its model is a run that still learns."""
    run_id = (read_saved(choice.source) or ("", 0))[0]
    run = training.the_manager().find(run_id) if run_id else None
    if run is None or not run.is_active or not (epochs := run.history.epochs()):
        return choice
    return replace(choice, source=saved(run_id, epochs[-1]))


def strip_of(drawn: list[Drawing], found: ClassAnswers) -> str:
    """Return the newest drawings, the last one first, with the model's answers."""
    order = range(len(drawn) - 1, max(-1, len(drawn) - 1 - SHOWN), -1)
    answers = [
        Answer(
            picture=image_address(picture_of(drawn[at].pixels)),
            truth=str(drawn[at].label),
            predicted=str(int(found.answers[at])),
            share=percent(float(found.shares[at])),
        )
        for at in order
    ]
    return strip(answers, TEXTS["strip"], columns=COLUMNS, marked=True)


def picture_of(pixels: bytes) -> np.ndarray:
    side = class_digits.SIDE
    return np.frombuffer(pixels, np.uint8).reshape(side, side)
