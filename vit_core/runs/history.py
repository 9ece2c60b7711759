"""Reading a run directory that another process may be writing, or that somebody has damaged."""

import os
import stat
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from vit_core.runs.directory import (
    HARDEST,
    HARDEST_PICTURES,
    RunConfig,
    parse_line,
    read_config,
)
from vit_core.runs.file_names import EPOCH_FILE
from vit_core.runs.snapshot import FILE, Snapshot
from vit_core.storage.strict_json import read_json
from vit_core.training.hard_example import HardExample

FINAL = "final.safetensors"
MOST_LINES = 2_000  # of metrics that are kept; a chart has no more pixels
NEWEST = 500  # of these lines, all of which are kept
MOST_LINE = 16 * 1024  # bytes of one line of metrics
MOST_METRICS = 64 * 1024**2  # bytes of metrics.jsonl that are read
MOST_HARDEST = 256 * 1024  # bytes of hardest.json
MOST_PICTURES = 2 * 1024**2  # bytes of their images

Line = dict[str, Any]


class Mark(NamedTuple):
    """How far somebody has read a run's metrics.

    Attributes:
        version: of the lines; a new one begins where lines that were read no longer count.
        lines: number of lines that were read.
    """

    version: int
    lines: int


@dataclass(frozen=True)
class MetricsUpdate:
    """What is new in a run's metrics.

    Attributes:
        lines: the new lines in order, or all of them if ``replaces``.
        replaces: whether the lines that were read before no longer count.
        mark: for the next call.
    """

    lines: list[Line]
    replaces: bool
    mark: Mark


class Position(NamedTuple):
    """Where reading metrics.jsonl stopped.

    Attributes:
        inode: of the file.
        offset: bytes that were read.
        last_line: the bytes before the offset, by which the file is known again. A resumed run
            replaces the file, and the new one may get the inode of an older one.
    """

    inode: int = 0
    offset: int = 0
    last_line: bytes = b""


