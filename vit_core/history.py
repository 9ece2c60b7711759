"""Reading a run directory that another process may be writing, or that somebody has damaged."""

import json
import os
import re
import threading
from pathlib import Path
from typing import Any

from vit_core.evaluate import Hard
from vit_core.run import HARDEST, RunConfig, parse_line, read_config
from vit_core.snapshot import FILE, Snapshot

EPOCH_FILE = re.compile(r"epoch-(\d{3,})\.safetensors")
FINAL = "final.safetensors"


class RunHistory:
    """What a run has written so far. It takes no lock, and every call sees what is new.

    Threads may share one.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self._config: RunConfig | None = None
        self._lines: list[dict[str, Any]] = []
        self._read: tuple[int, int] = (0, 0)  # inode and bytes of metrics.jsonl seen so far
        self._snapshot: tuple[tuple[int, int] | None, Snapshot | None] = (None, None)

    @property
    def config(self) -> RunConfig:
        """The run's settings.

        Raises:
            RunError: there is no run, or its settings are damaged; the message is one sentence.
        """
        if self._config is None:
            self._config = read_config(self.path)
        return self._config

    @property
    def steps_per_epoch(self) -> int:
        images = self.config.images
        return images // min(self.config.train.batch_size, images)

    @property
    def total_steps(self) -> int:
        return self.steps_per_epoch * self.config.train.epochs

    def metrics(self) -> list[dict[str, Any]]:
        """Return the whole lines of metrics.jsonl; a damaged line ends them.

        Only what was added since the last call is read.
        """
        with self._lock:
            try:
                with (self.path / "metrics.jsonl").open("rb") as file:
                    self._read_on(file)
            except OSError:
                self._lines, self._read = [], (0, 0)
            return list(self._lines)

    def _read_on(self, file: Any) -> None:
        # a resumed run writes the file anew, without the epoch that it takes again
        inode, (known, offset) = os.fstat(file.fileno()).st_ino, self._read
        if inode != known or file.seek(0, 2) < offset:
            self._lines, offset = [], 0
        file.seek(offset)
        for text in file:
            if not text.endswith(b"\n"):
                break
            line = parse_line(text)
            if line is None:
                break
            self._lines.append(line)
            offset += len(text)
        self._read = (inode, offset)

    def epochs(self) -> tuple[int, ...]:
        """Return the epochs that were saved, in order; 0 is the untrained model."""
        try:
            names = [entry.name for entry in self.path.iterdir()]
        except OSError:
            return ()
        found = {int(match[1]) for name in names if (match := EPOCH_FILE.fullmatch(name))}
        return tuple(sorted(found))

    def checkpoint(self, epoch: int | None = None) -> Path:
        """Return the file of an epoch's model, which may be missing; None for the run's last."""
        name = FINAL if epoch is None else f"epoch-{epoch:03d}.safetensors"
        return self.path / name

    def epoch_line(self, epoch: int) -> dict[str, Any] | None:
        """Return the metrics of a whole epoch, with ``val_accuracy``; None where there are none."""
        lines = (
            line
            for line in reversed(self.metrics())
            if line["epoch"] == epoch and line.get("val_accuracy") is not None
        )
        return next(lines, None)

    @property
    def test_accuracy(self) -> float | None:
        """Of the finished run."""
        lines = self.metrics()
        return lines[-1].get("test_accuracy") if lines else None

    @property
    def seconds(self) -> float:
        """Time that the run has taken so far, over all its resumptions."""
        lines = self.metrics()
        return lines[-1]["seconds"] if lines else 0.0

    def hardest(self) -> list[Hard]:
        """Return the test images that the finished model finds hardest; none before."""
        try:
            found = json.loads((self.path / HARDEST).read_bytes())
            return [Hard(**one) for one in found]
        except (OSError, ValueError, TypeError, RecursionError):
            return []

    def snapshot(self) -> Snapshot | None:
        """Return what the model did a moment ago; None for runs that nobody could watch."""
        try:
            found = (self.path / FILE).stat()
        except OSError:
            return None
        stamp = (found.st_ino, found.st_mtime_ns)
        known, snapshot = self._snapshot
        if stamp != known:
            snapshot = Snapshot.load(self.path)
            self._snapshot = (stamp, snapshot)
        return snapshot
