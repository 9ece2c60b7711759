"""Which images of a batch one process works on.

Whatever is random is drawn for the whole batch by every process alike, and each keeps what belongs
to its own images. So a run does not depend on how many processes share it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Share:
    """Some images of a batch.

    Attributes:
        total: images in the batch.
        start, stop: the first image of the share and the one behind its last. ``start`` may be −1
            for the last image of the batch.
    """

    total: int
    start: int
    stop: int

    @classmethod
    def whole(cls, total: int) -> "Share":
        return cls(total, 0, total)

    def __len__(self) -> int:
        return self.stop - self.start

    def select(self, tensor: Tensor, axis: int = 0) -> Tensor:
        """Return what belongs to the share; ``axis`` is as long as the batch."""
        if len(self) == self.total and self.start == 0:
            return tensor
        if self.start >= 0:
            return tensor.narrow(axis, self.start, len(self))
        rest = tensor.narrow(axis, 0, self.stop)
        return torch.cat((tensor.narrow(axis, self.total - 1, 1), rest), dim=axis)

    def parts(self, count: int) -> list["Share"]:
        """Cut it into equal parts, in order."""
        size = len(self) // count
        starts = range(self.start, self.start + count * size, size)
        return [Share(self.total, start, start + size) for start in starts]
