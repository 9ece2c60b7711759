"""The tables of all rooms. Whoever deletes a room deletes its rows in each."""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()


def table(name: str, *columns: Column) -> Table:
    code = Column("code", String(6), primary_key=True)
    return Table(f"classroom_{name}", metadata, code, *columns)


rooms = table(
    "rooms",
    Column("key", String(64), nullable=False),  # signs the room's tickets, names its pupils
    Column("owner", String(64), nullable=False),
    Column("created", Float(53), nullable=False),
    Column("version", Integer, nullable=False),
    Column("screen", Integer, nullable=False),
    Column("is_free", Boolean, nullable=False),
    Column("link", Text, nullable=False),
    Column("asked", Text, nullable=False),  # the name of the question of now; empty: none
    Column("digits_open", Boolean, nullable=False),
)
questions = table(
    "questions",
    Column("name", String(80), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("told", Text, nullable=False),  # the question as JSON
    Column("num_choices", Integer, nullable=False),
    Column("is_revealed", Boolean, nullable=False),
)
pupils = table(
    "pupils",
    Column("pupil", String(32), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("nickname", Text, nullable=False),
    Column("beat", Float(53), nullable=False),  # when a server last saw the pupil's page open
)
answers = table(
    "answers",
    Column("name", String(80), primary_key=True),
    Column("pupil", String(32), primary_key=True),  # so the first answer is the only one
    Column("choice", Integer, nullable=False),
)
drawings = table(
    "drawings",
    Column("pupil", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("pixels", LargeBinary, nullable=False),
    Column("label", Integer, nullable=False),
)
ALL = (drawings, answers, pupils, questions, rooms)
