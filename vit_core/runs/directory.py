"""A run directory: what a training run writes, and what it needs to be resumed.

config.json              settings of model and run, threads, fingerprint of the data, command
metrics.jsonl            a line for some steps and for each epoch; the last has test_accuracy
epoch-000.safetensors    the untrained model, then a checkpoint for each epoch
final.safetensors        the model after the last epoch, with the test accuracy in its metadata
images.safetensors       the images, where the run keeps its own (see vit_core.data.kept)
hardest.json             the test images that this model finds hardest
hardest.safetensors      these images themselves, unless they are digits of MNIST
state.safetensors        model and optimizers after the last whole epoch, to resume from
.lock                    held by the process that writes; see vit_core.storage.locks

A process that may be replaced by another one has a ``Fence``, and asks it before each write.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import safetensors
import safetensors.torch
from torch import Tensor

from vit_core.checkpoint import OTHER_MODEL, is_shipped, save_checkpoint
from vit_core.checks import check_int
from vit_core.config import TrainConfig, ViTConfig
from vit_core.data import MNIST_TRAINING, DataInfo
from vit_core.data.sample_pictures import SamplePictures, made_smaller
from vit_core.errors import VitError
from vit_core.model import ViT
from vit_core.runs.fence import Fence
from vit_core.storage.atomic import write_atomically
from vit_core.storage.locks import Lock, is_unused, take
from vit_core.storage.plain_text import decode
from vit_core.storage.strict_json import number_in, parse_json, read_small
from vit_core.training.hard_example import HardExample

HARDEST = "hardest.json"
HARDEST_PICTURES = "hardest.safetensors"
MOST_CONFIG = 256 * 1024  # bytes of config.json
MOST_EPOCHS = 999_999  # the names of files have room for no more
LARGEST_METRIC = 1e30


class RunError(VitError, ValueError):
    """A run directory that cannot be used; the message says why in one sentence."""


@dataclass(frozen=True)
class RunConfig:
    """Everything that determines a run's result.

    Attributes:
        preset: name of the settings that the run started from.
        model, train: the settings.
        threads: number of CPU threads.
        data: fingerprint of the data set.
        command: that started the run.
        dataset: name or path, as ``--dataset`` takes it; ``kept.KEPT`` for images in the run's own
            folder.
        statistics: "data" | "imagenet", as ``--statistics`` takes it.
        is_streamed: whether images are read from their files during training.
        images: number of training images.
        val_images, test_images: number of the others; 0 in runs of earlier versions.
        limit_per_class: the run learns from the first so many images of each class; None for all.
        init: name of a shipped model, or path of a checkpoint, whose weights the run started from;
            empty for random ones.
        taken: what it took from there, in words.
        takes_pictures: whether its checkpoints take some validation pictures along.
    """

    preset: str | None
    model: ViTConfig
    train: TrainConfig
    threads: int
    data: str
    command: str
    dataset: str = "mnist"
    statistics: str = "data"
    is_streamed: bool = False
    images: int = MNIST_TRAINING
    val_images: int = 0
    test_images: int = 0
    limit_per_class: int | None = None
    init: str = ""
    taken: str = ""
    takes_pictures: bool = False

    def to_json(self) -> str:
        """Return the content of config.json."""
        values = {**vars(self), "model": self.model.to_dict(), "train": self.train.to_dict()}
        if (text := decode(self.dataset)) != self.dataset:  # a path that is no UTF-8
            values |= {"dataset": text, "dataset_bytes": os.fsencode(self.dataset).hex()}
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
                # missing in runs of the first versions, which had no data set besides MNIST
                dataset=os.fsdecode(bytes.fromhex(values["dataset_bytes"]))
                if "dataset_bytes" in values
                else str(values.get("dataset", cls.dataset)),
                statistics=str(values.get("statistics", cls.statistics)),
                is_streamed=bool(values.get("is_streamed", cls.is_streamed)),
                images=max(1, int(values.get("images", cls.images))),
                val_images=max(0, int(values.get("val_images", 0))),
                test_images=max(0, int(values.get("test_images", 0))),
                limit_per_class=read_limit(values.get("limit_per_class")),
                init=str(values.get("init", "")),
                taken=str(values.get("taken", "")),
                takes_pictures=bool(values.get("takes_pictures", False)),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"a value is missing or of another type: {error}") from None


def read_limit(value: Any) -> int | None:
    """Return a limit of training images for each class, or None for no limit.

    Raises:
        ValueError: it is something else.
    """
    if value is None:
        return None
    check_int("limit_per_class", value, at_least=1)
    return int(value)


class RunDirectory:
    """An open run directory; as long as this object lives, no other process can write there.

    Each method that writes raises ``FencedError`` if this process has lost its right to write.
    """

    def __init__(
        self, path: Path, config: RunConfig, lock: Lock, fence: Fence | None = None
    ) -> None:
        self.path, self.config, self._lock, self.fence = path, config, lock, fence
        self.pictures: SamplePictures | None = None  # that each checkpoint takes along

    @classmethod
    def create(cls, path: Path, config: RunConfig) -> Self:
        """Make a new run directory.

        Raises:
            RunError: the directory exists and is not empty, or another process writes to it.
            OSError: it cannot be written.
        """
        check_unused(path)  # before the lock's file is in it
        path.mkdir(parents=True, exist_ok=True)
        lock = take_run(path)
        try:
            check_unused(path)  # another process may have started a run meanwhile
            write_atomically(path / "config.json", config.to_json().encode())
        except BaseException:
            lock.release()
            raise
        return cls(path, config, lock)

    @classmethod
    def open(cls, path: Path, fence: Fence | None = None) -> Self:
        """Open a run directory to resume its run.

        Args:
            fence: says whether this process may still write; None for a process that always may.

        Raises:
            RunError: there is no run, its settings are damaged, or another process writes to it.
            FencedError: this process may not write.
            OSError: it cannot be written.
        """
        run = cls(path, read_config(path), take_run(path), fence)
        try:
            run.check_fence()
        except BaseException:
            run.close()
            raise
        return run

    def check_fence(self) -> None:
        """Refuse to write if somebody else has taken the run over.

        Raises:
            FencedError: that is so.
        """
        if self.fence is not None:
            self.fence.check()

    def save_config(self) -> None:
        """Write the settings if they differ from those in the file.

        Raises:
            OSError: they cannot be written; the file stays as it was.
        """
        self.check_fence()
        if read_config(self.path) != self.config:
            write_atomically(self.path / "config.json", self.config.to_json().encode())

    def append_metrics(self, values: dict[str, Any]) -> None:
        """Write a line of metrics.

        Raises:
            OSError: it cannot be written.
        """
        self.check_fence()
        with (self.path / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")

    def metrics(self) -> list[dict[str, Any]]:
        """Return the lines written so far, up to the first that is damaged or incomplete."""
        path = self.path / "metrics.jsonl"
        lines = []
        for text in path.read_bytes().splitlines() if path.exists() else []:
            if (line := parse_line(text)) is None:
                break
            lines.append(line)
        return lines

    def keep_metrics_up_to(self, epoch: int) -> None:
        """Drop the lines of an unfinished epoch, which will be run again."""
        self.check_fence()
        kept = [json.dumps(line) + "\n" for line in self.metrics() if line["epoch"] <= epoch]
        write_atomically(self.path / "metrics.jsonl", "".join(kept).encode())

    def save_epoch(self, name: str, model: ViT, metrics: dict[str, Any], data: DataInfo) -> None:
        """Write a checkpoint with the run's settings and metrics.

        Args:
            name: of the file, without its ending.
        """
        self.check_fence()
        save_checkpoint(
            model,
            self.path / f"{name}.safetensors",
            preset=self.config.preset,
            train_config=self.config.train,
            metrics=metrics,
            data=data,
            command=self.config.command,
            pictures=self.pictures,
            limit_per_class=self.config.limit_per_class,
            init=self.config.init if is_shipped(self.config.init) else OTHER_MODEL,
        )

    def save_hardest(self, examples: list[HardExample]) -> None:
        """Write hardest.json."""
        self.check_fence()
        content = json.dumps([example.to_dict() for example in examples])
        write_atomically(self.path / HARDEST, content.encode())

    def save_hardest_pictures(self, images: Tensor) -> None:
        """Write the images of hardest.json, in its order, made smaller if they are large.

        Args:
            images: (n, channels, height, width) uint8.
        """
        self.check_fence()
        content = safetensors.torch.save({"images": made_smaller(images.cpu())})
        write_atomically(self.path / HARDEST_PICTURES, content)

    def save_state(self, tensors: dict[str, Tensor], epoch: int) -> None:
        """Write the state to resume from; it comes after all other files of the epoch."""
        content = safetensors.torch.save(
            {key: value.detach().cpu().contiguous() for key, value in tensors.items()},
            {"epoch": str(epoch)},
        )
        self.check_fence()
        write_atomically(self.path / "state.safetensors", content)

    def load_state(self) -> tuple[dict[str, Tensor], int] | None:
        """Return the saved tensors and the number of finished epochs; None before the first.

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
        """Let other processes write to the directory."""
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
    """Parse a line of metrics.

    Returns:
        The whole numbers "epoch" and "step", the number "seconds", and the other values of the
        line. A value that is no finite number in its range is None. The result is None for a line
        that is damaged or incomplete.
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
    """Return the least and the largest value that a metric can have."""
    return (0.0, 1.0) if name.endswith("_accuracy") else (-LARGEST_METRIC, LARGEST_METRIC)


def check_unused(path: Path) -> None:
    """Refuse a path for a new run if anything is there except the files of locks.

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
        RunError: another process writes to it.
        OSError: it cannot be written.
    """
    if (lock := take(path)) is None:
        raise RunError(f"{path} is in use by another training process")
    return lock
