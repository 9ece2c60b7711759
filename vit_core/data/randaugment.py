"""RandAugment for images in memory, one by one, each with a seed of its own.

E. D. Cubuk et al. 2020, "RandAugment: Practical automated data augmentation with a reduced search
space", https://arxiv.org/abs/1909.13719; torchvision's implementation.
"""

import torch
from torch import Tensor

from vit_core.torchvision_import import import_transforms


def apply_rand_augment(image: Tensor, magnitude: int) -> Tensor:
    """Apply RandAugment to one image; it draws from the global generator.

    Args:
        image: (channels, height, width) uint8.
        magnitude: 1 to 30, or 0 to change nothing.
    """
    if not magnitude:
        return image
    changed: Tensor = import_transforms().RandAugment(magnitude=magnitude)(image)
    return changed


def rand_augment(images: Tensor, magnitude: int, seed: int, indices: Tensor) -> Tensor:
    """Apply RandAugment to each image of a batch.

    Args:
        images: (B, channels, height, width) uint8.
        magnitude: as in ``TrainConfig``.
        seed: of the epoch.
        indices: (B,) of the images in their split; the seed and the index decide how an image is
            changed.
    """
    changed = []
    with torch.random.fork_rng(devices=[]):
        for image, index in zip(images, indices.tolist(), strict=True):
            torch.default_generator.manual_seed(seed_of(seed, index))
            changed.append(apply_rand_augment(image, magnitude))
    return torch.stack(changed)


def seed_of(seed: int, index: int) -> int:
    """Return a seed for one image in one epoch."""
    return (seed * 2_147_483_659 + index) % 2**63
