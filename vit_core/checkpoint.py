"""Checkpoints: safetensors with JSON metadata.

A checkpoint is checked completely before any tensor is allocated, and nothing is ever unpickled.
"""

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import safetensors
import torch
from torch import Tensor

from vit_core.checks import check_float, quoted
from vit_core.config import TrainConfig, ViTConfig
from vit_core.data import DataInfo
from vit_core.data.sample_pictures import SamplePictures
from vit_core.errors import VitError
from vit_core.mistakes import Flaws, build_with, flaws_of
from vit_core.model import ViT
from vit_core.storage.atomic import write_atomically
from vit_core.storage.tensor_source import InMemory, OnDisk, TensorSource

FORMAT = "vit-explainer 1"
HEAD_FORMAT = "vit-explainer head 1"  # of a head without its backbone; see interpret.head_file
SHIPPED_DIR = Path(__file__).parent / "checkpoints"  # <preset>.safetensors, trained by this project
OTHER_MODEL = "checkpoint"  # says that a model started from one that is not shipped
LARGEST_FILE = 2 * 1024**3  # bytes
KINDS = {torch.float32: "F32", torch.float16: "F16"}  # in the format's own words
T = TypeVar("T")


class CheckpointError(VitError, ValueError):
    """A file that is no checkpoint of this project, or does not fit; the message says why."""


@dataclass(frozen=True)
class Checkpoint:
    """A model and where it comes from.

    Attributes:
        model: in evaluation mode, on the CPU in float32.
        preset: name of the preset that the run started from.
        train_config: how it was trained.
        metrics: "epoch", "step", and what was measured up to then, under the names of a line of
            metrics.
        data: what it was trained on.
        command: the command that trained it, as its file has it.
        pictures: some of its validation pictures, if whoever trained it wanted to take them along.
        limit_per_class: it learned from the first so many images of each class; None for all.
        init: name of the shipped model whose weights it started from, ``OTHER_MODEL`` for those of
            another checkpoint, and empty for random ones.
    """

    model: ViT
    preset: str | None = None
    train_config: TrainConfig | None = None
    metrics: dict[str, Any] = dataclasses.field(default_factory=dict)
    data: DataInfo | None = None
    command: str | None = None
    pictures: SamplePictures | None = None
    limit_per_class: int | None = None
    init: str = ""

    @property
    def config(self) -> ViTConfig:
        return self.model.config


def is_shipped(name: str) -> bool:
    """Return whether ``--init`` names a model that comes with this project, or nothing."""
    return not name or name in shipped_names()


def shipped_names() -> tuple[str, ...]:
    """Return the names of the models that come with this project."""
    return tuple(sorted(path.stem for path in SHIPPED_DIR.glob("*.safetensors")))


def save_checkpoint(
    model: ViT,
    path: str | Path,
    *,
    preset: str | None = None,
    train_config: TrainConfig | None = None,
    metrics: dict[str, Any] | None = None,
    data: DataInfo | None = None,
    command: str | None = None,
    pictures: SamplePictures | None = None,
    limit_per_class: int | None = None,
    init: str = "",
    half: bool = False,
) -> None:
    """Write a model's weights and their history to ``path``, completely or not at all.

    Args:
        preset, train_config, metrics, data, command, pictures, limit_per_class, init: as in
            ``Checkpoint``.
        half: round the weights to float16, which halves the file; otherwise they are float32.

    Raises:
        ValueError: the model's flaws (see ``vit_core.mistakes``) are not those of
            ``train_config``, so that it would be loaded as a different model.
        OSError: the file cannot be written; an existing file then stays as it was.
    """
    if flaws_of(model) != Flaws.from_config(train_config):
        raise ValueError(
            f"the model runs with {flaws_of(model)} and its train_config says "
            f"{Flaws.from_config(train_config)}; build it with vit_core.mistakes.build_with"
        )
    metadata = {"format": FORMAT, "config": model.config.to_json()}
    if preset is not None:
        metadata["preset"] = preset
    if train_config is not None:
        metadata["train_config"] = train_config.to_json()
    if metrics:
        metadata["metrics"] = json.dumps(metrics)
    if data is not None:
        metadata["data"] = json.dumps(dataclasses.asdict(data))
    if command is not None:
        metadata["command"] = command
    if pictures is not None:
        metadata["pictures"] = pictures.to_json()
    if limit_per_class is not None:
        metadata["limit_per_class"] = str(limit_per_class)
    if init:
        metadata["init"] = init
    dtype = torch.float16 if half else torch.float32
    tensors = {
        key: value.detach().to("cpu", dtype).contiguous()
        for key, value in sorted(model.state_dict().items())
    }
    write_atomically(Path(path), parts_of(tensors, metadata))


