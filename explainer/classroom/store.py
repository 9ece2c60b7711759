"""All rooms of all replicas: who may do what, and that it happens whole or not at all."""

import json
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from explainer.classroom import signatures
from explainer.classroom.codes import clean_code, new_code
from explainer.classroom.database import Database
from explainer.classroom.errors import refusal
from explainer.classroom.export import write_csv
from explainer.classroom.reading import (
    ROOM_SECONDS,
    read_drawings,
    read_pupils,
    read_snapshot,
    room_row,
    versions,
)
from explainer.classroom.signatures import Member
from explainer.classroom.snapshot import (
    DRAWINGS_OF_ONE,
    Asked,
    Drawing,
    Pupil,
    Snapshot,
    is_name,
    is_whole,
)
from explainer.classroom.steering import MOST_SCREENS, check_changes
from explainer.classroom.tables import ALL, answers, drawings, pupils, questions, rooms
from explainer.classroom.tries import Tries
from explainer.content.strangers_words import strangers_word
from explainer.measuring import count, happened
from explainer.measuring.refusals import refused
from explainer.training.limits import Limits
from explainer.training.note import hashed

LONGEST_NICKNAME = 24  # characters
MOST_QUESTIONS = 100  # of one room
ROOMS_OF_ONE = 3  # open at once, of one teacher
ROOMS_OF_AN_ADDRESS = 30  # opened in an hour
WRONG_CODES = 10  # in a minute, of one visitor
WRONG_CODES_OF_AN_ADDRESS = 300
PIXELS = 28 * 28

Who = str | Member  # a visitor's secret, or who a ticket says it is


