"""The folder of all runs: one run directory each, with a note that holds its visitor and state.

The name of a run proves that the app made it in this folder (see ``ownership``). Runs of the app's
first versions and of other folders have no such name. They are shown and belong to their visitor,
but the app changes and deletes them only when that visitor asks for it.
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

from explainer import measuring
from explainer.content import load_texts
from explainer.training.note import Note, hashed, note_bytes, read_note
from explainer.training.ownership import ID, OLD_ID, Ownership, is_real_folder
from explainer.training.run_folder import NOTE, remove_folder, size_of
from vit_core.runs.history import RunHistory
from vit_core.storage.atomic import write_atomically

__all__ = ["NOTE", "Note", "RunStore", "hashed"]

MAX_HISTORIES = 32  # readers of runs that are kept, each with the lines that it has read


class RunStore:
    """Reads and writes the folder of runs; it does not know which processes train them."""

    def __init__(self, root: Path, now: Callable[[], float] = time.time) -> None:
        """Write nothing yet.

        Args:
            now: the clock by which the last use of a run is recorded.
        """
        self.root, self.now = root, now
        self.ownership = Ownership(root)
        self._lock = Lock()
        self._histories: OrderedDict[str, RunHistory] = OrderedDict()
        self._used_histories: set[str] = set()  # since the last call of ``drop_unused``
        # run id → (inode and time of the file that was read, its note); None for a copied note
        self._notes: dict[str, tuple[tuple[int, int], Note | None]] = {}
        self._unwritten: dict[str, Note] = {}  # that could not be written to the disk yet

    def new_id(self) -> str:
        """Return the id of a new run, which nobody can guess.

        Raises:
            OSError: the folder cannot be made or written.
        """
        return self.ownership.new_id()

    def folder(self, run_id: str) -> Path:
        return self.root / run_id

    def history(self, run_id: str) -> RunHistory:
        """Return the reader of a run, which all visitors share while somebody looks at the run."""
        with self._lock:
            if run_id not in self._histories:
                self._histories[run_id] = RunHistory(self.folder(run_id))
            self._histories.move_to_end(run_id)
            self._used_histories.add(run_id)
            while len(self._histories) > MAX_HISTORIES:
                self._histories.popitem(last=False)
            return self._histories[run_id]

    def ids(self) -> list[str]:
        """Return the names of all folders that may be runs."""
        try:
            names = os.listdir(self.root)
        except OSError:
            return []
        return [name for name in names if ID.fullmatch(name) and is_real_folder(self.folder(name))]

    def made_ids(self) -> list[str]:
        """Return the ids of the runs that the app made here, also of those without a note."""
        return [run_id for run_id in self.ids() if self.ownership.has_made(run_id)]

    def notes_of(self, owner: str) -> dict[str, Note]:
        """Return the notes of an owner's runs by their ids."""
        notes = ((run_id, self._read(run_id)) for run_id in self.ids())
        return {run_id: note for run_id, note in notes if note and note.owner == owner}

    def is_writable(self) -> bool:
        return os.access(self.root, os.W_OK)

    def problem(self) -> str:
        """Return a sentence that says why the folder cannot hold runs; empty if no reason is known.

        A full disk is noticed only when something is written.
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
        """Return whether a run's visitor may change it: this or an early version made it."""
        return self.ownership.has_made(run_id) or bool(OLD_ID.fullmatch(run_id))

    def read(self, run_id: str) -> Note | None:
        """Return a run's note, or None if there is no such run."""
        if not ID.fullmatch(run_id) or not is_real_folder(self.folder(run_id)):
            self._forget(run_id)
            return None
        return self._read(run_id)

    def _read(self, run_id: str) -> Note | None:
        """Return the note in a folder that may be a run, or None."""
        path = self.folder(run_id) / NOTE
        try:
            status = os.lstat(path)
            if not stat.S_ISREG(status.st_mode):
                return None
            if run_id in self._unwritten:
                return self._unwritten[run_id]
            stamp = (status.st_ino, status.st_mtime_ns)
            known_stamp, note = self._notes.get(run_id, (None, None))
            if stamp != known_stamp:
                note = read_note(path, run_id)
                self._notes[run_id] = (stamp, note)
            return note
        except OSError:
            self._forget(run_id)
            return None

    def write(self, run_id: str, note: Note) -> None:
        """Write a run's note.

        Raises:
            OSError: it cannot be written; the old note stays.
        """
        write_atomically(self.folder(run_id) / NOTE, note_bytes(note, run_id))
        self._unwritten.pop(run_id, None)
        self.touch(run_id, self.now())

    def change(self, run_id: str, **values: Any) -> None:
        """Change some fields of a run's note, if there is one.

        A note that cannot be written now is kept in memory, and ``write_late`` writes it.
        """
        if note := self.read(run_id):
            changed = replace(note, **values)
            if changed.state != note.state:
                measuring.happened("run", changed.state, seconds=self.history(run_id).seconds)
            try:
                self.write(run_id, changed)
            except OSError:
                self._unwritten[run_id] = changed

    def is_late(self, run_id: str) -> bool:
        """Return whether a run's note could not be written to the disk yet."""
        return run_id in self._unwritten

    def reread(self, run_id: str) -> Note | None:
        """Return a run's note from the disk, whatever is remembered of it."""
        self._notes.pop(run_id, None)
        self._unwritten.pop(run_id, None)
        return self.read(run_id)

    def write_late(self, is_ours: Callable[[str], bool]) -> None:
        """Try again to write the notes that could not be written before.

        Args:
            is_ours: whether this server still has a run, so that it may write its note.
        """
        for run_id, note in list(self._unwritten.items()):
            if self.read(run_id) is None or not is_ours(run_id):  # deleted, or taken over
                self._unwritten.pop(run_id, None)
                continue
            with suppress(OSError):
                self.write(run_id, note)

    def delete(self, run_id: str) -> list[str]:
        """Delete a run.

        Returns:
            The names of files that remain, because the app did not write them or somebody has
            them open.

        Raises:
            InUseError: another process writes the run.
            OSError: it cannot be deleted, and stays complete.
        """
        if not ID.fullmatch(run_id):  # an empty one would be the folder of all runs
            raise OSError(load_texts("runs")["reason_no_run"])
        remaining = remove_folder(self.folder(run_id))
        self._forget(run_id)
        return remaining

    def drop_unused(self) -> None:
        """Drop readers that nobody asked for since the last call, and notes of deleted runs."""
        with self._lock:
            for run_id in self._histories.keys() - self._used_histories:
                self._histories.pop(run_id)
            self._used_histories = set()
        for run_id in self._notes.keys() - set(self.ids()):
            self._notes.pop(run_id, None)

    def _forget(self, run_id: str) -> None:
        self._notes.pop(run_id, None)
        self._unwritten.pop(run_id, None)
        with self._lock:
            self._histories.pop(run_id, None)

    def last_used(self, run_id: str) -> float:
        """Return when a run was last used, by the clock of ``now``; 0 if unknown."""
        try:
            return (self.folder(run_id) / NOTE).lstat().st_mtime
        except OSError:
            return 0.0

    def touch(self, run_id: str, now: float) -> None:
        """Record that somebody uses a run."""
        with suppress(OSError):
            os.utime(self.folder(run_id) / NOTE, (now, now))

    def size(self, run_id: str) -> int:
        """Return the bytes that a run takes on the disk."""
        return size_of(self.folder(run_id))
