"""PatchDropout: train on a random part of each image's patches.

Y. Liu et al. 2022, "PatchDropout: Economizing Vision Transformers Using Patch Dropout",
https://arxiv.org/abs/2208.07220.
"""

import torch
from torch import Tensor

from vit_core.model import ViT


def kept_patches(patches: int, batch: int, share: float, generator: torch.Generator) -> Tensor:
    """Draw which patches of each image stay.

    Args:
        patches: number of patches of an image.
        batch: number of images.
        share: of the patches that are dropped, from 0 to below 1.

    Returns:
        (batch, kept) indices on the generator's device, with
        kept = max(1, round((1 − share) · patches)).
    """
    kept = max(1, round((1 - share) * patches))
    draws = torch.rand((batch, patches), generator=generator, device=generator.device)
    return draws.argsort(dim=1)[:, :kept]


def forward_with_part(model: ViT, images: Tensor, indices: Tensor) -> Tensor:
    """Run ``model`` on some patches of each image and return logits (B, num_classes).

    Each patch keeps its own position. The class token and the registers always stay.

    Args:
        images: (B, channels, height, width), normalised.
        indices: (B, kept) of the patches, as ``kept_patches`` draws them.
    """
    x_BND = model.embed(model.patch_embed(images))
    prefix = model.config.num_prefix_tokens
    index = indices[:, :, None].expand(-1, -1, x_BND.shape[2])
    x_BND = torch.cat((x_BND[:, :prefix], x_BND[:, prefix:].gather(1, index)), dim=1)
    for block in model.blocks:
        x_BND = block(x_BND)
    return model.forward_head(model.norm(x_BND))
