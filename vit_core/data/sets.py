"""What a data set is: its three parts, the batches of a part, and how its pixels are normalised.

A data set that fits in memory is one uint8 tensor on the device, and a batch is made by indexing
it. A larger one is read from its files during training: see ``vit_core.data.streaming``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from vit_core.data.skipped import Skipped

# names of data sets; any other name is the path of an image folder
DATASETS = ("mnist", "fashion-mnist", "cifar10")
Counts = tuple[int, int, int]  # of images for training, validation and test
COUNTS: dict[str, Counts] = {
    "mnist": (55_000, 5_000, 10_000),
    "fashion-mnist": (55_000, 5_000, 10_000),
    "cifar10": (45_000, 5_000, 10_000),
}


@dataclass(frozen=True)
class DataInfo:
    """What a model has to know about the data that it was trained on.

    Attributes:
        name: of the data set.
        fingerprint: hash of all images and labels; for a streamed folder see
            ``vit_core.data.image_folder``.
        mean, std: one number for each channel, for pixels scaled to 0..1.
        class_names: index 0 names the first logit.
    """

    name: str
    fingerprint: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    class_names: tuple[str, ...]


@dataclass(frozen=True)
class Batch:
    """Images of a split, (B, channels, height, width) uint8, and their indices in it, (B,)."""

    images: Tensor
    indices: Tensor


class Images(Protocol):
    """A part of a data set, in memory (``Split``) or in files (``StreamedSplit``)."""

    @property
    def labels(self) -> Tensor:
        """(n,) int64."""
        ...

    def __len__(self) -> int: ...

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Channels, height and width."""
        ...

    def at(self, indices: list[int]) -> Tensor:
        """Return some images, (len(indices), channels, height, width) uint8."""
        ...

    def first(self, count: int) -> "Split":
        """Return the first ``count`` images with their labels, or all if there are fewer."""
        ...

    def in_order(self, batch_size: int, part: int = 0, parts: int = 1) -> Iterator[Batch]:
        """Yield the images in order, batch by batch; the last batch may be smaller.

        Args:
            part, parts: yield only every ``parts``-th batch, beginning with number ``part``.
        """
        ...

    def to(self, device: torch.device | str) -> "Images":
        """Return the same images, whose batches and labels are on ``device``."""
        ...


@dataclass(frozen=True)
class Split:
    """Images (n, channels, height, width) uint8 and labels (n,) int64; index 0 is the first."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def image_shape(self) -> tuple[int, ...]:
        return tuple(self.images.shape[1:])

    def select(self, indices: Tensor) -> Tensor:
        """Return the images at ``indices`` (B,), as (B, channels, height, width) uint8."""
        return self.images[indices]

    def at(self, indices: list[int]) -> Tensor:
        return self.images[indices]

    def first(self, count: int) -> "Split":
        return Split(self.images[:count], self.labels[:count])

    def in_order(self, batch_size: int, part: int = 0, parts: int = 1) -> Iterator[Batch]:
        for start in range(part * batch_size, len(self), parts * batch_size):
            stop = min(start + batch_size, len(self))
            indices = torch.arange(start, stop, device=self.labels.device)
            yield Batch(self.images[start:stop], indices)

    def to(self, device: torch.device | str) -> "Split":
        return Split(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True)
class ImageData:
    """A data set in its three fixed parts.

    Choices are made on ``val``; ``test`` is evaluated once, at the end. ``skipped`` counts files
    of a folder that are not used.
    """

    train: Images
    val: Images
    test: Images
    info: DataInfo
    skipped: Skipped | None = None

    def to(self, device: torch.device | str) -> "ImageData":
        """Return the data set with its labels and batches on ``device``."""
        train, val, test = (part.to(device) for part in (self.train, self.val, self.test))
        return ImageData(train, val, test, self.info, self.skipped)


def normalize(images: Tensor, info: DataInfo) -> Tensor:
    """Normalise uint8 pixels: x = (pixel / 255 − mean) / std, for each channel.

    Args:
        images: (B, channels, height, width) uint8.
        info: has the mean and the standard deviation.

    Returns:
        (B, channels, height, width) float32.
    """
    mean = torch.tensor(info.mean, device=images.device)[:, None, None]
    std = torch.tensor(info.std, device=images.device)[:, None, None]
    return torch.addcmul(-mean / std, images.float(), 1 / (255 * std))
