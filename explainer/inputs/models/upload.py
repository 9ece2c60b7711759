"""Checkpoints from strangers: everything is checked before a model is built, nothing is unpickled.

An accepted one is written anew, so that a run directory only ever holds what this project wrote.
"""

import math
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from explainer.content import load_texts
from explainer.inputs.models.passes import one_large_pass
from explainer.inputs.models.showable import check_memory, check_shape, check_showable
from explainer.inputs.uploads import MOST_BYTES
from explainer.training.command import command_of
from explainer.training.limits import MEGABYTE, Limits, RefusedError, load_limits
from explainer.training.manager import Manager
from explainer.training.note import Note, hashed
from explainer.training.run import Run
from vit_core import Checkpoint, CheckpointError, TrainConfig, ViTConfig, load_checkpoint
from vit_core.checkpoint import read_config, read_header, source_of
from vit_core.data import MNIST_TRAINING, mnist_info, mnist_test, normalize
from vit_core.presets import PRESETS
from vit_core.runs.directory import RunConfig, RunDirectory

TEXTS = load_texts("upload")
COPIES = 2  # of an accepted model on the disk: as saved after its epoch, and as the last one
MOST_HEADER = 256 * 1024  # bytes; a model of 12 blocks needs 16 kB
MOST_EPOCH = 9_999
LARGEST = 1_000.0  # of a weight; trained ones stay below 100
LONGEST_TITLE = 30  # characters
PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt")
TRIED = 4  # images that the model must answer, beside a black and a white one
MOST_UPLOADS = 12  # of one visitor
# one thread for all: many systems keep what a thread has freed for that thread alone
checker = ThreadPoolExecutor(1, thread_name_prefix="upload")
MOST = {  # of what may stand in the metrics
    **dict.fromkeys(("train_accuracy", "val_accuracy", "test_accuracy"), 1.0),
    **dict.fromkeys(("train_loss", "val_loss", "test_loss"), 1e6),
}


@dataclass(frozen=True)
class Upload:
    """A checkpoint that was accepted.

    Attributes:
        title: of its run.
        epoch: after which it was saved, as it says itself.
        metrics: what it says of its results, as far as that can be.
    """

    checkpoint: Checkpoint
    title: str
    epoch: int
    metrics: dict[str, float | int]


def add_upload(manager: Manager, visitor: str, content: bytes, name: str) -> Run:
    """Check an uploaded checkpoint and make it a run of this visitor.

    Args:
        name: of the file, as the visitor called it.

    Raises:
        RefusedError: it is none that the pages can show, or there is no room; one sentence.
    """
    check_form(content, name)
    with one_large_pass:  # the models of all who bring one would not fit into memory
        own = manager.runs_of(visitor)
        if sum(run.status == "uploaded" for run in own) >= MOST_UPLOADS:
            raise RefusedError(TEXTS["many"].format(most=MOST_UPLOADS))
        upload = read_upload(content, name, manager.limits)
        with manager.reserve_upload_space(bytes_of(upload)):
            return keep_upload(manager, visitor, upload)


def keep_upload(manager: Manager, visitor: str, upload: Upload) -> Run:
    """Write an upload as a run of this visitor.

    Raises:
        RefusedError: the disk is full, or the folder of runs cannot be written.
    """
    store, run_id = manager.store, ""
    note = Note(hashed(visitor), "uploaded", "", upload.title, time.time())
    try:
        run_id = store.new_id()
        # the note is the last, so that nobody sees a half-written run
        write_upload(upload, store.folder(run_id), partial(store.write, run_id, note))
    except OSError as error:
        with suppress(OSError):
            store.delete(run_id)
        raise RefusedError(TEXTS["no_disk"].format(why=error.strerror or error)) from None
    return Run(run_id, store.history(run_id), "uploaded", "", note.title, note.owner, note.created)


def bytes_of(upload: Upload) -> int:
    """Return about what an upload takes on the disk: its model twice, and small files."""
    return COPIES * 4 * upload.checkpoint.config.num_parameters + 64 * 1024


def read_upload(content: bytes, name: str, limits: Limits | None = None) -> Upload:
    """Check an uploaded checkpoint, in memory alone, and one at a time for the whole server.

    Args:
        name: of the file, as the stranger called it.
        limits: of this server; read anew if None.

    Raises:
        RefusedError: it is none that the pages can show; the message is one sentence.
    """
    check_form(content, name)
    with one_large_pass:
        checkpoint = checker.submit(checked, content, limits or load_limits()).result()
    metrics = sane(checkpoint.metrics)
    return Upload(checkpoint, title_of(name), int(metrics.pop("epoch", 1)), metrics)


def checked(content: bytes, limits: Limits) -> Checkpoint:
    """Read a checkpoint and try it.

    Raises:
        RefusedError: it is none that the pages can show.
    """
    try:
        checkpoint = read_checkpoint(content, limits)
    except CheckpointError as error:
        raise RefusedError(TEXTS["refused"].format(why=error)) from None
    check_numbers(checkpoint)
    return checkpoint


