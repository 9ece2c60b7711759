"""What runs on a machine of the cluster: a training process, and the way of its files home.

The actor starts ``python -m vit_core.worker``, passes orders to it and keeps its answers until they
are asked for. If the machine sees the folder of the run itself, the process trains there. If not,
it trains in a temporary folder, and each file goes home when it has changed.

This class is sent to the machines as it is, so it needs the standard library alone. The training
process needs ``vit_core`` there, in the version of the server.
"""

import contextlib
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Condition, Lock, Thread
from typing import Any

METRICS = "metrics.jsonl"
CONFIG = "config.json"
STATE = "state.safetensors"
INIT = "init.safetensors"  # the weights to start from, where they come with the order
ALONE = "VIT_EXPLAINER_RAY_SHARED"  # "no" on a machine: never train in the run's own folder
LOOK_SECONDS = 0.2  # between two looks for changed files
WAIT_SECONDS = 5.0  # until an answer without news
MOST_BYTES = 32 * 1024**2  # of files in one answer, after which no further one is read

PREFIX = "vit-run-"  # of temporary folders
HELD = ".held"  # in each of them, locked by its worker

Stamp = tuple[int, int, int]  # inode, time and size of a file


class NodeWorker:
    """One training process on a machine of the cluster."""

    def __init__(self, options: list[str], threads: int, search_path: str) -> None:
        """Start the process.

        Args:
            options: of ``vit_core.worker``.
            search_path: where the server has its packages; another machine may have none there.
        """
        path = os.pathsep.join(filter(None, (search_path, os.environ.get("PYTHONPATH"))))
        self._answers: list[dict[str, Any]] = []
        self._changed = Condition()
        self._asking = Lock()
        self._latest: tuple[int, list[dict[str, Any]]] = (0, [])
        self._folder: Path | None = None  # where the process trains, if its files go home
        self._lock: int | None = None  # of that folder, while this process lives
        self._sent: dict[str, Stamp] = {}
        remove_left_folders()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "vit_core.worker", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": str(threads)},
        )
        Thread(target=self._read_answers, daemon=True).start()

    def sees(self, token: str) -> bool:
        """Whether a file that the server has just made is here too, and can be removed from here.

        It is gone afterwards, by which the server knows that both mean the same folder.
        """
        if os.environ.get(ALONE, "").lower() == "no":
            return False
        with contextlib.suppress(OSError):
            os.unlink(token)
            return True
        return False

    def take(self, order: dict[str, Any], files: dict[str, bytes] | None = None) -> None:
        """Pass an order on; with ``files``, train in a temporary folder that has them."""
        if order["do"] == "run":
            self._forget_folder()
            if files is not None:
                order = order | {"path": str(self._make_folder(files))}
        with contextlib.suppress(OSError, ValueError):  # it has ended, which ``news`` tells
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()

    def news(self, known: int) -> tuple[int, list[dict[str, Any]]]:
        """Return changed files and then answers, as soon as there are any, and their number.

        Args:
            known: the number of the news that arrived last; if others were sent since, they were
                lost on their way and are sent again.
        """
        with self._asking:
            if self._latest[0] == known:
                if any(is_end(one) for one in self._latest[1]):  # all its files are home
                    self._forget_folder()
                self._latest = (known + 1, self._wait())
            return self._latest

    def _wait(self) -> list[dict[str, Any]]:
        until = time.monotonic() + WAIT_SECONDS
        while True:
            with self._changed:
                answers, self._answers = self._answers, []
            # looked for after the answers were taken: when a run has ended, its files go first
            files, is_all = self._changes()
            if not is_all:
                with self._changed:
                    self._answers, answers = answers + self._answers, []
            if files or answers or time.monotonic() > until:
                return files + answers
            with self._changed:
                if not self._answers:
                    self._changed.wait(LOOK_SECONDS if self._folder else WAIT_SECONDS)

    def _read_answers(self) -> None:
        for line in self._process.stdout or ():
            with contextlib.suppress(ValueError):
                self._add({"answer": json.loads(line)})
        self._add({"exit": self._process.wait()})

    def _add(self, news: dict[str, Any]) -> None:
        with self._changed:
            self._answers.append(news)
            self._changed.notify_all()

    def _make_folder(self, files: dict[str, bytes]) -> Path:
        folder, self._lock = make_locked_folder()
        for name, content in files.items():
            if name == CONFIG and INIT in files:
                content = json.dumps(json.loads(content) | {"init": str(folder / INIT)}).encode()
            (folder / name).write_bytes(content)
            self._sent[name] = stamp(os.stat(folder / name))
        self._folder = folder
        return folder

    def _forget_folder(self) -> None:
        folder, self._folder = self._folder, None
        self._sent = {}
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _changes(self) -> tuple[list[dict[str, Any]], bool]:
        """Return the files that have changed, and whether these are all.

        The state to resume from comes last: whoever has it has all else of its epoch. The lines of
        metrics are read after it was seen, so that its epoch's line is among them.
        """
        folder = self._folder
        if folder is None:
            return [], True
        with os.scandir(folder) as entries:
            seen = {
                entry.name: stamp(os.stat(entry.path))
                for entry in entries
                if not entry.name.startswith(".") and entry.name != INIT
            }
        found: list[dict[str, Any]] = []
        total, is_all = 0, True
        for name in sorted(seen, key=lambda name: (name == STATE, name != METRICS)):
            if self._sent.get(name) == seen[name]:
                continue
            if total > MOST_BYTES:
                return found, False
            with (folder / name).open("rb") as file:
                now, content = stamp(os.fstat(file.fileno())), file.read()
            if name == METRICS:
                content = content[: content.rfind(b"\n") + 1]
                before = self._sent.get(name, (0, 0, 0))
                start = before[2] if before[0] == now[0] and before[2] <= len(content) else 0
                now = (now[0], now[1], len(content))
                # a line that was half written has another time when it is whole
                self._sent[name] = now if len(content) == seen[name][2] else (now[0], 0, now[2])
                if start < len(content) or before[0] != now[0]:
                    found.append({"file": name, "start": start, "content": content[start:]})
            elif now == seen[name]:
                self._sent[name] = now
                found.append({"file": name, "content": content})
            else:  # replaced a moment ago, perhaps by that of the next epoch
                is_all = False
                continue
            total += len(content)
        return found, is_all


