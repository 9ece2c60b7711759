"""What positions do: how similar they are, which wave each dimension is, what a shuffle changes.

Shape suffixes as in ``vit_core.model``; C is the number of classes.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vit_core.model import ViT, patchify
from vit_core.trace import output_with


class Wave(NamedTuple):
    """The wave of one dimension of a sine-cosine encoding: function(frequency · step).

    Attributes:
        along: what counts the steps, from 0: the "position" in the list of tokens ("sincos"), or
            the patch's "column" or "row" in the grid ("sincos2d").
        function: "sin" or "cos".
        frequency: radians per step; one full swing takes 2π / frequency steps.
    """

    along: str
    function: str
    frequency: float


class Shuffle(NamedTuple):
    """Logits (B, C) of the same images with their patches in order and in another order.

    Attributes:
        in_order, shuffled: of the model with its positions.
        in_order_without, shuffled_without: of the model with zeros instead of positions.
    """

    in_order: Tensor
    shuffled: Tensor
    in_order_without: Tensor
    shuffled_without: Tensor


def wave(kind: str, embed_dim: int, dimension: int) -> Wave:
    """Return the wave of one dimension, 0..embed_dim - 1.

    Source: "Attention Is All You Need", section 3.5, for "sincos"; SimpleViT,
    https://arxiv.org/abs/2205.01580, for "sincos2d".

    Raises:
        ValueError: ``kind`` is neither, "sincos2d" meets a width that is no multiple of 4, or
            there is no such dimension.
    """
    if not 0 <= dimension < embed_dim:
        raise ValueError(f"there is no dimension {dimension}; they are from 0 to {embed_dim - 1}")
    if kind == "sincos":
        pair, odd = divmod(dimension, 2)
        return Wave("position", "cos" if odd else "sin", 10000.0 ** (-2 * pair / embed_dim))
    if kind != "sincos2d":
        raise ValueError(f"only 'sincos' and 'sincos2d' are made of waves, not {kind!r}")
    if embed_dim % 4:
        raise ValueError(f"'sincos2d' needs a width divisible by 4, not {embed_dim}")
    quarter = embed_dim // 4
    part, step = divmod(dimension, quarter)
    return Wave(
        "column" if part < 2 else "row",
        "cos" if part % 2 else "sin",
        10000.0 ** (-step / max(quarter - 1, 1)),
    )


def position_similarity(pos_embed_ND: Tensor) -> Tensor:
    """Return the cosine similarity of any two positions, (…, N, D) → (…, N, N), from -1 to 1.

    A row of zeros, which the class token has in "sincos2d", has no direction: its similarity is 0,
    also with itself. Source: "An Image is Worth 16x16 Words", figure 7 (centre), which shows the
    rows and columns of the patches.
    """
    unit_ND = F.normalize(pos_embed_ND, dim=-1)
    return (unit_ND @ unit_ND.transpose(-2, -1)).clamp(-1, 1)


def shuffle_patches(images: Tensor, patch_size: tuple[int, int], permutation: Tensor) -> Tensor:
    """Return images with their patches in another order: patch ``permutation[i]`` comes to index i.

    Args:
        images: (B, channels, height, width), any pixel range and dtype.
        patch_size: (ph, pw), height and width of a patch in pixels.
        permutation: (P,), each of 0..P - 1 once, in reading order.

    Raises:
        ValueError: the image is not divisible into whole patches, or ``permutation`` does not have
            each patch once.
    """
    patches_BPV = patchify(images, patch_size)
    count = patches_BPV.shape[1]
    if permutation.shape != (count,) or permutation.sort().values.tolist() != list(range(count)):
        raise ValueError(f"a permutation of {count} patches names each of 0 to {count - 1} once")
    batch, channels, height, width = images.shape
    patch_height, patch_width = patch_size
    rows, columns = height // patch_height, width // patch_width
    grid = patches_BPV[:, permutation].reshape(
        batch, rows, columns, channels, patch_height, patch_width
    )
    return grid.permute(0, 3, 1, 4, 2, 5).reshape(images.shape)


def without_position(model: ViT, images: Tensor) -> Tensor:
    """Return the output (B, C or D) with zeros instead of the positions.

    The class token's position is replaced as well. A model that was trained with positions has
    never seen such tokens, so its output may be far worse.

    Args:
        images: (B, channels, height, width), normalised as for the model.
    """
    if model.pos_embed is None:
        return output_with(model, images)
    return output_with(model, images, {"pos_embed": torch.zeros_like})


def shuffle_experiment(model: ViT, images: Tensor, permutation: Tensor) -> Shuffle:
    """Run the model on images in order and shuffled, with its position and without.

    Attention, the MLP and the pooling treat all patches alike. Without positions the logits cannot
    depend on the order: ``in_order_without`` and ``shuffled_without`` differ only by rounding.

    Args:
        model: used as it is, in its training or evaluation mode.
        images: (B, channels, height, width), normalised as for the model.
        permutation: (P,), as ``shuffle_patches`` takes it.

    Raises:
        ValueError: as ``shuffle_patches``.
    """
    shuffled = shuffle_patches(images, model.config.patch_hw, permutation)
    return Shuffle(
        output_with(model, images),
        output_with(model, shuffled),
        without_position(model, images),
        without_position(model, shuffled),
    )
