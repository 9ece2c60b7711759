"""Answers that outlive a session: the browser keeps them, and hands them to the next session.

What a browser hands over may be anything. It is read as data, within limits, and what is not an
answer is left out.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict
from uuid import uuid4

import streamlit as st

from explainer.components.answers import keep_in_browser
from explainer.content import load_texts
from explainer.content.strangers_words import strangers_word
from explainer.shell import routes
from explainer.shell.quiz.given_answers import Answer, answered_now, answers

SESSION_KEY = "answers-session"  # names this session to the browser
FORGOTTEN_KEY = "answers-forgotten"  # how often everything was forgotten
NICKNAME_KEY = "nickname"  # there once somebody has one, or has deleted it
CHANGED_KEY = "answers-changed"  # the browser is still to hear of a change
RECENT = 5  # answers that the browser is told again, in case that a run was cut short
MOST = 300  # answers of one browser
LONGEST_STORE = 400_000  # characters
LONGEST_NICKNAME = 40
LONGEST = {"question": 800, "given": 300, "right": 300, "link": 2_000}
NAME = re.compile(r"[0-9a-f]{16}")
TIME = re.compile(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d\+00:00", re.ASCII)
LINK = re.compile(r"[\w%=&.+~-]*", re.ASCII)
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")  # categories of characters that no answer has


def sync() -> None:
    """Let the browser keep the answers of this session, and take over those that it has."""
    kept = answers()
    keep_in_browser(
        st.session_state.setdefault(SESSION_KEY, uuid4().hex),
        st.session_state.setdefault(FORGOTTEN_KEY, 0),
        st.session_state.get(NICKNAME_KEY),
        [(name, asdict(kept[name])) for name in list(kept)[-RECENT:]],
        restore,
    )


def nickname() -> str:
    """Return what the visitor wants to be called in the table of answers; empty for nothing."""
    return st.session_state.get(NICKNAME_KEY, "")


def restore(stored: object) -> None:
    """Take over what a browser has kept, before what was answered in this session."""
    kept, name = read_stored(stored)
    now = answers()
    both = kept | {key: answer for key, answer in now.items() if key not in kept}
    now.clear()
    now.update(list(both.items())[-MOST:])
    if name:
        st.session_state.setdefault(NICKNAME_KEY, name)


def read_stored(stored: object) -> tuple[dict[str, Answer], str]:
    """Return the answers and the nickname in a text of JSON; what is wrong in it is left out."""
    try:
        if not isinstance(stored, str) or len(stored) > LONGEST_STORE:
            return {}, ""
        found = json.loads(stored)
    except (ValueError, RecursionError):
        return {}, ""
    if not isinstance(found, dict):
        return {}, ""
    pairs = found.get("answers")
    read: dict[str, Answer] = {}
    for pair in pairs[-MOST:] if isinstance(pairs, list) else ():
        if isinstance(pair, list) and len(pair) == 2 and (answer := read_answer(pair[1])):
            name = pair[0]
            if isinstance(name, str) and NAME.fullmatch(name):
                read.setdefault(name, answer)
    return read, as_nickname(found.get("nickname"))


def read_answer(record: object) -> Answer | None:
    """Return an answer as a browser keeps it; None for anything else."""
    if not isinstance(record, Mapping) or record.keys() != Answer.__dataclass_fields__.keys():
        return None
    if not all(isinstance(value, str) for value in record.values()):
        return None
    if any(len(record[field]) > longest for field, longest in LONGEST.items()):
        return None
    is_known = record["view"] in routes.VIEWS and TIME.fullmatch(record["time"])
    if not is_known or not LINK.fullmatch(record["link"]):
        return None
    texts = record["question"] + record["given"] + record["right"]
    if any(unicodedata.category(sign) in UNSEEN and sign != "\n" for sign in texts):
        return None
    return Answer(**record)


def keep_heard(view: str, heard: object) -> None:
    """Keep an answer that was given in the browser, to a question that the server has not asked.

    Args:
        heard: ``question``, ``given`` and ``right``, as the browser sent them, and ``name`` and
            ``about``, which together name the question.
    """
    if not isinstance(heard, Mapping):
        return
    told = {field: heard.get(field) for field in ("question", "given", "right")}
    texts = {field: text for field, text in told.items() if isinstance(text, str)}
    if len(texts) < len(told):
        return
    answer = answered_now(view, **texts)
    if read_answer(asdict(answer)):
        asked = (view, heard.get("name"), heard.get("about"), texts["question"], texts["right"])
        answers().setdefault(hashlib.sha256(repr(asked).encode()).hexdigest()[:16], answer)


def as_nickname(text: object) -> str:
    return strangers_word(text, LONGEST_NICKNAME) if isinstance(text, str) else ""


def forget() -> None:
    """Forget all answers and the nickname, here and in the browser."""
    answers().clear()
    st.session_state[NICKNAME_KEY] = ""
    st.session_state[FORGOTTEN_KEY] = st.session_state.get(FORGOTTEN_KEY, 0) + 1
    st.session_state[CHANGED_KEY] = True


def rename(key: str) -> None:
    """Take the nickname that the widget ``key`` has."""
    st.session_state[NICKNAME_KEY] = as_nickname(st.session_state[key])
    st.session_state[CHANGED_KEY] = True


def show_kept() -> None:
    """Offer a nickname for the table of answers, and to forget everything."""
    if st.session_state.pop(CHANGED_KEY, False):
        st.rerun()  # of the whole page, as ``sync`` stands outside of its parts
    texts, key = load_texts("frame")["kept"], "nickname-field"
    st.session_state[key] = nickname()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            texts["nickname"],
            key=key,
            max_chars=LONGEST_NICKNAME,
            help=texts["nickname_help"],
            on_change=rename,
            args=(key,),
            width=260,
        )
        with st.popover(texts["forget"], disabled=not answers() and not nickname()):
            st.markdown(texts["forget_text"].format(count=len(answers())))
            st.button(texts["forget_all"], key="forget-answers", on_click=forget)
    st.markdown(texts["where"])
