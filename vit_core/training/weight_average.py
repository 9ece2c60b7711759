"""The running mean of a model's weights while it learns.

B. Polyak and A. Juditsky 1992, "Acceleration of stochastic approximation by averaging".
"""

import copy

import torch

from vit_core.model import ViT


class RunningMean:
    """A second model, whose weights follow those of the one that learns."""

    def __init__(self, model: ViT, decay: float) -> None:
        self.model = copy.deepcopy(model).requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: ViT, step: int) -> None:
        """Take in the weights after ``step`` (counted from 0): m ← d·m + (1 − d)·w.

        Early on d is smaller, (1 + step) / (10 + step), so that the untrained weights are soon
        forgotten.
        """
        decay = min(self.decay, (1 + step) / (10 + step))
        for mean, now in zip(self.model.parameters(), model.parameters(), strict=True):
            mean.lerp_(now, 1 - decay)
