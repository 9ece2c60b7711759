"""Which folders are the app's own: those whose names prove that the app made them.

The folder of all runs holds a file with a random key. The name of a run ends in a code that only
this key gives, so that no other folder is taken for a run, whatever it holds: not one that somebody
else made, not a copy under another name, and not one into which a run's files were copied.
"""

import hashlib
import hmac
import os
import re
import secrets
import stat
import time
from pathlib import Path

from vit_core.storage.atomic import write_atomically
from vit_core.storage.locks import is_unused
from vit_core.storage.strict_json import read_small

MARKER = ".made-by-vit-explainer"
KEY = re.compile(r"^key: ([0-9a-f]{32})$", re.MULTILINE)
TEXT = """\
ViT Explainer made this file. It keeps training runs in this folder.
It deletes only folders that it made itself, which it knows by this key and their names.
Nothing else here is ever changed or deleted. If this file is lost, the app still shows the runs
here, but it deletes none of them by itself.
key: {key}
"""
ID = re.compile(r"[A-Za-z0-9_-]{8,40}")
SECRET_LENGTH, CODE_LENGTH = 16, 8  # characters of a run's name: what nobody guesses, and the code
OLD_ID = re.compile(r"[A-Za-z0-9_-]{20}")  # as the first versions named runs, without a code
WAIT, WAITS = 0.05, 20  # seconds, and how often, until another server has written the marker


class Ownership:
    """The key of one folder of runs, and what it proves."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._key: str | None = None

    @property
    def key(self) -> str | None:
        """The folder's key; None before the app has made anything in it."""
        if self._key is None:
            self._key = read_key(self.root / MARKER)
        return self._key

    def claim(self) -> None:
        """Make the folder and its marker, where they are missing.

        Raises:
            OSError: that cannot be done.
        """
        path = self.root / MARKER
        if self.key is not None and path.exists():
            return
        self.root.mkdir(parents=True, exist_ok=True)
        text = TEXT.format(key=self.key or secrets.token_hex(16)).encode()
        try:
            with path.open("xb") as file:
                file.write(text)
        except FileExistsError:
            for _ in range(WAITS):  # another server may be writing it
                if self.key is not None:
                    return
                time.sleep(WAIT)
            write_atomically(path, text)  # it was damaged
        if self.key is None:
            raise OSError(f"{MARKER} cannot be read")

    def claim_new(self) -> None:
        """Claim a folder that is missing or empty, and leave any other as it is."""
        try:
            if not self.root.exists() or is_unused(self.root):
                self.claim()
        except OSError:
            return  # it is said when somebody starts a run

    def new_id(self) -> str:
        """Return the name of a new run, which nobody can guess.

        Raises:
            OSError: the folder of runs cannot be made or written.
        """
        self.claim()
        start = secrets.token_urlsafe(12)
        return start + self._code(start)

    def has_made(self, run_id: str) -> bool:
        """Whether a folder of this name was made by the app, in this very folder of runs."""
        if self.key is None or len(run_id) != SECRET_LENGTH + CODE_LENGTH:
            return False
        start, code = run_id[:SECRET_LENGTH], run_id[SECRET_LENGTH:]
        return hmac.compare_digest(code.encode(), self._code(start).encode())

    def _code(self, start: str) -> str:
        assert self.key is not None
        found = hmac.new(self.key.encode(), start.encode(), hashlib.sha256)
        return found.hexdigest()[:CODE_LENGTH]


def read_key(path: Path) -> str | None:
    try:
        found = KEY.search(read_small(path, 4096).decode())
    except (OSError, ValueError):
        return None
    return found and found[1]


def is_own_folder(path: Path) -> bool:
    """Whether this is a folder in its place: no link, no junction, on the disk that it lies on."""
    try:
        found, above = os.lstat(path), os.stat(path.parent)
    except (OSError, ValueError):
        return False
    # of Windows: junctions and other folders that lie elsewhere
    lies_elsewhere = bool(getattr(found, "st_reparse_tag", 0)) or found.st_dev != above.st_dev
    return stat.S_ISDIR(found.st_mode) and not lies_elsewhere


def may_be_emptied(path: Path) -> bool:
    """Whether files may be counted and removed in a folder: it is one, and nothing is mounted."""
    return is_own_folder(path) and not os.path.ismount(path)
