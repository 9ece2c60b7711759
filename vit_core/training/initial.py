"""Start a training from the weights of another model, instead of from random ones (fine-tuning)."""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from vit_core.checkpoint import SHIPPED_DIR, Checkpoint, load_checkpoint, shipped_names
from vit_core.checks import quoted
from vit_core.config import ViTConfig
from vit_core.errors import VitError
from vit_core.model import ViT

POSITION, PATCHES, HEAD = "pos_embed", "patch_embed.proj.weight", "head."
# what decides the shapes of a block's weights, or what they mean
ALIKE = (
    *("patch_size", "embed_dim", "num_heads", "mlp_ratio", "qkv_bias", "final_norm"),
    "num_registers",
)


class InitialWeightsError(VitError, ValueError):
    """A training cannot start from a checkpoint; the message says why in one sentence."""


@dataclass(frozen=True)
class Taken:
    """What a model took from a checkpoint.

    Attributes:
        copied: number of weights that are as in the checkpoint.
        changed: sentences on what was changed to fit.
        new: sentences on what starts at random instead.
        left: sentences on what of the checkpoint is not used.
    """

    copied: int
    changed: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def __str__(self) -> str:
        first = f"{self.copied:,} weights are copied."
        return " ".join((first, *self.changed, *self.new, *self.left))


def checkpoint_of(init: str) -> Checkpoint:
    """Read the checkpoint that ``--init`` names.

    Args:
        init: name of a shipped model, or the path of a checkpoint.

    Raises:
        InitialWeightsError: there is no such model.
        CheckpointError: the file is no checkpoint of this project.
        OSError: it cannot be read.
    """
    if init in shipped_names():
        return load_checkpoint(SHIPPED_DIR / f"{init}.safetensors")
    path = Path(init).expanduser()
    if not path.exists():
        raise InitialWeightsError(
            f"there is no model {quoted(path.name)} to start from; allowed are "
            f"{', '.join(shipped_names())}, or the path of a checkpoint"
        )
    return load_checkpoint(path)


@torch.no_grad()
def start_from(
    model: ViT, checkpoint: Checkpoint, class_names: tuple[str, ...] | None = None
) -> Taken:
    """Copy the weights of a checkpoint into a new model, where they fit.

    The head is taken only for the same classes in the same order. Positions are resampled to
    another grid of patches, by bicubic interpolation. Weights of grey patches become those of
    coloured ones by a third in each channel, and coloured ones become grey by their sum: a grey
    picture then gives the same embedding.

    Args:
        model: changed in place; what is not copied stays as it is.
        class_names: of the data to train on; None for those of the checkpoint, if it has as many.

    Raises:
        InitialWeightsError: the two models are too unlike; nothing was copied.
    """
    source, target = checkpoint.config, model.config
    check_alike(source, target)
    theirs, ours = checkpoint.model.state_dict(), model.state_dict()
    takes_head = has_same_classes(checkpoint, target, class_names)
    changed: list[str] = []
    new: list[str] = []
    copied = 0
    for key, value in ours.items():
        if key.startswith(HEAD) and not takes_head:
            continue
        found = theirs.get(key)
        if found is None:
            continue
        if key == POSITION:
            found = fitted_position(found, source, target)
        elif key == PATCHES:
            found = fitted_channels(found, source, target)
        value.copy_(found)
        copied += value.numel()
    if source.in_channels != target.in_channels:
        kinds = "coloured", "grey"
        before, after = kinds if source.in_channels == 3 else kinds[::-1]
        changed.append(f"The filters for {before} patches are adapted to {after} ones.")
    if POSITION in ours and POSITION in theirs and source.grid_size != target.grid_size:
        old, now = (" x ".join(map(str, config.grid_size)) for config in (source, target))
        changed.append(f"The positions are resampled from {old} to {now} patches.")
    if target.num_classes and not takes_head:
        new.append(f"The head for {target.num_classes} classes is new, and starts at random.")
    missing = sorted({part_of(key) for key in ours if key not in theirs and HEAD not in key})
    if missing:
        new.append(f"New, and at random: {', '.join(missing)}.")
    extra = sorted({part_of(key) for key in theirs if key not in ours and HEAD not in key})
    left = (f"Not used: {', '.join(extra)}.",) if extra else ()
    return Taken(copied, tuple(changed), tuple(new), left)


def check_alike(source: ViTConfig, target: ViTConfig) -> None:
    """Refuse to start from a model whose blocks differ from the new model's.

    Raises:
        InitialWeightsError: the message names the settings in which they differ.
    """
    differing = [
        f"{name} {value_of(source, name)} where this run has {value_of(target, name)}"
        for name in ALIKE
        if value_of(source, name) != value_of(target, name)
    ]
    if (source.layer_scale is None) != (target.layer_scale is None):
        differing.append("layer_scale in one of the two only")
    if differing:
        raise InitialWeightsError(
            f"a run cannot start from a model with {', and '.join(differing)}; choose a model of "
            f"the same shape, or give this run the other's settings"
        )


def value_of(config: ViTConfig, name: str) -> object:
    """Return a setting in a form in which equal ones are equal."""
    return config.patch_hw if name == "patch_size" else getattr(config, name)


def has_same_classes(
    checkpoint: Checkpoint, target: ViTConfig, class_names: tuple[str, ...] | None
) -> bool:
    """Return whether the head of a checkpoint answers for the classes of a new model."""
    if checkpoint.config.num_classes != target.num_classes or not target.num_classes:
        return False
    known = checkpoint.data.class_names if checkpoint.data else None
    return class_names is None or class_names == known


def fitted_position(position: Tensor, source: ViTConfig, target: ViTConfig) -> Tensor:
    """Return learned positions for another grid, and with or without one for the class token.

    Args:
        position: (1, N, D), of the source.
    """
    has, wants = source.pool == "cls", target.pool == "cls"
    first, patches = position[:, : int(has)], position[:, int(has) :]
    if source.grid_size != target.grid_size:
        plane = patches.reshape(1, *source.grid_size, -1).permute(0, 3, 1, 2)
        plane = F.interpolate(plane, size=target.grid_size, mode="bicubic", antialias=True)
        patches = plane.permute(0, 2, 3, 1).flatten(1, 2)
    if not wants:
        return patches
    if not has:
        first = torch.zeros_like(patches[:, :1])
    return torch.cat((first, patches), dim=1)


def fitted_channels(weight: Tensor, source: ViTConfig, target: ViTConfig) -> Tensor:
    """Return the filters of the patch embedding for another number of channels.

    Args:
        weight: (D, channels · ph · pw) of the source.
    """
    before, after = source.in_channels, target.in_channels
    if before == after:
        return weight
    grey = weight.reshape(len(weight), before, -1).sum(dim=1)
    return (grey / after).repeat(1, after)


def part_of(key: str) -> str:
    """Return which part of a model a weight belongs to, as ``cls_token`` or ``blocks.3``."""
    words = key.split(".")
    return ".".join(words[:2]) if words[0] == "blocks" else words[0]
