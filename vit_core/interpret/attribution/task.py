"""What every method is given: the model, the pictures, what is explained, and who is told of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from vit_core.config import ViTConfig
from vit_core.interpret.attribution.target import Target
from vit_core.interpret.heads import AT_ONCE
from vit_core.interpret.left_out import passes_at_once
from vit_core.model import ViT

Progress = Callable[[int, int], None]

BACKWARD = 3  # a forward and a backward pass cost about three forward ones


@dataclass(frozen=True)
class Task:
    """One call of ``attribute``, checked.

    Attributes:
        model: for this call alone, see ``private``.
        images: (B, channels, height, width).
        target: what is explained.
        progress: called as progress(done, total) after each chunk.
    """

    model: ViT
    images: Tensor
    target: Target
    progress: Progress | None = None

    @property
    def config(self) -> ViTConfig:
        return self.model.config

    def parts(self, total: int, backward: bool = False) -> Iterator[Tensor]:
        """Yield the numbers from 0 to ``total`` (the passes to make), as many at once as may be.

        Args:
            backward: whether each pass keeps its graph and goes back, too.
        """
        size = at_once(self.config, self.images.element_size(), backward)
        for first in range(0, total, size):
            yield torch.arange(first, min(total, first + size), device=self.images.device)

    def chunks(self, total: int, backward: bool = False) -> Iterator[Tensor]:
        """Yield what ``parts`` yields, and tell of each when it is done."""
        done = 0
        for some in self.parts(total, backward):
            yield some
            done += len(some)
            if self.progress is not None:
                self.progress(done, total)


def at_once(config: ViTConfig, value_bytes: int, backward: bool) -> int:
    """Return how many pictures a chunk may have, by its memory and its time; at least 1.

    Args:
        value_bytes: of one number.
        backward: whether every tensor is kept until the way back.
    """
    if not backward:
        return passes_at_once(config)
    kept = (config.memory_bytes - 4 * config.num_parameters) * value_bytes // 4
    return max(1, min(AT_ONCE // kept, passes_at_once(config) // BACKWARD))


@torch.no_grad()
def outputs(task: Task, images: Tensor) -> Tensor:
    """Return the model's output to pictures, (B, C) logits or (B, D) features."""
    return torch.cat([task.model(images[some]) for some in task.parts(len(images))])
