"""Images in memory of which most pixels are 0, in a third of the space.

Digits on black are mostly background. So an image is kept as one bit for each pixel, which says
whether the pixel is 0, and the values of the others. Nothing is lost. MNIST takes 19 MB in place of
55 MB, and to unpack a batch of 128 images takes a fraction of a millisecond.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np
import torch
from torch import Tensor

from vit_core.data.embedded_mnist import mnist_info, mnist_parts, read_part
from vit_core.data.sets import Batch, ImageData, Images, Split

AT_ONCE = 1_000  # images that are packed together


@dataclass(frozen=True)
class PackedSplit:
    """Images of a part of a data set on the CPU, packed; index 0 is the first.

    Attributes:
        labels: (n,) int64.
        image_shape: channels, height and width.
        is_set: (n, ⌈pixels / 8⌉) uint8, a bit for each number of an image: whether it is not 0.
        values: (m,) uint8, the numbers that are not 0, image after image.
        starts: (n + 1,) int64, the index in ``values`` of each image's first one, and m.
    """

    labels: Tensor
    image_shape: tuple[int, ...]
    is_set: np.ndarray
    values: np.ndarray
    starts: np.ndarray

    @classmethod
    def pack(cls, split: Split) -> Self:
        """Return the same images, packed; ``split`` is on the CPU."""
        flat = split.images.flatten(1).numpy()
        parts = [flat[i : i + AT_ONCE] for i in range(0, len(flat), AT_ONCE)]
        counts = np.concatenate([np.count_nonzero(part, axis=1) for part in parts])
        return cls(
            split.labels,
            split.image_shape,
            is_set=np.concatenate([np.packbits(part != 0, axis=1) for part in parts]),
            values=np.concatenate([part[part != 0] for part in parts]),
            starts=np.concatenate(([0], counts.cumsum())),
        )

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, indices: Tensor) -> Tensor:
        """Return the images at ``indices`` (B,), as (B, channels, height, width) uint8."""
        chosen = indices.numpy()
        pixels = math.prod(self.image_shape)
        is_set = np.unpackbits(self.is_set[chosen], axis=1, count=pixels).view(bool)
        first = self.starts[chosen]
        counts = self.starts[chosen + 1] - first
        before = counts.cumsum() - counts  # numbers of the images before it in the batch
        places = np.repeat(first - before, counts) + np.arange(counts.sum())
        images = np.zeros((len(chosen), pixels), np.uint8)
        images[is_set] = self.values[places]
        return torch.from_numpy(images).view(-1, *self.image_shape)

    def at(self, indices: list[int]) -> Tensor:
        return self.select(torch.tensor(indices, dtype=torch.long))

    def first(self, count: int) -> Split:
        labels = self.labels[:count]
        return Split(self.select(torch.arange(len(labels))), labels)

    def in_order(self, batch_size: int, part: int = 0, parts: int = 1) -> Iterator[Batch]:
        for start in range(part * batch_size, len(self), parts * batch_size):
            indices = torch.arange(start, min(start + batch_size, len(self)))
            yield Batch(self.select(indices), indices)

    def to(self, device: torch.device | str) -> Images:
        """Return the images unpacked, on ``device``; the same object if that is the CPU."""
        if torch.device(device).type == "cpu":
            return self
        return self.first(len(self)).to(device)


@cache
def packed_mnist_test() -> PackedSplit:
    """Return the digits of ``mnist_test``, packed; the unpacked ones are not kept."""
    return PackedSplit.pack(read_part("t10k"))


@cache
def packed_mnist() -> ImageData:
    """Return what ``mnist`` returns, packed. The unpacked images are not kept."""
    train, val, test = map(PackedSplit.pack, mnist_parts())
    return ImageData(train, val, test, mnist_info())
