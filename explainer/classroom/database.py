"""One database for SQLite and PostgreSQL: safe to open by many servers at once."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Lock
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    cast,
    create_engine,
    event,
    extract,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from explainer.classroom.errors import refusal
from explainer.classroom.tables import metadata
from explainer.content import load_texts

WAIT_SECONDS = 10  # until a database that does not answer counts as one that cannot be reached
FIRST_USE = 0x5649_5443  # PostgreSQL's lock while the tables are made; any number of our own
# of a database on a file; the journal stays the plain one, which works in a home on a network, too
SQLITE = {"timeout": WAIT_SECONDS, "check_same_thread": False}
POSTGRESQL = {"connect_timeout": WAIT_SECONDS, "application_name": "vit-explainer"}


class Database:
    """Connections to the database of all rooms; its tables are made on first use.

    Args:
        url: as SQLAlchemy writes it.

    Raises:
        ClassroomError: this server is not set up for it.
    """

    def __init__(self, url: str) -> None:
        try:
            self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
            self._engine = create_engine(
                url,
                connect_args=SQLITE if self.is_sqlite else POSTGRESQL,
                pool_pre_ping=not self.is_sqlite,
                pool_size=8,
                pool_timeout=WAIT_SECONDS,
            )
        except (SQLAlchemyError, ImportError) as error:
            report(error)
            raise refusal("no_database") from None
        # threads of one process wait in a row; SQLite would have each try again and again
        self._turn = Lock() if self.is_sqlite else nullcontext()
        self._insert = sqlite.insert if self.is_sqlite else postgresql.insert
        self._is_ready = False
        self._first = Lock()
        if self.is_sqlite:
            event.listen(self._engine, "connect", leave_transactions_to_us)
            event.listen(self._engine, "begin", begin)

    @property
    def now(self) -> ColumnElement[float]:
        """The database's clock, in seconds since 1970, which is the same for all replicas."""
        if self.is_sqlite:
            return (func.julianday("now") - 2440587.5) * 86400.0
        return cast(extract("epoch", func.clock_timestamp()), Float(53))

    def insert_new(self, connection: Connection, table: Any, **values: Any) -> bool:
        """Insert a row unless there is one with its key, and return whether it was inserted."""
        statement = self._insert(table).values(**values).on_conflict_do_nothing()
        # what was returned was inserted; drivers differ in how they count rows
        return connection.execute(statement.returning(table.c.code)).first() is not None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one moment."""
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with told_in_a_sentence():
            self._make_tables()
            with self._engine.connect() as raw, raw.execution_options(**options).begin():
                yield raw

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that happens whole or not at all."""
        with told_in_a_sentence():
            self._make_tables()
            with self._turn, self._engine.connect() as raw:
                raw.execution_options(writes=True)
                with raw.begin():
                    yield raw

    def close(self) -> None:
        self._engine.dispose()

    def _make_tables(self) -> None:
        with self._first:
            if self._is_ready:
                return
            with self._engine.connect() as raw, raw.execution_options(writes=True).begin():
                if not self.is_sqlite:  # servers that start at once make them one after the other
                    raw.execute(select(func.pg_advisory_xact_lock(FIRST_USE)))
                metadata.create_all(raw)
            self._is_ready = True


def leave_transactions_to_us(connection: Any, _: object) -> None:
    connection.isolation_level = None


def begin(connection: Connection) -> None:
    """Begin as a writer at once: one that read before could not wait for another writer."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def told_in_a_sentence() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        report(error)
        raise refusal("unreachable") from None


def report(error: Exception) -> None:
    """Tell the operator; neither the statement's values nor the database's password are in it."""
    cause = getattr(error, "orig", None) or error
    told = load_texts("room")["operator"]["failed"].format(kind=type(cause).__name__)
    print(told, file=sys.stderr, flush=True)