class RunHistory:
    """What a run has written so far. It takes no lock, and every call sees what is new.

    Threads may share one. The lines of a long run are not all kept in memory: only those of whole
    epochs, the newest, and as many of the others as a chart can show.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self._config: RunConfig | None = None
        self._lines: list[Line] = []
        self._version = 0
        self._position = Position()
        self._snapshot: tuple[tuple[int, int] | None, Snapshot | None] = (None, None)

    @property
    def config(self) -> RunConfig:
        """The run's settings.

        Raises:
            RunError: there is no run, or its settings are damaged; the message is one sentence.
        """
        known = self._config
        # a worker adds the fingerprint of data that the server has not read, and what was taken
        if known is None or not known.data or (known.init and not known.taken):
            self._config = known = read_config(self.path)
        return known

    @property
    def steps_per_epoch(self) -> int:
        """Number of optimizer steps in an epoch.

        Raises:
            RunError: as ``config``.
        """
        images = self.config.images * self.config.train.repeats
        return images // min(self.config.train.batch_size, images)

    @property
    def total_steps(self) -> int:
        """Number of optimizer steps in the whole run.

        Raises:
            RunError: as ``config``.
        """
        return self.steps_per_epoch * self.config.train.epochs

    def metrics(self) -> list[Line]:
        """Return the complete lines of metrics.jsonl; of a long run only some of them.

        Reading stops at a damaged line. Only what was added since the last call is read.
        """
        return self.metrics_since(None).lines

    def metrics_since(self, mark: Mark | None) -> MetricsUpdate:
        """Return the lines that were added after ``mark``, which an earlier call returned.

        Args:
            mark: None for all lines.
        """
        with self._lock:
            try:
                with open_metrics(self.path) as file:
                    self._read_new(file)
            except OSError:
                self._start_over()
            replaces = mark is None or mark.version != self._version
            lines = self._lines if replaces or mark is None else self._lines[mark.lines :]
            return MetricsUpdate(list(lines), replaces, Mark(self._version, len(self._lines)))

    def all_metrics(self) -> Iterator[Line]:
        """Yield every complete line of metrics.jsonl, read from the start."""
        try:
            with open_metrics(self.path) as file:
                for _, line in complete_lines(file):
                    yield line
        except OSError:
            return

    def _read_new(self, file: IO[bytes]) -> None:
        if not is_continued(file, self._position):
            self._start_over()
        _, offset, last_line = self._position
        file.seek(offset)
        for text, line in complete_lines(file, offset):
            self._lines.append(line)
            offset, last_line = offset + len(text), text
            if len(self._lines) > MOST_LINES:
                self._lines = thinned(self._lines)
                self._version += 1
        self._position = Position(os.fstat(file.fileno()).st_ino, offset, last_line)

    def _start_over(self) -> None:
        if self._lines:
            self._version += 1
        self._lines, self._position = [], Position()

    def epochs(self) -> tuple[int, ...]:
        """Return the epochs that were saved, in order; 0 is the untrained model."""
        try:
            with os.scandir(self.path) as entries:
                names = [entry.name for entry in entries if entry.is_file()]
        except OSError:
            return ()
        epochs = {int(match[1]) for name in names if (match := EPOCH_FILE.fullmatch(name))}
        return tuple(sorted(epochs))

    def checkpoint(self, epoch: int | None = None) -> Path:
        """Return the path of an epoch's model, which may be missing; None for the final model."""
        name = FINAL if epoch is None else f"epoch-{epoch:03d}.safetensors"
        return self.path / name

    def epoch_line(self, epoch: int) -> Line | None:
        """Return the metrics of a whole epoch, with ``val_accuracy``; None if there are none."""
        lines = (
            line
            for line in reversed(self.metrics())
            if line["epoch"] == epoch and line.get("val_accuracy") is not None
        )
        return next(lines, None)

    @property
    def test_accuracy(self) -> float | None:
        """Share of the test images that are right, 0 to 1; None before the run is finished."""
        lines = self.metrics()
        return lines[-1].get("test_accuracy") if lines else None

    @property
    def seconds(self) -> float:
        """Seconds that the run has taken so far, all resumptions together."""
        lines = self.metrics()
        return float(lines[-1]["seconds"]) if lines else 0.0

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

    def hardest_pictures(self) -> Tensor | None:
        """Return the images of ``hardest``, (n, channels, height, width) uint8.

        They are the first of hardest.json, which may have more; None where there are none, or the
        file is damaged.
        """
        path = self.path / HARDEST_PICTURES
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_PICTURES:
                return None
            images = safetensors.torch.load_file(path)["images"]
        except (OSError, KeyError, safetensors.SafetensorError):
            return None
        is_sound = images.dtype == torch.uint8 and images.ndim == 4 and images.shape[1] in (1, 3)
        return images if is_sound and images.numel() else None

    def snapshot(self) -> Snapshot | None:
        """Return what the model did a moment ago; None if the run writes no snapshots."""
        try:
            status = (self.path / FILE).stat()
        except OSError:
            return None
        stamp = (status.st_ino, status.st_mtime_ns)
        known, snapshot = self._snapshot
        if stamp != known:
            snapshot = Snapshot.load(self.path)
            self._snapshot = (stamp, snapshot)
        return snapshot


def open_metrics(folder: Path) -> IO[bytes]:
    """Open a run's metrics.

    Raises:
        OSError: the file is missing, is no regular file, or cannot be read.
    """
    path = folder / "metrics.jsonl"
    if not path.is_file():  # opening a pipe would wait for a writer
        raise FileNotFoundError(path)
    return path.open("rb")


def is_continued(file: IO[bytes], position: Position) -> bool:
    """Whether a file still begins with what was read from it up to ``position``."""
    if os.fstat(file.fileno()).st_ino != position.inode:
        return False
    file.seek(position.offset - len(position.last_line))
    return file.read(len(position.last_line)) == position.last_line


def complete_lines(file: IO[bytes], offset: int = 0) -> Iterator[tuple[bytes, Line]]:
    """Yield each line with its bytes, from here to the first that is damaged or incomplete.

    Args:
        offset: number of bytes in the file before them.
    """
    while offset < MOST_METRICS:
        text = file.readline(MOST_LINE)
        line = parse_line(text) if text.endswith(b"\n") else None
        if line is None:
            return
        offset += len(text)
        yield text, line


def thinned(lines: list[Line]) -> list[Line]:
    """Return about half of the older lines of each kind, with all of whole epochs, and the newest.

    Never more than ``MOST_LINES``.
    """
    seen: Counter[bool] = Counter()
    kept = []
    for line in lines[:-NEWEST]:
        is_sample = "sample_loss" in line
        seen[is_sample] += 1
        if line.get("val_accuracy") is not None or seen[is_sample] % 2:
            kept.append(line)
    return [*kept, *lines[-NEWEST:]][-MOST_LINES:]
