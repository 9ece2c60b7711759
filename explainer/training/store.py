"""The folder of all runs: one run directory each, with a note of whose it is and how it stands.

A run that the app made in this folder is its own, as the name proves (see ``ownership``). Runs of
the app's first versions and of other folders have no such name: they are shown and belong to their
visitor, but the app changes and deletes them only when that visitor asks for it.
"""

import os
import stat
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from explainer.content import load_texts
from explainer.training.note import Note, hashed, read_note, written
from explainer.training.ownership import ID, OLD_ID, Ownership, is_own_folder
from explainer.training.run_folder import NOTE, remove_folder, size_of
from vit_core.runs.history import RunHistory
from vit_core.storage.atomic import write_atomically

__all__ = ["NOTE", "Note", "RunStore", "hashed"]

MOST_HISTORIES = 32  # readers of runs that are kept, with the lines that they have read


class RunStore:
    """Reads and writes the folder; knows nothing of processes."""

    def __init__(self, root: Path, now: Callable[[], float] = time.time) -> None:
        """Make nothing yet.

        Args:
            now: the clock by which uses of runs are noted.
        """
        self.root, self.now = root, now
        self.ownership = Ownership(root)
        self._lock = Lock()
        self._histories: OrderedDict[str, RunHistory] = OrderedDict()
        self._asked: set[str] = set()
        # as the file was when it was read; None for a note that belongs to another run
        self._notes: dict[str, tuple[tuple[int, int], Note | None]] = {}
        self._unwritten: dict[str, Note] = {}  # what the disk did not take

    def new_id(self) -> str:
        """Return an id that nobody can guess.

        Raises:
            OSError: the folder cannot be made or written.
        """
        return self.ownership.new_id()

    def folder(self, run_id: str) -> Path:
        return self.root / run_id

    def history(self, run_id: str) -> RunHistory:
        """Return the one reader of a run that all visitors share, while somebody looks at it."""
        with self._lock:
            if run_id not in self._histories:
                self._histories[run_id] = RunHistory(self.folder(run_id))
            self._histories.move_to_end(run_id)
            self._asked.add(run_id)
            while len(self._histories) > MOST_HISTORIES:
                self._histories.popitem(last=False)
            return self._histories[run_id]

    def ids(self) -> list[str]:
        """Return the ids of all folders that may be runs."""
        try:
            names = os.listdir(self.root)
        except OSError:
            return []
        return [name for name in names if ID.fullmatch(name) and is_own_folder(self.folder(name))]

    def made(self) -> list[str]:
        """Return the ids of the app's own runs, also of those without a note."""
        return [run_id for run_id in self.ids() if self.ownership.has_made(run_id)]

    def of(self, owner: str) -> list[str]:
        """Return the ids of an owner's runs."""
        return list(self.notes_of(owner))

    def notes_of(self, owner: str) -> dict[str, Note]:
        """Return an owner's runs: id → note."""
        notes = ((run_id, self._read(run_id)) for run_id in self.ids())
        return {run_id: note for run_id, note in notes if note and note.owner == owner}

    def is_writable(self) -> bool:
        return os.access(self.root, os.W_OK)

    def trouble(self) -> str:
        """Return why no run can be kept in the folder, one sentence; empty while nothing is known.

        Whether the disk has room is only found out when something is written.
        """
        texts, nearest = load_texts("runs"), self.root
        try:
            # a link may lead nowhere, or to itself
            if os.path.lexists(self.root) and not self.root.is_dir():
                return texts["root_is_file"]
            while not nearest.exists() and nearest != nearest.parent:
                nearest = nearest.parent
            if not nearest.is_dir() or not os.access(nearest, os.W_OK):
                return texts["root_unwritable"]
        except OSError:
            return texts["root_unwritable"]
        return ""

    def is_changeable(self, run_id: str) -> bool:
        """Whether its visitor may change a run: the app made it, now or in its first versions."""
        return self.ownership.has_made(run_id) or bool(OLD_ID.fullmatch(run_id))

    def read(self, run_id: str) -> Note | None:
        """Return a run's note; None where there is no run. A damaged one counts as failed."""
        if not ID.fullmatch(run_id) or not is_own_folder(self.folder(run_id)):
            self._forget(run_id)
            return None
        return self._read(run_id)

    def _read(self, run_id: str) -> Note | None:
        """Return the note in a folder that may be a run."""
        path = self.folder(run_id) / NOTE
        try:
            found = os.lstat(path)
            if not stat.S_ISREG(found.st_mode):
                return None
            if run_id in self._unwritten:
                return self._unwritten[run_id]
            stamp = (found.st_ino, found.st_mtime_ns)
            known, note = self._notes.get(run_id, (None, None))
            if stamp != known:
                note = read_note(path, run_id)
                self._notes[run_id] = (stamp, note)
            return note
        except OSError:
            self._forget(run_id)
            return None

    def write(self, run_id: str, note: Note) -> None:
        """Write a run's note.

        Raises:
            OSError: it cannot be written; the old one stays.
        """
        write_atomically(self.folder(run_id) / NOTE, written(note, run_id))
        self._unwritten.pop(run_id, None)
        self.touch(run_id, self.now())

    def change(self, run_id: str, **values: Any) -> None:
        """Change some values of a run's note, if there is one.

        What the disk does not take now is kept here, and written by ``write_late``.
        """
        if note := self.read(run_id):
            changed = replace(note, **values)
            try:
                self.write(run_id, changed)
            except OSError:
                self._unwritten[run_id] = changed

    def write_late(self) -> None:
        """Write what the disk did not take before, as far as it does now."""
        for run_id, note in list(self._unwritten.items()):
            if self.read(run_id) is None:  # it was deleted
                self._unwritten.pop(run_id, None)
                continue
            with suppress(OSError):
                self.write(run_id, note)

    def delete(self, run_id: str) -> list[str]:
        """Remove a run.

        Returns:
            The names of files that stay, since the app did not write them or somebody has them
            open.

        Raises:
            InUseError: another process writes the run.
            OSError: it cannot be removed, and stays whole.
        """
        if not ID.fullmatch(run_id):  # an empty one would be the folder of all runs
            raise OSError("it is no run")
        stays = remove_folder(self.folder(run_id))
        self._forget(run_id)
        return stays

    def let_go(self) -> None:
        """Drop the readers of runs that nobody has asked for since the last call."""
        with self._lock:
            for run_id in self._histories.keys() - self._asked:
                self._histories.pop(run_id)
            self._asked = set()
        for run_id in self._notes.keys() - set(self.ids()):
            self._notes.pop(run_id, None)

    def _forget(self, run_id: str) -> None:
        self._notes.pop(run_id, None)
        self._unwritten.pop(run_id, None)
        with self._lock:
            self._histories.pop(run_id, None)

    def used(self, run_id: str) -> float:
        """Return when somebody last used a run, by the clock of ``now``; 0 if nobody can tell."""
        try:
            return (self.folder(run_id) / NOTE).lstat().st_mtime
        except OSError:
            return 0.0

    def touch(self, run_id: str, now: float) -> None:
        """Note that somebody uses a run."""
        with suppress(OSError):
            os.utime(self.folder(run_id) / NOTE, (now, now))

    def size(self, run_id: str) -> int:
        """Return the bytes of a run on the disk."""
        return size_of(self.folder(run_id))
