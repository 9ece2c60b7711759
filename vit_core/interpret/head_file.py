"""A probe's head in a file of its own, with the name of its backbone instead of its weights.

The backbone may have 22 million numbers and the head two thousand; whoever has the backbone needs
only those.
"""

import dataclasses
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import safetensors
import torch
from torch import Tensor

from vit_core.checkpoint import (
    HEAD_FORMAT,
    CheckpointError,
    check_file,
    check_shapes,
    parts_of,
    read_config,
    read_data_info,
    read_mapping,
    read_part,
    truncated,
)
from vit_core.config import ViTConfig
from vit_core.data import DataInfo
from vit_core.data.sample_pictures import SamplePictures
from vit_core.interpret.probe import Head, with_head
from vit_core.model import ViT
from vit_core.storage.atomic import write_atomically
from vit_core.storage.tensor_source import OnDisk

LONGEST_NAME = 300  # characters of a backbone's name


@dataclass(frozen=True)
class SavedHead:
    """A head, and what is known of the model that it belongs to.

    Attributes:
        backbone: the model's name, by which whoever saved it finds it again.
        config: of the model with this head.
        weight, bias: as ``nn.Linear`` has them, (C, D) and (C,).
        data: what it was fitted to.
        metrics: what was measured.
        pictures: some held-out pictures.
    """

    backbone: str
    config: ViTConfig
    weight: Tensor
    bias: Tensor
    data: DataInfo
    metrics: dict[str, Any] = dataclasses.field(default_factory=dict)
    pictures: SamplePictures | None = None

    def join(self, model: ViT) -> ViT:
        """Return the backbone with this head; they share the backbone's parameters.

        Raises:
            CheckpointError: the model is of another shape than the backbone was.
        """
        if dataclasses.replace(model.config, num_classes=self.config.num_classes) != self.config:
            raise CheckpointError(
                f"the model {self.backbone} is of another shape now than when this head was made"
            )
        return with_head(model, Head(self.weight, self.bias, 0.0, None))


def save_head(path: str | Path, saved: SavedHead) -> None:
    """Write a head, completely or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    metadata = {
        "format": HEAD_FORMAT,
        "backbone": saved.backbone,
        "config": saved.config.to_json(),
        "data": json.dumps(dataclasses.asdict(saved.data)),
        "metrics": json.dumps(saved.metrics),
    }
    if saved.pictures is not None:
        metadata["pictures"] = saved.pictures.to_json()
    tensors = {
        "head.bias": saved.bias.detach().float().contiguous(),
        "head.weight": saved.weight.detach().float().contiguous(),
    }
    write_atomically(Path(path), parts_of(tensors, metadata))


def is_head(path: Path) -> bool:
    """Return whether a file holds a head alone; False too if it cannot be read."""
    try:
        metadata, _, _ = OnDisk(path).header()
    except (safetensors.SafetensorError, OSError):
        return False
    return metadata.get("format") == HEAD_FORMAT


def load_head(path: Path) -> SavedHead:
    """Read what ``save_head`` wrote, which anybody may have changed.

    Raises:
        CheckpointError: it is no such file, or it is damaged; the message is one sentence.
        OSError: the file cannot be read.
    """
    source = OnDisk(path)
    check_file(path)
    try:
        metadata, shapes, dtypes = source.header()
        if metadata.get("format") != HEAD_FORMAT:
            raise CheckpointError(f"{source} is no head of this project")
        config = read_config(source, metadata)
        expected = {
            "head.weight": (config.num_classes, config.embed_dim),
            "head.bias": (config.num_classes,),
        }
        check_shapes(source, shapes, expected)
        if set(dtypes.values()) != {"F32"}:
            raise CheckpointError(f"{source} has weights that are not float32")
        tensors = source.tensors()
    except safetensors.SafetensorError as error:
        raise truncated(source, error) from None
    if not all(torch.isfinite(value).all() for value in tensors.values()):
        raise CheckpointError(f"{source} has weights that are not finite numbers")
    data = read_part(source, metadata, "data", partial(read_data_info, config=config))
    backbone = metadata.get("backbone", "")
    if data is None or not 0 < len(backbone) <= LONGEST_NAME:
        raise CheckpointError(f"{source} does not say which model it belongs to")
    return SavedHead(
        backbone,
        config,
        tensors["head.weight"],
        tensors["head.bias"],
        data,
        read_part(source, metadata, "metrics", read_mapping) or {},
        read_part(source, metadata, "pictures", partial(SamplePictures.from_json, config=config)),
    )