def parts_of(tensors: dict[str, Tensor], metadata: dict[str, str]) -> Iterator[bytes | memoryview]:
    """Yield the parts of a safetensors file one by one: its header, then each tensor.

    The library would build the whole file in memory, twice, with the metadata in a random order.
    Here the same model always gives the same file, and a large one needs no extra memory.

    Args:
        tensors: contiguous, on the CPU, of a type in ``KINDS``.
    """
    header: dict[str, Any] = {"__metadata__": metadata}
    start = 0
    for key, value in tensors.items():
        end = start + value.nbytes
        header[key] = {
            "dtype": KINDS[value.dtype],
            "shape": list(value.shape),
            "data_offsets": [start, end],
        }
        start = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # tensors start at a multiple of 8
    yield len(text).to_bytes(8, "little") + text
    for value in tensors.values():
        yield value.view(-1).view(torch.uint8).numpy().data


def load_checkpoint(path: str | Path | bytes, expect: ViTConfig | None = None) -> Checkpoint:
    """Read a checkpoint into a new model in evaluation mode, on the CPU in float32.

    A model that was trained with a flaw in its forward pass has that flaw again.

    Args:
        path: of the file; or its bytes, which are read in memory and never written to a disk.
        expect: refuse a checkpoint of any other configuration.

    Raises:
        CheckpointError: it is no checkpoint of this project, is truncated, has another shape, or
            has weights that are not finite. The message is one sentence; it calls bytes "it".
        OSError: the file cannot be read.
    """
    source = source_of(path)
    metadata, shapes = read_header(source)
    config = read_config(source, metadata)
    train_config = read_part(source, metadata, "train_config", TrainConfig.from_json)
    metrics = read_part(source, metadata, "metrics", read_mapping) or {}
    data = read_part(source, metadata, "data", partial(read_data_info, config=config))
    read_pictures = partial(SamplePictures.from_json, config=config)
    pictures = read_part(source, metadata, "pictures", read_pictures)
    limit = read_part(source, metadata, "limit_per_class", read_count)
    init = read_part(source, metadata, "init", read_init) or ""
    if expect is not None and config != expect:
        difference = describe_difference(config, expect)
        raise CheckpointError(f"{source} is of another shape: {difference}")

    # computed positions are not stored, and computing them on the meta device imports the compiler
    stored = config if config.pos_embed == "learned" else replace(config, pos_embed="none")
    with torch.device("meta"):
        expected = {key: tuple(value.shape) for key, value in ViT(stored).state_dict().items()}
    check_shapes(source, shapes, expected)
    try:
        tensors = source.tensors()
    except safetensors.SafetensorError as error:
        raise truncated(source, error) from None
    if bad := [key for key, value in tensors.items() if not value.isfinite().all()]:
        raise CheckpointError(f"{source} has weights that are not finite numbers, in {bad[0]}")
    model = build_with(config, train_config)
    model.load_state_dict(tensors)  # converts each to float32
    return Checkpoint(
        model=model.eval(),
        preset=metadata.get("preset"),
        train_config=train_config,
        metrics=metrics,
        data=data,
        command=metadata.get("command"),
        pictures=pictures,
        limit_per_class=limit,
        init=init,
    )


def source_of(path: str | Path | bytes) -> TensorSource:
    """Return where the tensors of a checkpoint are: its file, or its bytes in memory."""
    return InMemory(path) if isinstance(path, bytes) else OnDisk(Path(path))


def read_header(source: TensorSource) -> tuple[dict[str, str], dict[str, tuple[int, ...]]]:
    """Return a checkpoint's metadata and each tensor's shape, without reading tensors.

    Raises:
        CheckpointError: it is no checkpoint of this project.
        OSError: the file cannot be read.
    """
    if isinstance(source, OnDisk):
        check_file(source.path)
    try:
        metadata, shapes, dtypes = source.header()
    except safetensors.SafetensorError as error:
        raise truncated(source, error) from None
    if metadata.get("format") == HEAD_FORMAT:
        raise CheckpointError(
            f"{source} holds a new head alone, without the model that it belongs to: "
            f"{quoted(metadata.get('backbone'))}"
        )
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"{source} was not written by this project: its metadata's format is "
            f"{quoted(metadata.get('format'))}, not {FORMAT!r}"
        )
    if odd := [key for key, dtype in dtypes.items() if dtype not in ("F32", "F16", "BF16")]:
        raise CheckpointError(
            f"{source} has weights of type {quoted(dtypes[odd[0]])} in {quoted(odd[0])}; "
            f"allowed: F32, F16, BF16"
        )
    return metadata, shapes


