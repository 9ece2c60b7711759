"""The running mean (exponential moving average) of a model's weights during training.

B. Polyak and A. Juditsky 1992, "Acceleration of stochastic approximation by averaging".
"""

import copy

import torch

from vit_core.model import ViT


class RunningMean:
    """A second model whose weights follow those of the model in training."""

    def __init__(self, model: ViT, decay: float) -> None:
        self.model = copy.deepcopy(model).requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: ViT, step: int) -> None:
        """Add the weights after ``step`` (counted from 0) to the mean: m ← d·m + (1 − d)·w.

        At first d is only (1 + step) / (10 + step), so that the untrained weights soon lose their
        influence.
        """
        decay = min(self.decay, (1 + step) / (10 + step))
        for mean, now in zip(self.model.parameters(), model.parameters(), strict=True):
            mean.lerp_(now, 1 - decay)
