"""PatchDropout: train on a random part of each image's patches.

Y. Liu et al. 2022, "PatchDropout: Economizing Vision Transformers Using Patch Dropout",
https://arxiv.org/abs/2208.07220.
"""

import torch
from torch import Tensor

from vit_core.model import ViT


def forward_with_part(
    model: ViT, images: Tensor, share: float, generator: torch.Generator
) -> Tensor:
    """Run ``model`` on the patches that are left: images → logits.

    Each image keeps ``round((1 - share) · P)`` of its P patches, at least one, with their own
    positions; the class token and the registers always stay.

    Args:
        share: of the patches that are dropped, 0 to below 1.
        generator: on the images' device.
    """
    x_BND = model.embed(model.patch_embed(images))
    B, _, D = x_BND.shape
    prefix, patches = model.config.num_prefix_tokens, model.config.num_patches
    kept = max(1, round((1 - share) * patches))
    draws = torch.rand((B, patches), generator=generator, device=images.device)
    places = draws.argsort(dim=1)[:, :kept, None].expand(-1, -1, D)
    x_BND = torch.cat((x_BND[:, :prefix], x_BND[:, prefix:].gather(1, places)), dim=1)
    for block in model.blocks:
        x_BND = block(x_BND)
    return model.forward_head(model.norm(x_BND))
