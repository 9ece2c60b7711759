"""What the database says of a room."""

import json
from collections.abc import Iterable, Mapping

from sqlalchemy import ColumnElement, Connection, Row, func, select

from explainer.classroom.codes import clean_code
from explainer.classroom.errors import refusal
from explainer.classroom.snapshot import BEAT_SECONDS, Asked, Drawing, Poll, Pupil, Snapshot
from explainer.classroom.tables import answers, drawings, pupils, questions, rooms

ROOM_SECONDS = 24 * 3600.0
PRESENT_SECONDS = 3 * BEAT_SECONDS  # after the last of them, until a pupil counts as gone


def room_row(
    connection: Connection, now: ColumnElement[float], code: str, locks: bool = False
) -> Row:
    """Return a room's row and the time ``now``.

    Args:
        locks: whether other writers of this room wait until the transaction is over.

    Raises:
        ClassroomError: there is no such room, or it has ended.
    """
    if clean_code(code) != code:
        raise refusal("ended")
    query = select(rooms, now.label("now")).where(rooms.c.code == code)
    row = connection.execute(query.with_for_update() if locks else query).first()
    if row is None or row.now - row.created > ROOM_SECONDS:
        raise refusal("ended")
    return row


def versions(connection: Connection, codes: Iterable[str]) -> dict[str, int]:
    """Return the version of each of these rooms that is there."""
    query = select(rooms.c.code, rooms.c.version).where(rooms.c.code.in_(list(codes)))
    return {row.code: row.version for row in connection.execute(query)}


def read_snapshot(connection: Connection, row: Row) -> Snapshot:
    """Return what a room looks like.

    Args:
        row: of the room, as ``room_row`` returns it.
    """
    of_pupils = select(
        func.count(), func.count().filter(pupils.c.beat > row.now - PRESENT_SECONDS)
    ).where(pupils.c.code == row.code)
    joined, present = connection.execute(of_pupils).one()
    of_drawings = select(func.count()).where(drawings.c.code == row.code)
    polls = read_polls(connection, row.code)
    asked = polls.get(row.asked)
    return Snapshot(
        code=row.code,
        owner=row.owner,
        created=row.created,
        version=row.version,
        screen=row.screen,
        is_free=row.is_free,
        link=row.link,
        asked=asked.asked if asked else None,
        revealed=frozenset(name for name, poll in polls.items() if poll.is_revealed),
        joined=joined,
        present=present,
        polls=polls,
        drawings=connection.execute(of_drawings).scalar_one(),
        digits_open=row.digits_open,
    )


def read_polls(connection: Connection, code: str) -> Mapping[str, Poll]:
    """Return the polls of a room by their names, in the order in which they were asked."""
    counted = (
        select(answers.c.name, answers.c.choice, func.count().label("number"))
        .where(answers.c.code == code)
        .group_by(answers.c.name, answers.c.choice)
    )
    counts: dict[str, dict[int, int]] = {}
    for row in connection.execute(counted):
        counts.setdefault(row.name, {})[row.choice] = row.number
    asked = select(questions).where(questions.c.code == code).order_by(questions.c.number)
    polls = {}
    for row in connection.execute(asked):
        found = counts.get(row.name, {})
        polls[row.name] = Poll(
            asked=read_question(row.told),
            counts=tuple(found.get(choice, 0) for choice in range(row.num_choices)),
            answered=sum(found.values()),
            is_revealed=row.is_revealed,
        )
    return polls


def read_question(told: str) -> Asked:
    values = json.loads(told)
    return Asked(**{**values, "options": tuple(values["options"])})


def read_pupils(connection: Connection, row: Row) -> list[Pupil]:
    """Return the pupils of a room in the order of joining."""
    number = (
        select(func.count())
        .where(answers.c.code == pupils.c.code, answers.c.pupil == pupils.c.pupil)
        .scalar_subquery()
    )
    query = (
        select(pupils, number.label("answered"))
        .where(pupils.c.code == row.code)
        .order_by(pupils.c.number)
    )
    start = row.now - PRESENT_SECONDS
    return [
        Pupil(found.number, found.nickname, found.answered, found.beat > start)
        for found in connection.execute(query)
    ]


def read_drawings(connection: Connection, code: str) -> list[Drawing]:
    """Return the drawings of a room, pupil by pupil in the order of joining."""
    query = (
        select(drawings)
        .join(pupils, (pupils.c.code == drawings.c.code) & (pupils.c.pupil == drawings.c.pupil))
        .where(drawings.c.code == code)
        .order_by(pupils.c.number, drawings.c.number)
    )
    return [
        Drawing(row.pupil, row.number, bytes(row.pixels), row.label)
        for row in connection.execute(query)
    ]
