"""A run directory: what a training run writes, and what it needs to go on after a stop.

config.json              the model's and the run's settings, thread count, data fingerprint, command
metrics.jsonl            a line for each step interval and epoch; the last has test_accuracy too
epoch-000.safetensors    the untrained model, then one checkpoint for each epoch
final.safetensors        the last epoch's model, with the test accuracy in its metadata
hardest.json             the test images that it finds hardest
state.safetensors        model and optimizers after the last whole epoch, to resume from
.lock                    held by the process that writes; see vit_core.storage.locks
"""

import json
import os
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, Self

import safetensors
import safetensors.torch
from torch import Tensor

from vit_core.checkpoint import save_checkpoint
from vit_core.config import TrainConfig, ViTConfig
from vit_core.data import MNIST_TRAINING, DataInfo
from vit_core.errors import VitError
from vit_core.model import ViT
from vit_core.storage.atomic import write_atomically
from vit_core.storage.locks import Lock, is_unused, take
from vit_core.storage.plain_text import decode
from vit_core.storage.strict_json import number_in, parse_json, read_small
from vit_core.training.hard_example import HardExample

HARDEST = "hardest.json"
MOST_CONFIG = 256 * 1024  # bytes of config.json
MOST_EPOCHS = 999_999  # that the names of files have room for
LARGEST_METRIC = 1e30


class RunError(VitError, ValueError):
    """A run directory that cannot be used; the message says why in one sentence."""


