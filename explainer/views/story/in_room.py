"""The story in the room of a class: what it is told, and how it is left."""

from collections.abc import Mapping
from typing import Any

from explainer.content import load_texts
from explainer.shell.class_link import has_photo, link_of_class
from explainer.shell.classroom import Membership
from explainer.state import session


def room_told(member: Membership | None) -> Mapping[str, Any] | None:
    """Return what the browser is told of the room in which a visitor is; None without one."""
    if member is None:
        return None
    now = session.load()
    return {
        "code": member.code,
        "is_teacher": member.is_teacher,
        "ticket": member.ticket,
        "address": member.address,
        "link": link_of_class(now),
        "is_shared": not has_photo(now),
        "texts": load_texts("room_story")["frame"],
    }


def leave_room() -> None:
    """Go on alone: the room has ended."""
    session.change(room="")
