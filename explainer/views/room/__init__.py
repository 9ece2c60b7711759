"""The page of a class: open one, join one, or lead the one that is open."""

import streamlit as st

from explainer.classroom import ClassroomError, the_classrooms
from explainer.content import load_texts
from explainer.shell.classroom import JOINED_KEY, membership
from explainer.state import session
from explainer.training import visitor
from explainer.views.room.door import show_doors, show_inside
from explainer.views.room.lead import show_lead

TEXTS = load_texts("room_page")
ENDED_KEY = "classroom-ended"  # a sentence about the class that was ended a moment ago


def render() -> None:
    """Draw the page."""
    st.title(TEXTS["title"], anchor=False)
    code = session.load().room
    if not code or not is_member(code):
        if ended := st.session_state.pop(ENDED_KEY, ""):
            st.success(ended)
        st.markdown(TEXTS["lead"])
        show_doors(code)
        return
    member = membership()
    if member is None:  # it has ended meanwhile
        show_doors("")
    elif member.is_teacher:
        show_lead(member)
    else:
        show_inside(member)


def is_member(code: str) -> bool:
    """Whether this visitor is in the class of the link already; others say first who they are."""
    if st.session_state.get(JOINED_KEY) == code:
        return True
    secret = visitor.current()
    try:
        classrooms = the_classrooms()
        is_there = classrooms.find(code, secret, visitor.address())
        return is_there and classrooms.has_joined(code, secret)
    except ClassroomError:
        return False
