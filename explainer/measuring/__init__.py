"""What happens on this server, as numbers that are added up and as lines of a log.

An event has a name and fields that are numbers, truth values or single words of a known form. All
else is left out. No caller gives an event a picture, answer, nickname, address, link or file name.
"""

import json
import logging
import os
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from threading import Lock

VARIABLE = "VIT_EXPLAINER_LOG"  # "json" or "text"; nothing is logged without it
LOGGER = logging.getLogger("explainer.events")
WORD = re.compile(r"[a-z][a-z_-]{0,30}|[A-Z][A-Za-z]{0,40}(Error|Exception|Warning)")
MOST_KINDS = 200  # of counted events together; what comes later is counted as "other"

_lock = Lock()
_counts: Counter[tuple[str, str]] = Counter()
_seconds: defaultdict[str, float] = defaultdict(float)


def happened(event: str, kind: str = "", **fields: object) -> None:
    """Count an event, and write a line about it if the server keeps a log.

    Args:
        event: its name, written out in the code.
        kind: which of few kinds, such as the state that a run is in now.
        fields: more for the log, such as ``seconds``.
    """
    count(event, kind)
    if LOGGER.isEnabledFor(logging.INFO) and LOGGER.handlers:
        LOGGER.info(event, extra={"fields": allowed({"kind": kind, **fields} if kind else fields)})


def count(event: str, kind: str = "", seconds: float = 0.0) -> None:
    """Count an event, and add up how long it took."""
    with _lock:
        key = event, kind if not kind or WORD.fullmatch(kind) else "other"
        if key not in _counts and len(_counts) >= MOST_KINDS:
            key = event, "other"
        _counts[key] += 1
        if seconds:
            _seconds[key[1]] += seconds


def counts(event: str) -> dict[str, int]:
    """Return how often each kind of an event has happened."""
    with _lock:
        return {kind: number for (name, kind), number in _counts.items() if name == event}


def seconds_of_pages() -> dict[str, float]:
    """Return the seconds that the server drew each page, together."""
    with _lock:
        return dict(_seconds)


def allowed(fields: Mapping[str, object]) -> dict[str, object]:
    """Return those fields that can hold nothing private: numbers, and words of a known form."""
    return {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in fields.items()
        if isinstance(value, bool | int | float)
        or (isinstance(value, str) and WORD.fullmatch(value))
    }


class JsonLines(logging.Formatter):
    """One JSON object a line: time, event, and its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as a line."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        return json.dumps({"time": moment, "event": record.msg, **fields_of(record)})


class TextLines(logging.Formatter):
    """One line of text for people: time, event, and its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as a line."""
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(record.created))
        pairs = [f"{name}={value}" for name, value in fields_of(record).items()]
        return " ".join([moment, str(record.msg), *pairs])


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    fields: dict[str, object] = record.__dict__.get("fields", {})
    return fields


def start_log() -> None:
    """Begin the log that the server's environment asks for."""
    form = {"json": JsonLines, "text": TextLines}.get(os.environ.get(VARIABLE, ""))
    if form and not LOGGER.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(form())
        LOGGER.addHandler(handler)
        LOGGER.setLevel(logging.INFO)
        LOGGER.propagate = False
