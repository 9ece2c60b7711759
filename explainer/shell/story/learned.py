"""The recorded run that the story watches: sixteen digits, asked after each epoch."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch

from explainer.training.progress import progress_of
from explainer.training.recorded import FOLDER, HEALTHY, recorded
from vit_core import load_checkpoint
from vit_core.data import mnist_info, mnist_validation, normalize
from vit_core.runs.snapshot import STRIP_INDICES


@dataclass(frozen=True)
class Learned:
    """What a recorded run says of sixteen digits that it did not learn from.

    Attributes:
        digits: (16, 28, 28) uint8.
        truths: the true class of each.
        shares: (epochs + 1, 16, C) float32, probabilities before the first epoch and after each.
        steps, accuracies: (n,) of the images that it learned from, some steps at a time.
        facts: that the texts name.
    """

    digits: np.ndarray
    truths: tuple[int, ...]
    shares: np.ndarray
    steps: np.ndarray
    accuracies: np.ndarray
    facts: dict[str, Any]

    @property
    def right(self) -> list[int]:
        """How many of the sixteen are right, before the first epoch and after each."""
        best = self.shares.argmax(axis=-1)
        return (best == np.array(self.truths)).sum(axis=1).tolist()


@cache
def learned() -> Learned:
    history = recorded(HEALTHY)
    train, progress = history.config.train, progress_of(history)
    digits = mnist_validation(STRIP_INDICES)
    shares = []
    for epoch in range(train.epochs + 1):
        checkpoint = load_checkpoint(FOLDER / HEALTHY / f"epoch-{epoch:03d}.safetensors")
        with torch.no_grad():
            logits = checkpoint.model.eval()(normalize(digits.images, mnist_info()))
        shares.append(logits.softmax(dim=-1).numpy())
    return Learned(
        digits=digits.images[:, 0].numpy(),
        truths=tuple(int(label) for label in digits.labels),
        shares=np.stack(shares),
        steps=progress.train.steps.astype(np.float32),
        accuracies=progress.train.accuracies.astype(np.float32),
        facts={
            "digits": f"{history.config.images:,}",
            "epochs": train.epochs,
            "batch": train.batch_size,
            "parameters": f"{history.config.model.num_parameters:,}",
            "seconds": f"{history.metrics()[-1]['seconds']:.0f}",
        },
    )
