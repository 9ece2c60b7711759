"""What single units of a model answer to, and what the model is without one of them.

A unit is a hidden unit of an MLP (a number of ``mlp.post``) or a direction of a head (a number of
``attn.z``). Shape suffixes as in ``vit_core.model``; U counts the units of one tensor.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vit_core.config import ViTConfig
from vit_core.errors import VitError
from vit_core.model import ViT
from vit_core.trace import Edit

Progress = Callable[[int, int], None]


class UnitError(VitError, ValueError):
    """The model has no such unit."""


class Unit(NamedTuple):
    """One number that a block computes for every token; all count from 0.

    Attributes:
        block: encoder block.
        number: hidden unit of the MLP; with a head, dimension of what that head collects.
        head: attention head; None for a hidden unit of the MLP.
    """

    block: int
    number: int
    head: int | None = None

    @property
    def key(self) -> str:
        """The trace key of the tensor that has the unit."""
        return f"blocks.{self.block}.{'mlp.post' if self.head is None else 'attn.z'}"

    def values(self, tensor: Tensor) -> Tensor:
        """Return the unit's value for each token, a view (B, N) of the tensor under ``key``."""
        if self.head is None:
            return tensor[..., self.number]
        return tensor[:, self.head, :, self.number]


class Activity(NamedTuple):
    """How the units of one tensor behave on the patches of many pictures.

    Attributes:
        largest: (U,) the largest value.
        mean: (U,) the mean of what is above zero, with zeros for the rest.
        mean_square: (U,) the mean of its square.
    """

    largest: Tensor
    mean: Tensor
    mean_square: Tensor

    @property
    def sparseness(self) -> Tensor:
        """(U,) from 0, fires on almost no patch, to 1, the same on each; 1 where it never fires.

        (mean of a)² / mean of a², for a = what is above zero. Source: Treves and Rolls, "What
        determines the capacity of autoassociative memories in the brain?", Network 2 (1991).
        """
        fires = self.mean_square > 0
        return torch.where(fires, self.mean**2 / torch.where(fires, self.mean_square, 1.0), 1.0)


class Survey(NamedTuple):
    """A pass over many pictures.

    Attributes:
        outputs: (n, C) logits, or (n, D) features of a backbone.
        activity: trace key → the activity of its units; those of ``attn.z`` are (head, dimension)
            pairs in order.
    """

    outputs: Tensor
    activity: Mapping[str, Activity]


class Examined(NamedTuple):
    """One unit over many pictures.

    Attributes:
        values: (n, N) of each token.
        outputs: (n, C) logits, or (n, D) features of a backbone, with the unit switched off.
    """

    values: Tensor
    outputs: Tensor


class Excited(NamedTuple):
    """The pictures that excite a unit most, the strongest first.

    Attributes:
        pictures: (k,) their indices.
        patches: (k,) the patch of each on which the unit is strongest.
        values: (k,) the unit's value there.
    """

    pictures: Tensor
    patches: Tensor
    values: Tensor


def check_unit(config: ViTConfig, unit: Unit) -> None:
    """Raise a ``UnitError`` if the model has no such unit."""
    width = config.mlp_dim if unit.head is None else config.head_dim
    sizes = [("block", unit.block, config.depth), ("unit", unit.number, width)]
    if unit.head is not None:
        sizes.append(("head", unit.head, config.num_heads))
    for name, value, size in sizes:
        if not 0 <= value < size:
            raise UnitError(f"there is no {name} {value}; they are from 0 to {size - 1}")


def switch_unit_off(config: ViTConfig, unit: Unit) -> Mapping[str, Edit]:
    """Return the edit of ``trace`` that sets a unit to 0 for every token.

    Nothing else is changed, and nothing is scaled up to compensate.

    Raises:
        UnitError: the model has no such unit.
    """
    check_unit(config, unit)

    def edit(tensor: Tensor) -> Tensor:
        unit.values(tensor).zero_()
        return tensor

    return {unit.key: edit}


def unit_keys(config: ViTConfig) -> tuple[str, ...]:
    """Return the trace keys of all tensors that have units."""
    names = ("attn.z", "mlp.post")
    return tuple(f"blocks.{block}.{name}" for block in range(config.depth) for name in names)


