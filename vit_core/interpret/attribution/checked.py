"""Refuse what cannot be explained, in one sentence each."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from vit_core.checks import check_int, quoted
from vit_core.interpret.attribution.result import AttributionError
from vit_core.interpret.attribution.target import Target
from vit_core.model import ViT

NO_REFERENCE = (
    "a reference is for a model without a head; this one explains a class, given as targets"
)

MOST_STEPS = 1_000
LARGEST_SEED = 2**31 - 1


def check_images(model: object, images: object) -> None:
    """Refuse what is no model of this project, or no batch of pictures that it takes.

    Raises:
        AttributionError: the sentence says what is allowed.
    """
    if not isinstance(model, ViT):
        raise AttributionError(f"a ViT can be explained, not a {type(model).__name__}")
    config = model.config
    expected = (config.in_channels, *config.image_hw)
    if not isinstance(images, Tensor):
        raise AttributionError(f"images must be a tensor, not a {type(images).__name__}")
    if images.ndim != 4 or images.shape[1:] != expected or not len(images):
        raise AttributionError(
            f"images of shape {tuple(images.shape)} do not fit this model; it takes one or more, "
            f"(B, {', '.join(map(str, expected))})"
        )
    weight = model.patch_embed.proj.weight
    if images.dtype != weight.dtype or images.device != weight.device:
        raise AttributionError(
            f"images of {images.dtype} on {images.device} do not fit this model, whose weights are "
            f"of {weight.dtype} on {weight.device}"
        )
    if not images.isfinite().all():
        raise AttributionError("images must be finite numbers, and some are NaN or infinite")


def checked_target(
    model: ViT, batch: int, targets: object, reference: object, method: str, is_targeted: bool
) -> Target:
    """Return what is explained.

    Args:
        batch: number of pictures.
        targets: indices of classes, one for each picture, or None.
        reference: features (D,) or (B, D), or None.
        method: its name, for a message.
        is_targeted: whether it asks for a class, or for a reference.

    Raises:
        AttributionError: they do not fit the model or each other.
    """
    classes = model.config.num_classes
    if classes and reference is not None:
        raise AttributionError(NO_REFERENCE)
    if targets is not None:
        if not classes:
            raise AttributionError("this model has no head and so no classes: leave targets out")
        return Target(checked_classes(model, batch, targets))
    if classes and is_targeted:
        raise AttributionError(
            f"{method} explains a class: give targets, {batch} whole numbers from 0 to "
            f"{classes - 1}"
        )
    if reference is None:
        return Target()
    return Target(reference_BD=checked_reference(model, batch, reference))


def checked_classes(model: ViT, batch: int, targets: object) -> Tensor:
    """Return indices of classes as int64, (batch,).

    Raises:
        AttributionError: they are not as many as the pictures, or no class of the model.
    """
    classes = model.config.num_classes
    allowed = f"targets must be {batch} whole numbers from 0 to {classes - 1}, one for each picture"
    try:
        given = torch.as_tensor(targets)
    except (TypeError, ValueError, RuntimeError):
        raise AttributionError(f"{allowed}, not {quoted(targets)}") from None
    if given.is_floating_point() or given.is_complex() or given.dtype == torch.bool:
        raise AttributionError(f"{allowed}, not of {given.dtype}")
    if given.shape != (batch,):
        raise AttributionError(f"{allowed}, not of shape {tuple(given.shape)}")
    outside = [int(one) for one in given if not 0 <= int(one) < classes]
    if outside:
        raise AttributionError(f"{allowed}; there is no class {outside[0]}")
    return given.to(model.patch_embed.proj.weight.device, torch.int64)


def checked_reference(model: ViT, batch: int, reference: object) -> Tensor:
    """Return the features to compare with, (batch, D), in the model's dtype and without a graph.

    Raises:
        AttributionError: the features do not fit.
    """
    config = model.config
    if config.num_classes:
        raise AttributionError(NO_REFERENCE)
    allowed = f"reference must be features, ({config.embed_dim},) or ({batch}, {config.embed_dim})"
    if not isinstance(reference, Tensor):
        raise AttributionError(f"{allowed}, not a {type(reference).__name__}")
    if reference.shape not in ((config.embed_dim,), (batch, config.embed_dim)):
        raise AttributionError(f"{allowed}, not of shape {tuple(reference.shape)}")
    if not reference.isfinite().all() or not reference.any(dim=-1).all():
        raise AttributionError(f"{allowed}, finite and not all zero")
    given = reference.detach().to(model.patch_embed.proj.weight)
    return given.expand(batch, -1)


def check_options(
    method: str, options: Mapping[str, Any], allowed: Iterable[str], channels: int
) -> None:
    """Refuse options that a method does not have, and values that they cannot have.

    Args:
        channels: of the model's pictures.

    Raises:
        AttributionError: the sentence names the option and what is allowed.
    """
    allowed = (*allowed, "progress")
    for name, value in options.items():
        if name not in allowed:
            raise AttributionError(
                f"{method} has no option {quoted(name)}; it has {', '.join(allowed)}"
            )
        try:
            if name == "steps":
                check_int(name, value, at_least=1, at_most=MOST_STEPS)
            elif name == "seed":
                check_int(name, value, at_least=0, at_most=LARGEST_SEED)
        except ValueError as error:
            raise AttributionError(str(error)) from None
        if name == "baseline" and value is not None:
            check_colour(value, channels)
        if name == "progress" and value is not None and not callable(value):
            raise AttributionError("progress must be called as progress(done, total)")


def check_finite(patches: Tensor) -> None:
    """Refuse values of which some are no numbers: the model's own pass has overflowed.

    Raises:
        AttributionError: some value is NaN or infinite.
    """
    if not patches.isfinite().all():
        raise AttributionError(
            "this model's pass does not give finite numbers here, so nothing can be explained"
        )


def check_colour(value: object, channels: int) -> None:
    """Refuse what is no colour: one finite number for each channel.

    Raises:
        AttributionError: the sentence says what is allowed.
    """
    if not (
        isinstance(value, Tensor)
        and value.shape == (channels,)
        and value.is_floating_point()
        and value.isfinite().all()
    ):
        raise AttributionError(
            f"baseline must be a tensor of {channels} finite numbers, the colour in each channel"
        )
