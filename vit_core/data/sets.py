"""What a data set is: its three parts, the batches of a part, and how its pixels are normalised.

A data set that fits in memory lies there as whole tensors on the device, in uint8, and batches are
made by indexing. One that does not is read from its files while it is used: see
``vit_core.data.streaming``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self

import torch
from torch import Tensor

from vit_core.data.skipped import Skipped

# names of data sets; any other name is the path of an image folder
DATASETS = ("mnist", "fashion-mnist", "cifar10")


@dataclass(frozen=True)
class DataInfo:
    """What a model has to know of the data that it was trained on.

    Attributes:
        name: of the data set.
        fingerprint: hash of all images and labels; of a streamed folder see
            ``vit_core.data.image_folder``.
        mean, std: of each channel, for pixels scaled to 0..1.
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
    """A part of a data set, wherever its images are. ``labels`` are (n,) int64."""

    labels: Tensor

    def __len__(self) -> int: ...

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Channels, height and width."""

    def at(self, indices: list[int]) -> Tensor:
        """Return a few images."""

    def first(self, count: int) -> "Split":
        """Return the first images with their labels."""

    def in_order(self, batch_size: int, part: int = 0, parts: int = 1) -> Iterator[Batch]:
        """Return the images batch by batch; of ``parts`` readers each gets other batches."""

    def to(self, device: torch.device | str) -> Self: ...


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

    Choices are made on ``val``; ``test`` is for the one last report. ``skipped`` counts what lies
    in a folder and is not used.
    """

    train: Images
    val: Images
    test: Images
    info: DataInfo
    skipped: Skipped | None = None

    def to(self, device: torch.device | str) -> "ImageData":
        parts = (part.to(device) for part in (self.train, self.val, self.test))
        return ImageData(*parts, self.info, self.skipped)


def normalize(images: Tensor, info: DataInfo) -> Tensor:
    """Scale uint8 pixels to 0..1, then shift and scale each channel to mean 0, deviation 1.

    Args:
        images: (B, channels, height, width) uint8.
    """
    mean = torch.tensor(info.mean, device=images.device)[:, None, None]
    std = torch.tensor(info.std, device=images.device)[:, None, None]
    return torch.addcmul(-mean / std, images.float(), 1 / (255 * std))
