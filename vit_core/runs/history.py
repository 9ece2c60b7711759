"""Reading a run directory that another process may be writing, or that somebody has damaged."""

import os
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from vit_core.runs.directory import HARDEST, RunConfig, parse_line, read_config
from vit_core.runs.file_names import EPOCH_FILE
from vit_core.runs.snapshot import FILE, Snapshot
from vit_core.storage.strict_json import read_json
from vit_core.training.hard_example import HardExample

FINAL = "final.safetensors"
MOST_LINES = 2_000  # of metrics that are kept; more than a chart has pixels
NEWEST = 500  # of these lines, which are all kept
MOST_LINE = 16 * 1024  # bytes of one line of metrics
MOST_METRICS = 64 * 1024**2  # bytes of metrics.jsonl that are read
MOST_HARDEST = 256 * 1024  # bytes of hardest.json

Line = dict[str, Any]


class RunHistory:
    """What a run has written so far. It takes no lock, and every call sees what is new.

    Threads may share one. Of a long run it keeps some lines of metrics in memory: those of whole
    epochs, the newest, and of the others as many as a chart can show.
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

    def metrics(self) -> list[Line]:
        """Return the whole lines of metrics.jsonl, of a long run some of them.

        A damaged line ends them. Only what was added since the last call is read.
        """
        return self.stamped_metrics()[1]

    def stamped_metrics(self) -> tuple[object, list[Line]]:
        """Return what ``metrics`` does, and a stamp that is the same while nothing is new."""
        with self._lock:
            try:
                with open_metrics(self.path) as file:
                    self._read_on(file)
            except OSError:
                self._lines, self._read = [], (0, 0)
            return self._read, list(self._lines)

    def all_metrics(self) -> Iterator[Line]:
        """Yield every whole line of metrics.jsonl, which is read anew."""
        try:
            with open_metrics(self.path) as file:
                for _, line in whole_lines(file):
                    yield line
        except OSError:
            return

    def _read_on(self, file: IO[bytes]) -> None:
        # a resumed run writes the file anew, without the epoch that it takes again
        inode, (known, offset) = os.fstat(file.fileno()).st_ino, self._read
        if inode != known or file.seek(0, 2) < offset:
            self._lines, offset = [], 0
        file.seek(offset)
        for count, line in whole_lines(file, offset):
            self._lines.append(line)
            offset += count
            if len(self._lines) > MOST_LINES:
                self._lines = thinned(self._lines)
        self._read = (inode, offset)

    def epochs(self) -> tuple[int, ...]:
        """Return the epochs that were saved, in order; 0 is the untrained model."""
        try:
            with os.scandir(self.path) as entries:
                names = [entry.name for entry in entries if entry.is_file()]
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

    def hardest(self) -> list[HardExample]:
        """Return the test images that the finished model finds hardest; none before."""
        try:
            entries = read_json(self.path / HARDEST, MOST_HARDEST)
        except (OSError, ValueError):
            return []
        if not isinstance(entries, list):
            return []
        examples = map(HardExample.from_dict, entries)
        return [example for example in examples if example is not None]

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


def open_metrics(folder: Path) -> IO[bytes]:
    """Open a run's metrics.

    Raises:
        OSError: they are missing, no regular file, or cannot be read.
    """
    path = folder / "metrics.jsonl"
    if not path.is_file():  # whoever opens a pipe waits
        raise FileNotFoundError(path)
    return path.open("rb")


def whole_lines(file: IO[bytes], offset: int = 0) -> Iterator[tuple[int, Line]]:
    """Yield the lines from here on, each with its number of bytes, until one is not whole.

    Args:
        offset: bytes of the file before them.
    """
    while offset < MOST_METRICS:
        text = file.readline(MOST_LINE)
        line = parse_line(text) if text.endswith(b"\n") else None
        if line is None:
            return
        offset += len(text)
        yield len(text), line


def thinned(lines: list[Line]) -> list[Line]:
    """Return about half of the older lines of each kind, and all newest and of whole epochs."""
    seen: Counter[bool] = Counter()
    kept = []
    for line in lines[:-NEWEST]:
        is_sample = "sample_loss" in line
        seen[is_sample] += 1
        if line.get("val_accuracy") is not None or seen[is_sample] % 2:
            kept.append(line)
    return [*kept, *lines[-NEWEST:]][-MOST_LINES:]
