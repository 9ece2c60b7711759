"""MixUp and CutMix: an image and its label are mixed with those before them in the batch.

H. Zhang et al. 2018, "mixup: Beyond empirical risk minimization", https://arxiv.org/abs/1710.09412;
S. Yun et al. 2019, "CutMix", https://arxiv.org/abs/1905.04899; torchvision's implementations.
"""

import torch
from torch import Tensor

from vit_core.torchvision_import import import_transforms


def mix(
    images: Tensor, labels: Tensor, mixup: float, cutmix: float, classes: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Mix a batch; the ratio and the rectangle are the same for all of its images.

    Args:
        images: (B, channels, height, width), normalised.
        labels: (B,) class numbers.
        mixup, cutmix: alpha of each, 0 to leave it out; if both are given, one is drawn.
        classes: number of classes.
        seed: of the draws. They also depend on the images' height and width, but not on B, so that
            every process that has a part of a batch draws the same.

    Returns:
        The mixed images, and (B, classes) the share of each class in them.
    """
    v2 = import_transforms()
    kinds = [(v2.MixUp, mixup), (v2.CutMix, cutmix)]
    chosen = [kind(alpha=alpha, num_classes=classes) for kind, alpha in kinds if alpha]
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        mixed: tuple[Tensor, Tensor] = v2.RandomChoice(chosen)(images, labels)
        return mixed