def check_file(path: Path) -> None:
    """Refuse what is no regular file, or too large.

    Raises:
        CheckpointError: the message says which.
    """
    if not path.is_file():
        raise CheckpointError(f"{path} is not a file; a checkpoint is a .safetensors file")
    if path.stat().st_size > LARGEST_FILE:
        raise CheckpointError(f"{path} is larger than 2 GiB, the most that a checkpoint may have")


def truncated(source: TensorSource, error: safetensors.SafetensorError) -> CheckpointError:
    return CheckpointError(
        f"{source} is not a whole safetensors file (truncated or another format): {quoted(error)}"
    )


def read_config(source: TensorSource, metadata: dict[str, str]) -> ViTConfig:
    """Parse the model's shape in a checkpoint's metadata.

    Raises:
        CheckpointError: it is missing or not valid.
    """
    config = read_part(source, metadata, "config", ViTConfig.from_json)
    if config is None:
        raise CheckpointError(f"{source} has no 'config' in its metadata")
    return config


def read_part(
    source: TensorSource, metadata: dict[str, str], key: str, parse: Callable[[str], T]
) -> T | None:
    """Parse one entry of the metadata, or return None if it is missing.

    Raises:
        CheckpointError: the entry is not valid.
    """
    if key not in metadata:
        return None
    try:
        return parse(metadata[key])
    except (ValueError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{source} has a {key!r} that is not valid: {error}") from None


def read_mapping(text: str) -> dict[str, Any]:
    """Parse a JSON object.

    Raises:
        ValueError: it is something else.
    """
    values = json.loads(text)
    if not isinstance(values, dict):
        raise ValueError(f"a mapping is expected, not {quoted(values)}")
    return values


def read_count(text: str) -> int:
    """Parse a whole number from 1.

    Raises:
        ValueError: it is something else.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text)):
        raise ValueError(f"a whole number from 1 is expected, not {quoted(text)}")
    return int(text)


def read_init(text: str) -> str:
    """Return what a model started from, if the text can be that.

    Raises:
        ValueError: it cannot.
    """
    if not re.fullmatch(r"[a-z0-9-]{1,40}", text):
        raise ValueError(f"the name of a model is expected, not {quoted(text)}")
    return text


def read_data_info(text: str, config: ViTConfig) -> DataInfo:
    """Parse what a model has to know about its data.

    Raises:
        ValueError: it is damaged or does not fit the model.
    """
    values = read_mapping(text)
    names = values.get("class_names")
    if not isinstance(names, list) or len(names) != config.num_classes:
        raise ValueError(f"class_names must be a list of {config.num_classes} names")
    return DataInfo(
        name=str(values.get("name", "")),
        fingerprint=str(values.get("fingerprint", "")),
        mean=read_channels("mean", values.get("mean"), config.in_channels, at_least=0.0),
        std=read_channels("std", values.get("std"), config.in_channels, at_least=1e-6),
        class_names=tuple(str(name) for name in names),
    )


def read_channels(name: str, value: object, channels: int, at_least: float) -> tuple[float, ...]:
    """Return one number for each channel, for pixels scaled to 0..1.

    Raises:
        ValueError: there are other values, or not one for each channel.
    """
    if not isinstance(value, list) or len(value) != channels:
        raise ValueError(f"{name} must be a list of {channels} numbers, not {quoted(value)}")
    for number in value:
        check_float(name, number, at_least=at_least, at_most=1.0)
    return tuple(map(float, value))


def check_shapes(
    source: TensorSource, shapes: dict[str, tuple[int, ...]], expected: dict[str, tuple[int, ...]]
) -> None:
    """Refuse tensors that are missing, extra or of another shape than the configuration's.

    Raises:
        CheckpointError: the message names some of them.
    """
    problems = []
    if missing := [key for key in expected if key not in shapes]:
        problems.append(f"missing {', '.join(missing[:3])}")
    if extra := [key for key in shapes if key not in expected]:
        problems.append(f"not expected {', '.join(map(quoted, extra[:3]))}")
    for key in expected:
        if key in shapes and shapes[key] != expected[key]:
            problems.append(f"{key} is {shapes[key]} where {expected[key]} is expected")
    if problems:
        raise CheckpointError(
            f"{source} does not fit its own configuration: {'; '.join(problems[:4])}"
        )


def describe_difference(actual: ViTConfig, expected: ViTConfig) -> str:
    """Return a text that names the fields in which two configurations differ."""
    differing = [
        f"{name} is {value!r} where {expected.to_dict()[name]!r} is expected"
        for name, value in actual.to_dict().items()
        if value != expected.to_dict()[name]
    ]
    return "; ".join(differing)
