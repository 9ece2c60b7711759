"""Hiding patches from a model: covering their pixels, or leaving out their tokens.

Shape suffixes as in ``vit_core.model``.
"""

from collections.abc import Collection

import torch
from torch import Tensor

from vit_core.config import ViTConfig


def cover_patches(
    images: Tensor, patch_size: tuple[int, int], patches: Collection[int], value: Tensor
) -> Tensor:
    """Return images with every pixel of these patches replaced by ``value``.

    Args:
        images: (B, channels, height, width), any pixel range.
        patch_size: (ph, pw), height and width of a patch in pixels.
        patches: in reading order, from 0.
        value: (channels,) or (B, channels), in the images' own range.

    Raises:
        ValueError: there is no such patch.
    """
    ph, pw = patch_size
    rows, columns = images.shape[-2] // ph, images.shape[-1] // pw
    covered = images.clone()
    for patch in patches:
        check_patch(patch, rows * columns)
        row, column = divmod(patch, columns)
        covered[..., row * ph : (row + 1) * ph, column * pw : (column + 1) * pw] = value.expand(
            images.shape[:2]
        )[..., None, None]
    return covered


def cover_each(
    images: Tensor, patch_size: tuple[int, int], hidden_BP: Tensor, value_BC: Tensor
) -> Tensor:
    """Return images of which each has patches of its own replaced by a value of its own.

    Args:
        images: (B, channels, height, width), any pixel range.
        patch_size: (ph, pw), height and width of a patch in pixels.
        hidden_BP: which patches of each image are covered, bool, in reading order.
        value_BC: one number for each image and channel, in the images' own range.
    """
    (batch, channels, height, width), (ph, pw) = images.shape, patch_size
    grid = images.reshape(batch, channels, height // ph, ph, width // pw, pw)
    hidden = hidden_BP.reshape(batch, 1, height // ph, 1, width // pw, 1)
    covered = torch.where(hidden, value_BC.reshape(batch, channels, 1, 1, 1, 1), grid)
    return covered.reshape(images.shape)


def leave_out_patches(x_BND: Tensor, config: ViTConfig, patches: Collection[int]) -> Tensor:
    """Return tokens without those of some patches; the others keep their order and their position.

    A tap that returns this for "embed" lets the encoder run as if these patches did not exist.
    Source: "PatchDropout", https://arxiv.org/abs/2208.07220, which does so in training.

    Args:
        x_BND: all tokens, with their positions.
        patches: in reading order, from 0.

    Raises:
        ValueError: there is no such patch, or none would be left.
    """
    for patch in patches:
        check_patch(patch, config.num_patches)
    gone = {config.num_prefix_tokens + patch for patch in patches}
    if len(gone) == config.num_patches:
        raise ValueError("at least one patch must stay")
    kept = [token for token in range(x_BND.shape[1]) if token not in gone]
    return x_BND[:, torch.tensor(kept, device=x_BND.device)]


def check_patch(patch: int, count: int) -> None:
    if not 0 <= patch < count:
        raise ValueError(f"there is no patch {patch}; they are from 0 to {count - 1}")
