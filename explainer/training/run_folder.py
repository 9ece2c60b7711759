"""Size and removal of one run's folder. Only files that the app writes count, and only they go."""

import math
import os
from contextlib import suppress
from pathlib import Path

from explainer.training.ownership import may_be_emptied
from vit_core.errors import VitError
from vit_core.runs.file_names import is_run_file
from vit_core.storage.locks import take

NOTE = "status.json"


class InUseError(VitError, OSError):
    """Another process writes the run."""


def size_of(folder: Path) -> int:
    """Return the bytes that a run's files take on the disk; links are not followed."""
    total = 0
    for entry in run_files(folder):
        with suppress(OSError):
            found = entry.stat(follow_symlinks=False)
            # a file may say that it is longer than what is stored of it; Windows says no blocks
            total += min(found.st_size, 512 * getattr(found, "st_blocks", math.inf))
    return total


def run_files(folder: Path) -> list[os.DirEntry[str]]:
    """Return those regular files in a folder that the app may have written there."""
    if not may_be_emptied(folder):
        return []
    found: list[os.DirEntry[str]] = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                if is_run_file(entry.name) and entry.is_file(follow_symlinks=False):
                    found.append(entry)
    return found


def remove_folder(folder: Path) -> list[str]:
    """Remove a run's files, the note first, so that nobody sees half a run; then its folder.

    Returns:
        The names of what stays, with the folder: files that the app did not write, and on Windows
        those that somebody has open.

    Raises:
        InUseError: another process writes the run, which stays whole.
        OSError: the note cannot be removed, and the run stays whole.
    """
    if not may_be_emptied(folder):
        raise OSError("it is no folder of its own")
    if (lock := take(folder)) is None:
        raise InUseError("another process writes it")
    try:
        (folder / NOTE).unlink(missing_ok=True)
        for entry in run_files(folder):
            if not entry.name.startswith(".lock"):
                with suppress(OSError):
                    os.unlink(entry.path)
    finally:
        lock.release()
    for entry in run_files(folder):  # of a process that was killed
        if entry.name.startswith(".lock"):
            with suppress(OSError):
                os.unlink(entry.path)
    try:
        folder.rmdir()
    except OSError:
        with suppress(OSError):
            return sorted(os.listdir(folder))
    return []