def check_form(content: bytes, name: str) -> None:
    """Refuse by size, name and first bytes what need not be read any further."""
    if not content:
        raise RefusedError(TEXTS["empty"])
    if len(content) > MOST_BYTES:
        found = math.ceil(10 * len(content) / MEGABYTE) / 10
        raise RefusedError(TEXTS["large"].format(found=found, most=MOST_BYTES // MEGABYTE))
    # a zip archive, as PyTorch writes it, or a pickle of protocol 2 to 5
    is_pickle = content[:2] == b"PK" or (content[0] == 0x80 and content[1:2] in b"\2\3\4\5")
    if name.lower().endswith(PICKLES) or (is_pickle and header_length(content) > MOST_BYTES):
        raise RefusedError(TEXTS["pickle"])
    length = header_length(content)
    if len(content) < 8 or length > len(content) - 8 or content[8:9] != b"{":
        raise RefusedError(TEXTS["unknown"])
    if length > MOST_HEADER:
        raise RefusedError(TEXTS["header"].format(most=MOST_HEADER // 1024))


def header_length(content: bytes) -> int:
    return int.from_bytes(content[:8], "little")


def read_checkpoint(content: bytes, limits: Limits) -> Checkpoint:
    """Read a checkpoint whose shape the pages can show, and this server has room for.

    Raises:
        CheckpointError: it is no such checkpoint; found out before the model is built.
    """
    source = source_of(content)
    metadata, _ = read_header(source)
    config = read_config(source, metadata)
    check_shape(config)
    check_memory(config, limits.large_megabytes)
    if (disk := COPIES * 4 * config.num_parameters) > limits.run_megabytes * MEGABYTE:
        raise CheckpointError(
            f"this model would take {disk / MEGABYTE:,.0f} MB on the server's disk, where "
            f"{limits.run_megabytes:,} MB are allowed"
        )
    checkpoint = load_checkpoint(content)
    if checkpoint.data is None and not takes_digits(checkpoint.config):
        raise CheckpointError("this model does not say what data it was trained on")
    check_showable(checkpoint.config, checkpoint.data or mnist_info())
    return checkpoint


def takes_digits(config: ViTConfig) -> bool:
    """Whether a model that says nothing of its data may have been trained on MNIST."""
    found = (config.in_channels, *config.image_hw, config.num_classes)
    return found == (1, 28, 28, len(mnist_info().class_names))


def check_numbers(checkpoint: Checkpoint) -> None:
    """Refuse weights with which the model's own numbers would overflow.

    One image at a time, and no tensor is kept: a small file can hold a model whose tensors of a
    few images take hundreds of megabytes.
    """
    model = checkpoint.model
    if any(value.abs().max() > LARGEST for value in model.parameters()):
        raise RefusedError(TEXTS["weights"].format(most=f"{LARGEST:,.0f}"))
    shape = (1, model.config.in_channels, *model.config.image_hw)
    black = torch.zeros(shape, dtype=torch.uint8)
    drawn = torch.Generator().manual_seed(0)
    noise = torch.randint(256, (TRIED, *shape[1:]), generator=drawn, dtype=torch.uint8)
    images = torch.cat((noise, black, black + 255))
    if takes_digits(model.config):
        images = torch.cat((mnist_test().images[:TRIED], images))
    with torch.no_grad():
        for image in images.split(1):
            model(normalize(image, checkpoint.data or mnist_info()), finite)


def finite(name: str, tensor: Tensor) -> Tensor:
    """Let a tensor of a pass through, as a tap does, if all its numbers are finite."""
    if not tensor.isfinite().all():
        raise RefusedError(TEXTS["overflow"])
    return tensor


def sane(metrics: dict[str, Any]) -> dict[str, float | int]:
    """Return those of a stranger's metrics that can be true."""
    kept: dict[str, float | int] = {
        name: float(metrics[name])
        for name, most in MOST.items()
        if isinstance(metrics.get(name), float) and 0 <= metrics[name] <= most
    }
    epoch = metrics.get("epoch")
    if isinstance(epoch, int) and not isinstance(epoch, bool) and 0 <= epoch <= MOST_EPOCH:
        kept["epoch"] = epoch
    return kept


def title_of(name: str) -> str:
    """Return a file's name in plain letters, which mean nothing to HTML, Markdown or a shell."""
    stem = re.sub(r"\.safetensors$", "", name.replace("\\", "/").rsplit("/", 1)[-1])
    plain = re.sub(r"[^A-Za-z0-9.-]+", " ", stem).strip(" .-")
    return plain[:LONGEST_TITLE].strip() or TEXTS["untitled"]


def write_upload(upload: Upload, folder: Path, finish: Callable[[], None]) -> None:
    """Write a run directory with this one model, as saved after its epoch and as the last one.

    Args:
        finish: called at the end, while the directory is locked: whoever cleans up takes what is
            half written in one that is not for a killed process's.

    Raises:
        OSError: the disk is full, or the folder cannot be made.
    """
    checkpoint, epoch = upload.checkpoint, upload.epoch
    config = RunConfig(
        preset=checkpoint.preset if checkpoint.preset in PRESETS else None,
        model=checkpoint.config,
        train=checkpoint.train_config or TrainConfig(epochs=max(epoch, 1)),
        threads=1,
        data=(checkpoint.data or mnist_info()).fingerprint,
        command=command_of(checkpoint),  # of its settings; empty if it does not say them
    )
    run = RunDirectory.create(folder, config)
    try:
        steps = epoch * (MNIST_TRAINING // min(config.train.batch_size, MNIST_TRAINING))
        line = {"epoch": epoch, "step": steps, **upload.metrics}
        run.append_metrics({"seconds": 0.0, **line})
        data = checkpoint.data or mnist_info()
        run.save_epoch(f"epoch-{epoch:03d}", checkpoint.model, line, data)
        run.save_epoch("final", checkpoint.model, line, data)
        finish()
    finally:
        run.close()