@torch.no_grad()
def survey(
    model: ViT, chunks: Sequence[Tensor], progress: Progress = lambda done, total: None
) -> Survey:
    """Run a model over many pictures, and return how active each unit is on their patches.

    Args:
        chunks: batches of images (B, channels, height, width), normalised as for the model.
        progress: called with the pictures that are done and all of them, before each block and
            after each chunk; what it raises ends the work.

    Raises:
        ValueError: there is no picture.
    """
    keys, prefix = set(unit_keys(model.config)), model.config.num_prefix_tokens
    sums: dict[str, Activity] = {}
    outputs: list[Tensor] = []
    done, total = 0, count_of(chunks)

    def tap(name: str, tensor: Tensor) -> Tensor:
        if name.endswith("resid_pre"):
            progress(done, total)
        if name in keys:
            add(sums, name, patch_values(tensor, prefix))
        return tensor

    for images in chunks:
        outputs.append(model(images, tap))
        done += len(images)
        progress(done, total)
    patches = total * model.config.num_patches
    return Survey(
        torch.cat(outputs),
        {
            key: Activity(one.largest, one.mean / patches, one.mean_square / patches)
            for key, one in sums.items()
        },
    )


def add(sums: dict[str, Activity], name: str, values_RU: Tensor) -> None:
    """Add the rows of another chunk to the largest values and the sums of a tensor's units."""
    positive_RU = values_RU.clamp(min=0).double()
    largest = values_RU.amax(dim=0)
    plain, squared = positive_RU.sum(dim=0), positive_RU.square().sum(dim=0)
    if before := sums.get(name):
        largest = torch.maximum(largest, before.largest)
        plain, squared = plain + before.mean, squared + before.mean_square
    sums[name] = Activity(largest, plain, squared)


def patch_values(tensor: Tensor, prefix: int) -> Tensor:
    """Return all units on all patches, (R, U), of an ``mlp.post`` or an ``attn.z``."""
    if tensor.ndim == 4:  # (B, H, N, K): the heads side by side
        tensor = tensor.transpose(1, 2).flatten(2)
    return tensor[:, prefix:].flatten(0, 1)


@torch.no_grad()
def examine(
    model: ViT,
    chunks: Sequence[Tensor],
    unit: Unit,
    progress: Progress = lambda done, total: None,
) -> Examined:
    """Return a unit's values on many pictures, and what the model gives without it.

    One pass does both: the values are read before the unit is set to 0.

    Args:
        chunks, progress: as ``survey`` takes them.

    Raises:
        UnitError: the model has no such unit.
        ValueError: there is no picture.
    """
    check_unit(model.config, unit)
    values: list[Tensor] = []
    outputs: list[Tensor] = []
    done, total = 0, count_of(chunks)

    def tap(name: str, tensor: Tensor) -> Tensor:
        if name.endswith("resid_pre"):
            progress(done, total)
        if name != unit.key:
            return tensor
        values.append(unit.values(tensor).clone())
        tensor = tensor.clone()
        unit.values(tensor).zero_()
        return tensor

    for images in chunks:
        outputs.append(model(images, tap))
        done += len(images)
        progress(done, total)
    return Examined(torch.cat(values), torch.cat(outputs))


def count_of(chunks: Sequence[Tensor]) -> int:
    if not (total := sum(map(len, chunks))):
        raise ValueError("there must be at least one picture")
    return total


def most_excited(values_BP: Tensor, count: int) -> Excited:
    """Return the pictures on one of whose patches a unit is strongest, each picture once.

    Of equal ones, the first.
    """
    strongest_B, patches_B = values_BP.max(dim=1)
    order = strongest_B.argsort(descending=True, stable=True)[:count]
    return Excited(order, patches_B[order], strongest_B[order])


def interesting_units(activity: Mapping[str, Activity]) -> list[tuple[str, int]]:
    """Return (trace key, unit) pairs that fire seldom and strongly, the most seldom first.

    Only units count whose largest value is at least the median of their tensor's units.
    """
    found: list[tuple[float, str, int]] = []
    for key, one in activity.items():
        is_strong = (one.largest >= one.largest.median()) & (one.largest > 0)
        sparseness = one.sparseness
        found += [
            (float(sparseness[unit]), key, unit) for unit in is_strong.nonzero().flatten().tolist()
        ]
    return [(key, unit) for _, key, unit in sorted(found)]
