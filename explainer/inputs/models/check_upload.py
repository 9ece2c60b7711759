"""Checks a checkpoint from a stranger before a model is built; nothing is unpickled."""

import math
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import torch

from explainer.content import load_texts
from explainer.inputs.models.passes import one_large_pass
from explainer.inputs.models.showable import TEXTS as SHOWABLE
from explainer.inputs.models.showable import (
    check_memory,
    check_shape,
    check_showable,
    overflows,
    trial_images,
)
from explainer.inputs.uploads import MAX_BYTES
from explainer.training.limits import MEGABYTE, Limits, RefusedError, load_limits
from vit_core import Checkpoint, CheckpointError, ViTConfig, load_checkpoint
from vit_core.checkpoint import read_config, read_header, source_of
from vit_core.data import mnist_info
from vit_core.data.packed import packed_mnist_test

TEXTS = load_texts("upload")
COPIES = 2  # of an accepted model on the disk: the one of its epoch, and the final one
MAX_HEADER_BYTES = 256 * 1024  # a model of 12 blocks needs 16 kB
MAX_EPOCH = 9_999
MAX_WEIGHT = 1_000.0  # weights of trained models stay below 100
MAX_TITLE_LENGTH = 30  # characters
PICKLE_SUFFIXES = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt")
TRIALS = 4  # test digits and as many images of noise that the model must answer
# one thread for all: on many systems, memory that a thread has freed stays with that thread
checker = ThreadPoolExecutor(1, thread_name_prefix="upload")
MAX_METRICS = {
    **dict.fromkeys(("train_accuracy", "val_accuracy", "test_accuracy"), 1.0),
    **dict.fromkeys(("train_loss", "val_loss", "test_loss"), 1e6),
}


@dataclass(frozen=True)
class Upload:
    """A checkpoint that was accepted.

    Attributes:
        title: of its run.
        epoch: after which it was saved, according to the file.
        metrics: its results according to the file; impossible ones are left out.
    """

    checkpoint: Checkpoint
    title: str
    epoch: int
    metrics: dict[str, float | int]


def read_upload(content: bytes, name: str, limits: Limits | None = None) -> Upload:
    """Check an uploaded checkpoint, in memory, and only one at a time on the whole server.

    Args:
        name: of the file, as the stranger called it.
        limits: of this server; None to read them.

    Raises:
        RefusedError: the pages cannot show it; the message is one sentence.
    """
    check_form(content, name)
    with one_large_pass:
        checkpoint = checker.submit(checked, content, limits or load_limits()).result()
    metrics = possible_metrics(checkpoint.metrics)
    return Upload(checkpoint, title_of(name), int(metrics.pop("epoch", 1)), metrics)


def checked(content: bytes, limits: Limits) -> Checkpoint:
    """Read a checkpoint and try the model on a few images.

    Raises:
        RefusedError: the pages cannot show it.
    """
    try:
        checkpoint = read_checkpoint(content, limits)
    except CheckpointError as error:
        raise RefusedError(TEXTS["refused"].format(why=error), "unusable") from None
    check_numbers(checkpoint)
    return checkpoint


def check_form(content: bytes, name: str) -> None:
    """Refuse a file whose size, name or first bytes show that it is no checkpoint of this project.

    Raises:
        RefusedError: the message says what is allowed.
    """
    if not content:
        raise RefusedError(TEXTS["empty"], "unusable")
    if len(content) > MAX_BYTES:
        megabytes = math.ceil(10 * len(content) / MEGABYTE) / 10
        raise RefusedError(
            TEXTS["large"].format(found=megabytes, most=MAX_BYTES // MEGABYTE), "too_large"
        )
    # a zip archive, as PyTorch writes it, or a pickle of protocol 2 to 5
    is_pickle = content[:2] == b"PK" or (content[0] == 0x80 and content[1:2] in b"\2\3\4\5")
    if name.lower().endswith(PICKLE_SUFFIXES) or (is_pickle and header_length(content) > MAX_BYTES):
        raise RefusedError(TEXTS["pickle"], "hostile")
    length = header_length(content)
    if len(content) < 8 or length > len(content) - 8 or content[8:9] != b"{":
        raise RefusedError(TEXTS["unknown"], "unusable")
    if length > MAX_HEADER_BYTES:
        raise RefusedError(TEXTS["header"].format(most=MAX_HEADER_BYTES // 1024), "hostile")


def header_length(content: bytes) -> int:
    """Return the length in bytes that a safetensors file gives for its header."""
    return int.from_bytes(content[:8], "little")


def read_checkpoint(content: bytes, limits: Limits) -> Checkpoint:
    """Read a checkpoint whose shape the pages can show, and for which this server has room.

    Raises:
        CheckpointError: it is not such a checkpoint; this is checked before the model is built.
    """
    source = source_of(content)
    metadata, _ = read_header(source)
    config = read_config(source, metadata)
    check_shape(config)
    check_memory(config, limits.large_megabytes)
    megabytes = COPIES * 4 * config.num_parameters / MEGABYTE
    if megabytes > limits.run_megabytes:
        raise CheckpointError(SHOWABLE["disk"].format(found=megabytes, most=limits.run_megabytes))
    checkpoint = load_checkpoint(content)
    if checkpoint.data is None and not takes_digits(checkpoint.config):
        raise CheckpointError(SHOWABLE["no_data"])
    check_showable(checkpoint.config, checkpoint.data or mnist_info())
    return checkpoint


def takes_digits(config: ViTConfig) -> bool:
    """Return whether a model without a note on its data may have been trained on MNIST."""
    shape = (config.in_channels, *config.image_hw, config.num_classes)
    return shape == (1, 28, 28, len(mnist_info().class_names))


def check_numbers(checkpoint: Checkpoint) -> None:
    """Refuse weights with which the model's own numbers would overflow.

    Raises:
        RefusedError: the message is one sentence.
    """
    model = checkpoint.model
    if any(value.abs().max() > MAX_WEIGHT for value in model.parameters()):
        raise RefusedError(TEXTS["weights"].format(most=f"{MAX_WEIGHT:,.0f}"), "unusable")
    images = trial_images(model.config, TRIALS)
    if takes_digits(model.config):
        images = torch.cat((packed_mnist_test().first(TRIALS).images, images))
    if overflows(model, checkpoint.data or mnist_info(), images):
        raise RefusedError(TEXTS["overflow"], "unusable")


def possible_metrics(metrics: dict[str, Any]) -> dict[str, float | int]:
    """Return those of a stranger's metrics whose values are possible."""
    possible: dict[str, float | int] = {
        name: float(metrics[name])
        for name, maximum in MAX_METRICS.items()
        if isinstance(metrics.get(name), float) and 0 <= metrics[name] <= maximum
    }
    epoch = metrics.get("epoch")
    if isinstance(epoch, int) and not isinstance(epoch, bool) and 0 <= epoch <= MAX_EPOCH:
        possible["epoch"] = epoch
    return possible


def title_of(name: str) -> str:
    """Return a file's name with only letters that mean nothing to HTML, Markdown or a shell."""
    stem = re.sub(r"\.safetensors$", "", name.replace("\\", "/").rsplit("/", 1)[-1])
    plain = re.sub(r"[^A-Za-z0-9.-]+", " ", stem).strip(" .-")
    return plain[:MAX_TITLE_LENGTH].strip() or TEXTS["untitled"]
