"""Who somebody is in a room, and a text that proves it to any replica."""

import hashlib
import hmac
import re
from dataclasses import dataclass

from explainer.classroom.codes import LENGTH, LETTERS
from explainer.classroom.errors import refusal

TICKET = re.compile(
    rf"(?P<code>[{LETTERS}]{{{LENGTH}}})\.(?P<role>teacher|pupil)\.(?P<pupil>[0-9a-f]{{32}})"
    r"\.(?P<until>[0-9]{1,12})\.(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True)
class Member:
    """Somebody in a room.

    Attributes:
        pupil: the id, of which nobody learns who it is, nor whether it is the same in another room.
    """

    code: str
    pupil: str
    is_teacher: bool


def pupil_id(key: str, visitor: str) -> str:
    """Return a visitor's id in the room with this key."""
    return hmac.new(key.encode(), f"pupil {visitor}".encode(), hashlib.sha256).hexdigest()[:32]


def sign(key: str, member: Member, until: float) -> str:
    """Return a member's ticket, which is right until then (seconds since 1970)."""
    role = "teacher" if member.is_teacher else "pupil"
    text = f"{member.code}.{role}.{member.pupil}.{int(until)}"
    return f"{text}.{signature(key, text)}"


def signature(key: str, text: str) -> str:
    return hmac.new(key.encode(), f"ticket {text}".encode(), hashlib.sha256).hexdigest()


def code_of(ticket: object) -> str:
    """Return the room that a ticket names, which proves nothing yet.

    Raises:
        ClassroomError: it is no ticket.
    """
    return parts(ticket)["code"]


def check(key: str, ticket: object, now: float) -> Member:
    """Return whose ticket it is.

    Raises:
        ClassroomError: it is no ticket, or not of this room, or too old.
    """
    found = parts(ticket)
    text = str(ticket).rpartition(".")[0]
    if not hmac.compare_digest(signature(key, text), found["signature"]):
        raise refusal("wrong_ticket")
    if now > int(found["until"]):
        raise refusal("ended")
    return Member(found["code"], found["pupil"], found["role"] == "teacher")


def parts(ticket: object) -> dict[str, str]:
    match = TICKET.fullmatch(ticket) if isinstance(ticket, str) else None
    if not match:
        raise refusal("wrong_ticket")
    return match.groupdict()
