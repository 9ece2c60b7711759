"""Which folders the app made: their names prove it.

The folder of all runs holds a file with a random key. The name of a run ends in a code that is
computed with this key. So no other folder counts as made by the app, whatever it holds: no folder
of somebody else, no copy under another name, and no folder into which files of a run were copied.
"""

import hashlib
import hmac
import os
import re
import secrets
import stat
import time
from pathlib import Path

from explainer.content import load_texts
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
SECRET_LENGTH, CODE_LENGTH = 16, 8  # characters of a run's name: random ones, then the code
OLD_ID = re.compile(r"[A-Za-z0-9_-]{20}")  # names of the first versions, without a code
# while another server writes the marker
RETRY_SECONDS, RETRIES = 0.05, 20


class Ownership:
    """The key of one folder of runs, with which names are made and checked."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._key: str | None = None

    @property
    def key(self) -> str | None:
        """The folder's key; None as long as the app has made nothing in it."""
        if self._key is None:
            self._key = read_key(self.root / MARKER)
        return self._key

    def claim(self) -> None:
        """Create the folder and its marker if they are missing.

        Raises:
            OSError: they cannot be created.
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
            for _ in range(RETRIES):  # another server may be writing it
                if self.key is not None:
                    return
                time.sleep(RETRY_SECONDS)
            write_atomically(path, text)  # it was damaged
        if self.key is None:
            raise OSError(load_texts("runs")["reason_unreadable"].format(name=MARKER))

    def claim_new(self) -> None:
        """Claim the folder if it is missing or empty; leave any other as it is."""
        try:
            if not self.root.exists() or is_unused(self.root):
                self.claim()
        except OSError:
            return  # a visitor learns of it when starting a run

    def new_id(self) -> str:
        """Return the name of a new run, which nobody can guess.

        Raises:
            OSError: the folder of runs cannot be created or written.
        """
        self.claim()
        start = secrets.token_urlsafe(12)
        return start + self._code(start)

    def has_made(self, run_id: str) -> bool:
        """Return whether the app made the folder of this name, in this folder of runs."""
        if self.key is None or len(run_id) != SECRET_LENGTH + CODE_LENGTH:
            return False
        start, code = run_id[:SECRET_LENGTH], run_id[SECRET_LENGTH:]
        return hmac.compare_digest(code.encode(), self._code(start).encode())

    def _code(self, start: str) -> str:
        assert self.key is not None
        digest = hmac.new(self.key.encode(), start.encode(), hashlib.sha256)
        return digest.hexdigest()[:CODE_LENGTH]


def read_key(path: Path) -> str | None:
    try:
        match = KEY.search(read_small(path, 4096).decode())
    except (OSError, ValueError):
        return None
    return match and match[1]


def is_real_folder(path: Path) -> bool:
    """Return whether a path is a folder itself: no link, no junction, and not on another disk."""
    try:
        status, parent = os.lstat(path), os.stat(path.parent)
    except (OSError, ValueError):
        return False
    # on Windows, junctions and other folders that lead elsewhere have a reparse tag
    leads_elsewhere = bool(getattr(status, "st_reparse_tag", 0)) or status.st_dev != parent.st_dev
    return stat.S_ISDIR(status.st_mode) and not leads_elsewhere


def may_be_emptied(path: Path) -> bool:
    """Return whether files in a folder may be counted and removed: no disk is mounted on it."""
    return is_real_folder(path) and not os.path.ismount(path)
