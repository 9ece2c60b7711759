"""Errors that nobody foresaw: they are counted, and a log that is kept has nothing of their text.

What an error says of itself may have in it what a visitor sent. Where an error was raised is a
place in the code, and says enough to look for it.
"""

import logging
import threading
import traceback
from collections.abc import Callable, Iterator

from explainer.measuring import LOGGER, happened

HIDDEN = "…"


class Records:
    """Makes the records of all logs of this process; Streamlit gives each module a log of its own.

    Args:
        make: made them before.
    """

    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self.make = make

    def __call__(self, *values: object, **named: object) -> logging.LogRecord:
        """Return a record; count the error that it is about."""
        record = self.make(*values, **named)
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            if record.levelno >= logging.ERROR:
                happened("error", type(error).__name__)
            if LOGGER.handlers:
                hide_message(record, error)
        return record


def hide_message(record: logging.LogRecord, error: BaseException) -> None:
    """Leave of an error in a record its kind, and the places in the code."""
    text = record.getMessage()
    for one in chain(error):
        text = text.replace(str(one), HIDDEN) if str(one) else text
    record.msg, record.args, record.exc_info = text, (), None
    parts = []
    for one in chain(error):
        parts += [*traceback.format_tb(one.__traceback__), f"{type(one).__name__}: {HIDDEN}\n"]
    record.exc_text = "".join(parts).rstrip()


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that led to it."""
    known: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in known:
        known.add(id(one))
        yield one
        one = one.__cause__ or one.__context__


def of_thread(failed: threading.ExceptHookArgs) -> None:
    """Log the error that has ended a thread."""
    if failed.exc_value is not None and not isinstance(failed.exc_value, SystemExit):
        error = failed.exc_value
        logging.getLogger("explainer.threads").error("thread", exc_info=error)


def watch_errors() -> None:
    """Count errors from now on; of those that end a thread, only where a log is kept."""
    if not isinstance(before := logging.getLogRecordFactory(), Records):
        logging.setLogRecordFactory(Records(before))
    if LOGGER.handlers:
        threading.excepthook = of_thread