class Classrooms:
    """The rooms of one server, or of all replicas that share a database.

    Every method raises a ``ClassroomError`` with a sentence for the visitor: where something is not
    allowed, where the room has ended, where the database cannot be reached.

    Args:
        url: of the database, as SQLAlchemy writes it.
    """

    def __init__(self, url: str, limits: Limits) -> None:
        self.limits = limits
        self._database = Database(url)
        self._now = self._database.now
        self._wrong_codes = Tries(WRONG_CODES)
        self._wrong_codes_of_addresses = Tries(WRONG_CODES_OF_AN_ADDRESS)
        self._opened = Tries(ROOMS_OF_AN_ADDRESS, seconds=3600)
        self._writes = Tries(limits.answers_a_minute)

    def close(self) -> None:
        self._database.close()

    # rooms

    def open(self, teacher: str, address: str | None = None) -> str:
        """Open a room and return its code.

        Args:
            teacher: the secret of the visitor who shall lead.
            address: of the visitor's connection.
        """
        if self._opened.are_used_up(str(address)):
            raise refusal("too_many_opened")
        with self._database.writing() as connection:
            self._delete_old(connection)
            owner = hashed(teacher)
            mine = select(func.count()).where(rooms.c.owner == owner)
            if connection.execute(mine).scalar_one() >= ROOMS_OF_ONE:
                raise refusal("too_many_of_one", most=ROOMS_OF_ONE)
            number = connection.execute(select(func.count()).select_from(rooms)).scalar_one()
            if number >= self.limits.classrooms:
                raise refusal("too_many_rooms", most=self.limits.classrooms)
            row = {
                "key": secrets.token_hex(32), "owner": owner, "version": 1, "screen": 0,
                "is_free": False, "link": "", "asked": "", "digits_open": False,
                "created": self._now,
            }  # fmt: skip
            while not self._database.insert_new(
                connection, rooms, code=(code := new_code()), **row
            ):
                pass  # somebody has this very code
        self._opened.add(str(address))
        happened("class", "opened")
        return code

    def find(self, code: str, visitor: str, address: str | None = None) -> bool:
        """Return whether there is a room with this code; who asks too often hears nothing."""
        counted = ((self._wrong_codes, visitor), (self._wrong_codes_of_addresses, str(address)))
        if any(tries.are_used_up(key) for tries, key in counted):
            raise refusal("too_many_codes")
        cleaned = clean_code(code)
        if cleaned:
            with self._database.reading() as connection:
                query = select(rooms.c.created, self._now.label("now"))
                row = connection.execute(query.where(rooms.c.code == cleaned)).first()
            if row is not None and row.now - row.created <= ROOM_SECONDS:
                return True
        for tries, key in counted:
            tries.add(key)
        refused("wrong_code")
        return False

    def open_classes(self) -> int:
        """Return how many classes are open, on all replicas together."""
        with self._database.reading() as connection:
            query = select(func.count()).where(rooms.c.created >= self._now - ROOM_SECONDS)
            return int(connection.execute(query).scalar_one())

    def seen(self, code: str) -> Snapshot:
        """Return what a room looks like now, with all that is hidden from pupils."""
        with self._database.reading() as connection:
            return read_snapshot(connection, room_row(connection, self._now, code))

    def versions(self, codes: Iterable[str]) -> dict[str, int]:
        """Return the version of each room that is still there, in one question."""
        with self._database.reading() as connection:
            return versions(connection, codes)

    def is_teacher(self, code: str, visitor: str) -> bool:
        """Return whether a visitor has opened this room."""
        return self.member(code, visitor).is_teacher

    def member(self, code: str, visitor: str) -> Member:
        """Return who a visitor is in a room."""
        with self._database.reading() as connection:
            return who_is(room_row(connection, self._now, code), visitor)

    def has_joined(self, code: str, visitor: str) -> bool:
        """Return whether a visitor has opened this room, or has become its pupil."""
        with self._database.reading() as connection:
            member = who_is(room_row(connection, self._now, code), visitor)
            one = (pupils.c.code == code) & (pupils.c.pupil == member.pupil)
            found = connection.execute(select(pupils.c.number).where(one)).first()
            return member.is_teacher or found is not None

    def end(self, code: str, visitor: Who) -> None:
        """Delete a room with everything in it."""
        with self._database.writing() as connection:
            self._own(connection, code, visitor)
            delete_rooms(connection, [code])
        happened("class", "ended")

    def clean(self) -> None:
        """Delete the rooms of yesterday."""
        with self._database.writing() as connection:
            self._delete_old(connection)

    # tickets

    def ticket(self, code: str, visitor: str) -> str:
        """Return a text by which the room's line knows a visitor, until the room ends."""
        with self._database.reading() as connection:
            row = room_row(connection, self._now, code)
        return signatures.sign(row.key, who_is(row, visitor), row.created + ROOM_SECONDS)

    def admit(self, code: str, ticket: object) -> Member:
        """Return whose ticket it is; refuse one of another room."""
        if signatures.code_of(ticket) != code:
            raise refusal("wrong_ticket")
        with self._database.reading() as connection:
            row = room_row(connection, self._now, code)
        return signatures.check(row.key, ticket, row.now)

    # who is there

    def join(self, code: str, visitor: Who, nickname: object = "") -> None:
        """Become a pupil of a room, or take another nickname; the teacher does not count."""
        if not isinstance(nickname, str) or len(nickname) > 1000:
            raise refusal("wrong_nickname")
        name = str(strangers_word(nickname, LONGEST_NICKNAME))
        with self._database.writing() as connection:
            row = room_row(connection, self._now, code, locks=True)
            member = who_is(row, visitor)
            if member.is_teacher:
                return
            if is_new := self._add_pupil(connection, member, name):
                bump(connection, code)
            elif name:
                one = (pupils.c.code == code) & (pupils.c.pupil == member.pupil)
                connection.execute(update(pupils).where(one).values(nickname=name))
        if is_new:
            happened("class", "joined")

    def _add_pupil(self, connection: Connection, member: Member, nickname: str) -> bool:
        """Return whether the pupil is new."""
        one = (pupils.c.code == member.code) & (pupils.c.pupil == member.pupil)
        if connection.execute(select(pupils.c.number).where(one)).first():
            return False
        last = select(func.count(), func.max(pupils.c.number)).where(pupils.c.code == member.code)
        number, highest = connection.execute(last).one()
        if number >= self.limits.pupils:
            raise refusal("full", most=self.limits.pupils)
        row = {"nickname": nickname, "number": (highest or 0) + 1, "beat": 0.0}
        return self._database.insert_new(
            connection, pupils, code=member.code, pupil=member.pupil, **row
        )

    def beat(self, present: Mapping[str, Iterable[str]]) -> None:
        """Note that the pages of these pupils are open: code → ids."""
        with self._database.writing() as connection:
            for code, ids in sorted(present.items()):
                some = (pupils.c.code == code) & pupils.c.pupil.in_(sorted(ids))
                connection.execute(update(pupils).where(some).values(beat=self._now))

    def leave(self, code: str, visitor: Who) -> None:
        """Note that a pupil has gone; the answers stay."""
        with self._database.writing() as connection:
            row = room_row(connection, self._now, code, locks=True)
            one = (pupils.c.code == code) & (pupils.c.pupil == who_is(row, visitor).pupil)
            if connection.execute(update(pupils).where(one).values(beat=0.0)).rowcount:
                bump(connection, code)

    def pupils(self, code: str, visitor: Who) -> list[Pupil]:
        """Return who is in the room; only its teacher may know."""
        with self._database.reading() as connection:
            row = room_row(connection, self._now, code)
            check_teacher(row, visitor)
            return read_pupils(connection, row)

    # what the teacher does

    def steer(self, code: str, visitor: Who, /, **changes: Any) -> None:
        """Change what the class sees.

        Args:
            changes: ``screen``, ``is_free``, ``link``, ``digits_open``; ``asked``, an ``Asked`` or
                its JSON or None; ``reveal`` or ``hide``, the name of a question. ``was`` is the
                screen that the sender has seen: if another page of the teacher's has turned since,
                ``screen`` and ``asked`` change nothing.
        """
        was = changes.pop("was", None)
        columns, asked, shown = check_changes(changes)
        if was is not None and not is_whole(was, MOST_SCREENS):
            raise refusal("wrong_change")
        with self._database.writing() as connection:
            room = self._own(connection, code, visitor)
            if was not in (None, room.screen):
                asked = None
                for name in ("screen", "asked"):
                    columns.pop(name, None)
            if asked is not None:
                self._ask(connection, code, asked)
            for name, is_revealed in shown.items():
                one = (questions.c.code == code) & (questions.c.name == name)
                shows = update(questions).where(one).values(is_revealed=is_revealed)
                if not connection.execute(shows).rowcount:
                    raise refusal("no_such_question")
            bump(connection, code, **columns)

    def _ask(self, connection: Connection, code: str, asked: Asked) -> None:
        """Keep a question; its answers stay as long as it has the same number of choices."""
        one = (questions.c.code == code) & (questions.c.name == asked.name)
        row = {"told": json.dumps(asked.told()), "num_choices": asked.num_choices}
        before = connection.execute(select(questions).where(one)).first()
        if before is None:
            number = connection.execute(
                select(func.count()).where(questions.c.code == code)
            ).scalar_one()
            if number >= MOST_QUESTIONS:
                raise refusal("too_many_questions", most=MOST_QUESTIONS)
            row |= {"code": code, "name": asked.name, "number": number, "is_revealed": False}
            connection.execute(insert(questions).values(**row))
            return
        if shape(json.loads(before.told)) != shape(asked.told()):
            old = (answers.c.code == code) & (answers.c.name == asked.name)
            connection.execute(delete(answers).where(old))
            row["is_revealed"] = False
        connection.execute(update(questions).where(one).values(**row))

    def csv(self, code: str, visitor: Who) -> str:
        """Return all answers as CSV; only the teacher may."""
        with self._database.reading() as connection:
            self._own(connection, code, visitor, locks=False)
            return write_csv(connection, code)

    # what pupils do

    def answer(self, code: str, visitor: Who, question: object, choice: object) -> None:
        """Keep a pupil's answer; the first one counts, and a repeat is harmless."""
        with self._database.writing() as connection:
            member = self._pupil(connection, code, visitor)
            name = question if is_name(question) else ""
            one = (questions.c.code == code) & (questions.c.name == name)
            row = connection.execute(select(questions).where(one)).first()
            if row is None:
                raise refusal("no_such_question")
            if not is_whole(choice, row.num_choices - 1):
                raise refusal("no_such_choice")
            is_new = self._add_pupil(connection, member, "")
            key = {"code": code, "name": name, "pupil": member.pupil}
            is_first = self._database.insert_new(connection, answers, **key, choice=choice)
            if is_first or is_new:
                bump(connection, code)
        if is_first:
            count("answer")
        if is_new:
            happened("class", "joined")

    def answers_of(self, code: str, visitor: Who) -> dict[str, int]:
        """Return what a visitor has answered: the question's name → the choice."""
        with self._database.reading() as connection:
            member = who_is(room_row(connection, self._now, code), visitor)
            own = (answers.c.code == code) & (answers.c.pupil == member.pupil)
            found = connection.execute(select(answers.c.name, answers.c.choice).where(own))
            return {row.name: row.choice for row in found}

    def draw(self, code: str, visitor: Who, pixels: object, label: object) -> None:
        """Keep a digit that a pupil drew; the very same one again is harmless.

        Args:
            pixels: 28 × 28 bytes, row by row; 255 is ink.
        """
        if not isinstance(pixels, bytes) or len(pixels) != PIXELS or not is_whole(label, 9):
            raise refusal("wrong_drawing")
        with self._database.writing() as connection:
            member = self._pupil(connection, code, visitor)
            if not room_row(connection, self._now, code).digits_open:
                raise refusal("no_drawings_now")
            own = (drawings.c.code == code) & (drawings.c.pupil == member.pupil)
            mine = list(connection.execute(select(drawings).where(own)))
            if any(bytes(one.pixels) == pixels and one.label == label for one in mine):
                return
            everyone = select(func.count()).where(drawings.c.code == code)
            if len(mine) >= DRAWINGS_OF_ONE:
                raise refusal("too_many_own_drawings", most=DRAWINGS_OF_ONE)
            if connection.execute(everyone).scalar_one() >= self.limits.class_drawings:
                raise refusal("too_many_drawings", most=self.limits.class_drawings)
            is_new = self._add_pupil(connection, member, "")
            row = {"code": code, "pupil": member.pupil, "number": len(mine)}
            connection.execute(insert(drawings).values(**row, pixels=pixels, label=label))
            bump(connection, code)
        count("drawing")
        if is_new:
            happened("class", "joined")

    def drawings(self, code: str) -> list[Drawing]:
        """Return all that the class drew."""
        with self._database.reading() as connection:
            room_row(connection, self._now, code)
            return read_drawings(connection, code)

    # who may

    def _own(self, connection: Connection, code: str, visitor: Who, locks: bool = True) -> Row:
        row = room_row(connection, self._now, code, locks)
        check_teacher(row, visitor)
        return row

    def _pupil(self, connection: Connection, code: str, visitor: Who) -> Member:
        member = who_is(room_row(connection, self._now, code, locks=True), visitor)
        if member.is_teacher:
            raise refusal("teacher_answers")
        if self._writes.are_used_up(f"{code} {member.pupil}"):
            raise refusal("too_fast")
        self._writes.add(f"{code} {member.pupil}")
        return member

    def _delete_old(self, connection: Connection) -> None:
        old = select(rooms.c.code).where(rooms.c.created < self._now - ROOM_SECONDS)
        codes = connection.execute(old).scalars().all()
        delete_rooms(connection, codes)
        for _ in codes:
            happened("class", "expired")


def who_is(row: Row, visitor: Who) -> Member:
    """Return who somebody is in the room of this row."""
    if isinstance(visitor, Member):
        if visitor.code != row.code:
            raise refusal("wrong_ticket")
        return visitor
    pupil = signatures.pupil_id(row.key, visitor)
    return Member(row.code, pupil, hashed(visitor) == row.owner)


def check_teacher(row: Row, visitor: Who) -> None:
    if not who_is(row, visitor).is_teacher:
        raise refusal("not_the_teacher")


def bump(connection: Connection, code: str, **columns: Any) -> None:
    """Change a room, so that every replica sees that it is another one."""
    values = {"version": rooms.c.version + 1, **columns}
    connection.execute(update(rooms).where(rooms.c.code == code).values(**values))


def delete_rooms(connection: Connection, codes: Iterable[str]) -> None:
    codes = list(codes)
    for table in ALL if codes else ():
        connection.execute(delete(table).where(table.c.code.in_(codes)))


def shape(told: Mapping[str, Any]) -> tuple[int, int, int]:
    return len(told["options"]), told["rows"], told["columns"]