@dataclass(frozen=True)
class RunConfig:
    """Everything that determines a run's result."""

    preset: str | None
    model: ViTConfig
    train: TrainConfig
    threads: int
    data: str  # fingerprint
    command: str
    dataset: str = "mnist"  # as --dataset takes it
    statistics: str = "data"  # as --statistics takes it
    is_streamed: bool = False  # whether images are read from their files while they are used
    images: int = MNIST_TRAINING  # that are trained on

    def to_json(self) -> str:
        values = {**vars(self), "model": self.model.to_dict(), "train": self.train.to_dict()}
        if (shown := decode(self.dataset)) != self.dataset:  # a path of bytes that are no UTF-8
            values |= {"dataset": shown, "dataset_bytes": os.fsencode(self.dataset).hex()}
        return json.dumps(values, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what ``to_json`` wrote.

        Raises:
            ValueError: it is something else.
        """
        values = parse_json(text)
        try:
            return cls(
                preset=None if values["preset"] is None else str(values["preset"]),
                model=ViTConfig.from_dict(values["model"]),
                train=TrainConfig.from_dict(values["train"]),
                threads=int(values["threads"]),
                data=str(values["data"]),
                command=str(values["command"]),
                # runs of the first versions, which knew MNIST alone, do not say these
                dataset=os.fsdecode(bytes.fromhex(values["dataset_bytes"]))
                if "dataset_bytes" in values
                else str(values.get("dataset", cls.dataset)),
                statistics=str(values.get("statistics", cls.statistics)),
                is_streamed=bool(values.get("is_streamed", cls.is_streamed)),
                images=max(1, int(values.get("images", cls.images))),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"a value is missing or of another type: {error}") from None


class RunDirectory:
    """An open run directory, locked against a second writer for as long as this object lives."""

    def __init__(self, path: Path, config: RunConfig, lock: Lock) -> None:
        self.path, self.config, self._lock = path, config, lock

    @classmethod
    def create(cls, path: Path, config: RunConfig) -> Self:
        """Make a new run directory.

        Raises:
            RunError: the directory exists and is not empty, or another process writes it.
            OSError: it cannot be written.
        """
        check_unused(path)  # before anything of ours lies in it
        path.mkdir(parents=True, exist_ok=True)
        lock = take_run(path)
        try:
            check_unused(path)  # another process may have begun a run meanwhile
            write_atomically(path / "config.json", config.to_json().encode())
        except BaseException:
            lock.release()
            raise
        return cls(path, config, lock)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a run directory to go on with it.

        Raises:
            RunError: there is no run, its settings are damaged, or another process writes it.
            OSError: it cannot be written.
        """
        return cls(path, read_config(path), take_run(path))

    def save_config(self) -> None:
        """Write the settings again, where they are others now than in the file.

        Raises:
            OSError: they cannot be written; the file stays as it was.
        """
        if read_config(self.path) != self.config:
            write_atomically(self.path / "config.json", self.config.to_json().encode())

    def append_metrics(self, values: dict[str, Any]) -> None:
        with (self.path / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")

    def metrics(self) -> list[dict[str, Any]]:
        """Return the lines written so far; a last line cut short by a crash is left out."""
        path = self.path / "metrics.jsonl"
        texts = path.read_bytes().splitlines() if path.exists() else []
        lines = takewhile(lambda line: line is not None, map(parse_line, texts))
        return list(lines)  # type: ignore[arg-type]

    def keep_metrics_up_to(self, epoch: int) -> None:
        """Drop the lines of epochs that are not whole and will be run again."""
        kept = [json.dumps(line) + "\n" for line in self.metrics() if line["epoch"] <= epoch]
        write_atomically(self.path / "metrics.jsonl", "".join(kept).encode())

    def save_epoch(self, name: str, model: ViT, metrics: dict[str, Any], data: DataInfo) -> None:
        """Write a checkpoint that knows where it comes from."""
        save_checkpoint(
            model,
            self.path / f"{name}.safetensors",
            preset=self.config.preset,
            train_config=self.config.train,
            metrics=metrics,
            data=data,
            command=self.config.command,
        )

    def save_hardest(self, examples: list[HardExample]) -> None:
        """Write which test images the trained model finds hardest."""
        content = json.dumps([example.to_dict() for example in examples])
        write_atomically(self.path / HARDEST, content.encode())

    def save_state(self, tensors: dict[str, Tensor], epoch: int) -> None:
        """Write what the run resumes from, after all else of that epoch is written."""
        content = safetensors.torch.save(
            {key: value.detach().cpu().contiguous() for key, value in tensors.items()},
            {"epoch": str(epoch)},
        )
        write_atomically(self.path / "state.safetensors", content)

    def load_state(self) -> tuple[dict[str, Tensor], int] | None:
        """Return the tensors and the number of finished epochs, or None before the first.

        Raises:
            RunError: the file is damaged.
        """
        path = self.path / "state.safetensors"
        if not path.exists():
            return None
        try:
            with safetensors.safe_open(path, framework="pt") as file:
                epoch = int((file.metadata() or {})["epoch"])
            return safetensors.torch.load_file(path), epoch
        except (safetensors.SafetensorError, KeyError, ValueError) as error:
            raise RunError(f"{path} is damaged, the run cannot be resumed: {error}") from None

    def close(self) -> None:
        self._lock.release()


def read_config(path: Path) -> RunConfig:
    """Read the settings of a run directory.

    Raises:
        RunError: there is no run, or its settings are damaged.
    """
    try:
        return RunConfig.from_json(read_small(path / "config.json", MOST_CONFIG).decode())
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(f"{path} holds no run to resume (it has no config.json)") from None
    except (ValueError, OverflowError, OSError) as error:
        raise RunError(f"{path / 'config.json'} is damaged: {error}") from None


def parse_line(text: bytes) -> dict[str, Any] | None:
    """Read a line of metrics.

    Returns:
        Whole numbers "epoch" and "step", the number "seconds", and what else the line holds: finite
        numbers in range, or None in the place of everything that is none. None for a line that a
        crash cut short or somebody damaged.
    """
    try:
        values = parse_json(text, non_finite=None)
    except ValueError:
        return None
    if not isinstance(values, dict):
        return None
    whole = (number_in(values.get("epoch"), 0, MOST_EPOCHS), number_in(values.get("step"), 0, 1e12))
    if not all(type(number) is int for number in whole):
        return None
    if number_in(values.get("seconds"), 0, 1e9) is None:
        return None
    return {name: number_in(value, *range_of(name)) for name, value in values.items()}


def range_of(name: str) -> tuple[float, float]:
    """Return between what a metric of this name can lie."""
    return (0.0, 1.0) if name.endswith("_accuracy") else (-LARGEST_METRIC, LARGEST_METRIC)


def check_unused(path: Path) -> None:
    """Refuse to begin a run where anything lies but the file of a lock.

    Raises:
        RunError: it is a file, or a directory that is not empty.
        OSError: it cannot be read.
    """
    if path.exists() and not path.is_dir():
        raise RunError(f"{path} is a file; a run needs a directory of its own")
    if path.exists() and not is_unused(path):
        raise RunError(f"{path} is already used; choose another --run-dir, or add --resume")


def take_run(path: Path) -> Lock:
    """Take the lock of a run directory.

    Raises:
        RunError: another process writes it.
        OSError: it cannot be written.
    """
    if (lock := take(path)) is None:
        raise RunError(f"{path} is in use by another training process")
    return lock
