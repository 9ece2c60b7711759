"""The room of a class in which a visitor is: as its teacher, or as a pupil."""

from dataclasses import dataclass

import streamlit as st

from explainer.classroom import ClassroomError, address_of_line, has_lines, the_classrooms
from explainer.classroom.ticket import ticket_for
from explainer.content import load_texts
from explainer.measuring.refusals import refused
from explainer.state import session
from explainer.training import visitor

JOINED_KEY = "classroom-joined"  # the code of the room that this session has joined


@dataclass(frozen=True)
class Membership:
    """Who a visitor is in a room.

    Attributes:
        code: of the room.
        is_teacher: whether the visitor has opened it.
        ticket: by which the room's line knows this browser.
        address: of the line, seen from a page.
    """

    code: str
    is_teacher: bool
    ticket: str
    address: str


def membership(remembers: bool = True) -> Membership | None:
    """Return who this session's visitor is in the room of its link; None without a room.

    A room that is not there, or not any more, is dropped from the link with a sentence.

    Args:
        remembers: whether the browser is given the visitor's secret here; a page on which what that
            adds would move something does it below all else.
    """
    code = session.load().room
    if not code:
        return None
    secret = visitor.current()
    try:
        if waits_for_browser(code, secret):
            return None
        is_teacher = join(code, secret)
        ticket = ticket_for(code, secret)
    except ClassroomError as error:
        drop(str(error))
        return None
    if remembers:
        visitor.remember()
    return Membership(code, is_teacher, ticket, address_of_line(code))


def waits_for_browser(code: str, secret: str) -> bool:
    """Return whether the browser may be a member under a secret that it has yet to say.

    In a frame of another site it sends no cookie. Whoever joined at once would be a new pupil after
    each reload. The page then asks with ``visitor.recover(answers=True)``.
    """
    if visitor.is_known() or st.session_state.get(JOINED_KEY) == code or not has_lines():
        return False
    classrooms = the_classrooms()
    if not classrooms.find(code, secret, visitor.address()):
        return False
    return not (classrooms.is_teacher(code, secret) or classrooms.has_joined(code, secret))


def join(code: str, secret: str) -> bool:
    """Join a room unless this session has; return whether the visitor is its teacher.

    Raises:
        ClassroomError: there is no such room, or nobody can join it now.
    """
    texts = load_texts("room_story")["refused"]
    if not has_lines():
        refused("unavailable")
        raise ClassroomError(texts["no_lines"])
    classrooms = the_classrooms()
    if st.session_state.get(JOINED_KEY) != code:
        if not classrooms.find(code, secret, visitor.address()):
            raise ClassroomError(texts["unknown"].format(code=code))
        classrooms.join(code, secret)  # a teacher does not count
        st.session_state[JOINED_KEY] = code
    return classrooms.is_teacher(code, secret)


def led_room() -> str:
    """Return the code of the link's room if this visitor has opened it, else an empty text."""
    code = session.load().room
    if not code or not has_lines():
        return ""
    try:
        return code if the_classrooms().is_teacher(code, visitor.current()) else ""
    except ClassroomError:
        return ""


def drop(sentence: str) -> None:
    """Leave the room of the link, and say why."""
    st.session_state.pop(JOINED_KEY, None)
    session.refused().append(sentence)
    session.change(room="")
