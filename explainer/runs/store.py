"""The folder of all runs: one run directory each, with a note of whose it is and how it stands."""

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from explainer.content import load_texts
from vit_core.files import write_atomically
from vit_core.history import RunHistory

ID = re.compile(r"[A-Za-z0-9_-]{8,40}")
NOTE = "status.json"


@dataclass(frozen=True)
class Note:
    """What the app knows of a run beside what the run writes itself.

    Attributes:
        owner: hash of the visitor's secret.
        state: "queued", "running", "paused", "stopped", "finished", "failed", "interrupted" or
            "uploaded".
        said: why it is in that state, one sentence; may be empty.
        title: what it is, in a few words.
        created: seconds since 1970, by the clock of then.
        estimate: seconds that it was expected to take; None if nobody had measured.
    """

    owner: str
    state: str
    said: str
    title: str
    created: float
    estimate: float | None = None


class RunStore:
    """Reads and writes the folder; knows nothing of processes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._histories: dict[str, RunHistory] = {}
        self._notes: dict[str, tuple[tuple[int, int], Note]] = {}  # as the file was when read

    def new_id(self) -> str:
        """Return an id that nobody can guess."""
        return secrets.token_urlsafe(15)

    def folder(self, run_id: str) -> Path:
        return self.root / run_id

    def history(self, run_id: str) -> RunHistory:
        """Return the one reader of a run that all visitors share."""
        return self._histories.setdefault(run_id, RunHistory(self.folder(run_id)))

    def ids(self) -> list[str]:
        try:
            names = [entry.name for entry in self.root.iterdir()]
        except OSError:
            return []
        return [name for name in names if ID.fullmatch(name)]

    def of(self, owner: str) -> list[str]:
        """Return the ids of an owner's runs."""
        notes = {run_id: self.read(run_id) for run_id in self.ids()}
        return [run_id for run_id, note in notes.items() if note and note.owner == owner]

    def read(self, run_id: str) -> Note | None:
        """Return a run's note; None where there is no run. A damaged one counts as failed."""
        if not ID.fullmatch(run_id):
            return None
        path = self.folder(run_id) / NOTE
        try:
            found = path.stat()
            stamp = (found.st_ino, found.st_mtime_ns)
            known, note = self._notes.get(run_id, (None, None))
            if stamp != known or note is None:
                note = read_note(path)
                self._notes[run_id] = (stamp, note)
        except OSError:
            self._notes.pop(run_id, None)
            return None
        return note

    def write(self, run_id: str, note: Note) -> None:
        """Write a run's note.

        Raises:
            OSError: it cannot be written; the old one stays.
        """
        write_atomically(self.folder(run_id) / NOTE, json.dumps(asdict(note)).encode())

    def change(self, run_id: str, **values: Any) -> None:
        """Write some values of a run's note anew, if there is one and the disk allows it."""
        if note := self.read(run_id):
            with contextlib.suppress(OSError):
                self.write(run_id, replace(note, **values))

    def delete(self, run_id: str) -> None:
        shutil.rmtree(self.folder(run_id), ignore_errors=True)
        self._histories.pop(run_id, None)
        self._notes.pop(run_id, None)

    def used(self, run_id: str) -> float:
        """Return when somebody last used a run, in seconds since 1970; 0 if nobody can tell."""
        try:
            return (self.folder(run_id) / NOTE).stat().st_mtime
        except OSError:
            return 0.0

    def touch(self, run_id: str, now: float) -> None:
        """Note that somebody uses a run."""
        with contextlib.suppress(OSError):
            os.utime(self.folder(run_id) / NOTE, (now, now))

    def size(self, run_id: str) -> int:
        """Return the bytes of a run on the disk."""
        total = 0
        with contextlib.suppress(OSError):
            for entry in os.scandir(self.folder(run_id)):
                with contextlib.suppress(OSError):
                    total += entry.stat().st_size
        return total


def read_note(path: Path) -> Note:
    """Read the note of a run; a damaged one counts as failed, and nobody's.

    Raises:
        OSError: it cannot be read.
    """
    try:
        values = json.loads(path.read_bytes())
        return Note(**{name: parse(values[name]) for name, parse in PARSERS.items()})
    except (ValueError, TypeError, KeyError, RecursionError):
        return Note("", "failed", load_texts("runs")["damaged"], load_texts("runs")["title_own"], 0)


def read_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def read_number(value: object) -> float:
    if not isinstance(value, int | float):
        raise TypeError(value)
    return float(value)


PARSERS = {
    "owner": read_text,
    "state": read_text,
    "said": read_text,
    "title": read_text,
    "created": read_number,
    "estimate": lambda value: None if value is None else read_number(value),
}


def hashed(visitor: str) -> str:
    """Return what is written of a visitor's secret, from which nobody can tell the secret."""
    return hashlib.sha256(visitor.encode()).hexdigest()