def is_end(news: dict[str, Any]) -> bool:
    """Whether a run has ended with this."""
    answer = news.get("answer")
    return isinstance(answer, dict) and answer.get("event") == "ended"


def make_locked_folder() -> tuple[Path, int]:
    """Return a new temporary folder, and its open lock, which ends with this process."""
    folder = tempfile.mkdtemp(prefix="vit-new-")
    lock = os.open(os.path.join(folder, HELD), os.O_CREAT | os.O_RDWR, 0o600)
    has_lock(lock)
    path = Path(folder).with_name(os.path.basename(folder).replace("vit-new-", PREFIX))
    os.rename(folder, path)  # only now it can be found, and taken for one that was left
    return path, lock


def remove_left_folders() -> None:
    """Remove the folders of workers on this machine that were killed."""
    for folder in glob.glob(os.path.join(glob.escape(tempfile.gettempdir()), f"{PREFIX}*")):
        with contextlib.suppress(OSError):  # another user's, or gone a moment ago
            lock = os.open(os.path.join(folder, HELD), os.O_RDWR)
            try:
                if has_lock(lock):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def has_lock(file: int) -> bool:
    """Take the lock of an open file; return False if another process has it."""
    try:
        import fcntl
    except ImportError:  # Windows has no such locks; its folders stay until somebody clears them
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def stamp(status: os.stat_result) -> Stamp:
    """Return by what a changed file is known."""
    return status.st_ino, status.st_mtime_ns, status.st_size
