"""Size and removal of one run's folder. Only files that the app writes are counted and removed."""

import os
from contextlib import suppress
from pathlib import Path

from explainer.content import load_texts
from explainer.training.lease import numbers_in
from explainer.training.ownership import may_be_emptied
from vit_core.errors import VitError
from vit_core.runs.file_names import is_run_file
from vit_core.storage.locks import take

NOTE = "status.json"


class InUseError(VitError, OSError):
    """Another process writes the run, or a server has it."""


def size_of(folder: Path) -> int:
    """Return the bytes that a run's files take on the disk, without following links."""
    total = 0
    for entry in run_files(folder):
        with suppress(OSError):
            status = entry.stat(follow_symlinks=False)
            # a sparse file takes fewer bytes than its length; Windows does not report the blocks
            blocks: int | None = getattr(status, "st_blocks", None)
            total += status.st_size if blocks is None else min(status.st_size, 512 * blocks)
    return total


def run_files(folder: Path) -> list[os.DirEntry[str]]:
    """Return the regular files in a folder that have a name the app gives."""
    if not may_be_emptied(folder):
        return []
    files: list[os.DirEntry[str]] = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                if is_run_file(entry.name) and entry.is_file(follow_symlinks=False):
                    files.append(entry)
    return files


def remove_folder(folder: Path) -> list[str]:
    """Remove a run's files, then its folder. The note goes first, so that nobody sees half a run.

    Returns:
        The names of files that remain: those that the app did not write, and on Windows those that
        somebody has open. The folder remains with them.

    Raises:
        InUseError: another process writes the run, or a server has it; it stays complete.
        OSError: the note cannot be removed, and the run stays complete.
    """
    if not may_be_emptied(folder):
        raise OSError(load_texts("runs")["reason_no_folder"])
    if (lock := take(folder)) is None:
        raise InUseError("another process writes it")
    try:
        if numbers_in(folder):  # a server takes its lease while it has this lock
            raise InUseError("a server has it")
        (folder / NOTE).unlink(missing_ok=True)
        for entry in run_files(folder):
            if not entry.name.startswith(".lock"):
                with suppress(OSError):
                    os.unlink(entry.path)
    finally:
        lock.release()
    for entry in run_files(folder):  # left by a process that was killed
        if entry.name.startswith(".lock"):
            with suppress(OSError):
                os.unlink(entry.path)
    try:
        folder.rmdir()
    except OSError:
        with suppress(OSError):
            return sorted(os.listdir(folder))
    return []
