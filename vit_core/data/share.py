"""Which images of a batch one process works on.

Every process draws all random numbers of the whole batch and keeps those of its own images. So the
result of a run does not depend on the number of processes.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor


@dataclass(frozen=True)
class Share:
    """Some images of a batch.

    Attributes:
        total: images in the batch.
        start, stop: index of the first image, and one more than the index of the last. ``start``
            is −1 if the share begins with the last image of the batch: MixUp mixes an image with
            the one before it, and the last image comes before the first.
    """

    total: int
    start: int
    stop: int

    @classmethod
    def whole(cls, total: int) -> "Share":
        """Return the share of a process that works alone: all ``total`` images."""
        return cls(total, 0, total)

    def __len__(self) -> int:
        return self.stop - self.start

    def select(self, tensor: Tensor, axis: int = 0) -> Tensor:
        """Return the part of ``tensor`` that belongs to the share's images.

        Args:
            axis: that counts the images of the whole batch.
        """
        if len(self) == self.total and self.start == 0:
            return tensor
        if self.start >= 0:
            return tensor.narrow(axis, self.start, len(self))
        rest = tensor.narrow(axis, 0, self.stop)
        return torch.cat((tensor.narrow(axis, self.total - 1, 1), rest), dim=axis)

    def parts(self, count: int) -> list["Share"]:
        """Split it into ``count`` parts, in order, whose sizes differ by one image at most."""
        bounds = [self.start + i * len(self) // count for i in range(count + 1)]
        return [Share(self.total, start, stop) for start, stop in pairwise(bounds)]
