"""How a visitor comes into a class: opens one, or joins one with six letters."""

from contextlib import suppress

import streamlit as st

from explainer.classroom import ClassroomError, has_lines, the_classrooms
from explainer.classroom.codes import clean_code
from explainer.content import load_texts
from explainer.content.strangers_words import in_markdown
from explainer.shell import routes
from explainer.shell.classroom import JOINED_KEY, Membership
from explainer.state import session
from explainer.training import visitor
from explainer.views.room.digits import show_pad

TEXTS = load_texts("room_page")
LONGEST_CODE = 20  # characters that are typed: six letters, with spaces and dashes
LONGEST_NICKNAME = 24


def show_doors(code: str) -> None:
    """Draw both doors beside each other.

    Args:
        code: of the class that the link names; its visitors come to join, and see that door first.
    """
    visitor.recover()
    first, second = st.columns(2, gap="large")
    with first:
        show_join(code)
    with second:
        show_open()


def show_join(code: str) -> None:
    texts = TEXTS["join"]
    with st.form("classroom-join", enter_to_submit=True):
        st.header(texts["title"], anchor=False)
        typed = st.text_input(
            texts["code"],
            value=code,
            max_chars=LONGEST_CODE,
            help=texts["code_help"],
            autocomplete="off",
            key=f"classroom-code-{code}",
        )
        nickname = st.text_input(
            texts["nickname"],
            max_chars=LONGEST_NICKNAME,
            help=texts["nickname_help"],
            autocomplete="nickname",
            key="classroom-nickname",
        )
        is_sent = st.form_submit_button(texts["button"], type="primary", width="stretch")
        st.markdown(texts["kept"])
        if is_sent:
            join(typed, nickname)


def join(typed: str, nickname: str) -> None:
    """Join the class with these letters and turn to the story, or say why not."""
    texts = TEXTS["join"]
    code = clean_code(typed)
    if not code:
        st.error(texts["no_code"])
        return
    secret = visitor.current()
    try:
        classrooms = the_classrooms()
        if not classrooms.find(code, secret, visitor.address()):
            st.error(texts["unknown"].format(code=code))
            return
        classrooms.join(code, secret, nickname)
        view = "room" if classrooms.is_teacher(code, secret) else "story"
    except ClassroomError as error:
        st.error(in_markdown(str(error)))
        return
    st.session_state[JOINED_KEY] = code
    session.change(room=code)
    routes.go(view)


def show_open() -> None:
    texts = TEXTS["open"]
    with st.container(border=True, key="classroom-open"):
        st.header(texts["title"], anchor=False)
        st.markdown(texts["text"])
        if not has_lines():
            st.markdown(texts["cannot"])
            return
        if st.button(texts["button"], type="primary", width="stretch", key="classroom-opened"):
            open_class()
        st.markdown(texts["note"])


def open_class() -> None:
    """Open a class and draw the page anew for its teacher, or say why not."""
    try:
        code = the_classrooms().open(visitor.current(), visitor.address())
    except ClassroomError as error:
        st.error(in_markdown(str(error)))
        return
    session.change(room=code)
    st.rerun()


def show_inside(member: Membership) -> None:
    """Say to a pupil which class this is, and lead to the story."""
    texts = TEXTS["join"]
    st.markdown(texts["in_it"].format(code=member.code))
    with st.container(horizontal=True):
        if st.button(texts["go_on"], type="primary", key="classroom-go-on"):
            routes.go("story")
        st.button(texts["leave"], key="classroom-leave", on_click=leave, args=(member.code,))
    show_pad(member)


def leave(code: str) -> None:
    """Leave a class; the answers stay in it."""
    with suppress(ClassroomError):  # it is no more
        the_classrooms().leave(code, visitor.current())
    st.session_state.pop(JOINED_KEY, None)
    session.change(room="")
