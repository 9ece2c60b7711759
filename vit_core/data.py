"""What a data set is; the embedded MNIST.

A data set that fits in memory lies there as whole tensors on the device, in uint8, and batches are
made by indexing. One that does not is read from its files while it is used: see
``vit_core.streaming``.
"""

import gzip
import hashlib
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import torch
from torch import Tensor

from vit_core.skipped import Skipped

MNIST_DIR = Path(__file__).parent / "datasets" / "mnist"
MNIST_VALIDATION = 5_000  # the last of the 60,000 training images
MNIST_TRAINING = 60_000 - MNIST_VALIDATION
MNIST_MEAN, MNIST_STD = (0.1307,), (0.3081,)  # of the training pixels, scaled to 0..1


@dataclass(frozen=True)
class DataInfo:
    """What a model has to know of the data that it was trained on.

    Attributes:
        name: of the data set.
        fingerprint: hash of all images and labels; see ``vit_core.image_folder`` for one that is
            streamed.
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
    """Images of a split, (B, channels, height, width) uint8, and their places in it, (B,)."""

    images: Tensor
    places: Tensor


class Images(Protocol):
    """A part of a data set, wherever its images are. ``labels`` are (n,) int64."""

    labels: Tensor

    def __len__(self) -> int: ...

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Channels, height and width."""

    def at(self, places: list[int]) -> Tensor:
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

    def at(self, places: list[int]) -> Tensor:
        return self.images[places]

    def first(self, count: int) -> "Split":
        return Split(self.images[:count], self.labels[:count])

    def in_order(self, batch_size: int, part: int = 0, parts: int = 1) -> Iterator[Batch]:
        for start in range(part * batch_size, len(self), parts * batch_size):
            stop = min(start + batch_size, len(self))
            places = torch.arange(start, stop, device=self.labels.device)
            yield Batch(self.images[start:stop], places)

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


@cache
def mnist() -> ImageData:
    """Return the embedded MNIST: 55,000 training, 5,000 validation and 10,000 test digits.

    Source: Y. LeCun and C. Cortes, CC BY-SA 3.0; images of 28 x 28 pixels; the split is the first
    55,000 and the last 5,000 of the 60,000.
    """
    images = read_idx(MNIST_DIR / "train-images-idx3-ubyte.gz")[:, None]
    labels = read_idx(MNIST_DIR / "train-labels-idx1-ubyte.gz").long()
    cut = len(labels) - MNIST_VALIDATION
    return ImageData(
        train=Split(images[:cut], labels[:cut]),
        val=Split(images[cut:], labels[cut:]),
        test=mnist_test(),
        info=mnist_info(),
    )


@cache
def mnist_test() -> Split:
    """Return the 10,000 test digits alone, which is 6 times faster than the whole set."""
    return Split(
        read_idx(MNIST_DIR / "t10k-images-idx3-ubyte.gz")[:, None],
        read_idx(MNIST_DIR / "t10k-labels-idx1-ubyte.gz").long(),
    )


def mnist_validation(places: Sequence[int]) -> Split:
    """Return a few of MNIST's validation digits, read alone: the whole set takes 47 MB."""
    labels = read_idx(MNIST_DIR / "train-labels-idx1-ubyte.gz").long()
    rows = [len(labels) - MNIST_VALIDATION + place for place in places]
    images = torch.empty((len(rows), 1, 28, 28), dtype=torch.uint8)
    with gzip.open(MNIST_DIR / "train-images-idx3-ubyte.gz") as file:
        for at in sorted(range(len(rows)), key=rows.__getitem__):  # backwards it would begin anew
            file.seek(16 + 784 * rows[at])
            pixels = torch.frombuffer(bytearray(file.read(784)), dtype=torch.uint8)
            images[at, 0] = pixels.reshape(28, 28)
    return Split(images, labels[rows])


@cache
def mnist_info() -> DataInfo:
    digest = hashlib.sha256()
    for path in sorted(MNIST_DIR.glob("*.gz")):
        digest.update(path.read_bytes())
    return DataInfo(
        name="mnist",
        fingerprint=digest.hexdigest()[:16],
        mean=MNIST_MEAN,
        std=MNIST_STD,
        class_names=tuple("0123456789"),
    )


def read_idx(path: Path) -> Tensor:
    """Read a gzipped IDX file of unsigned bytes.

    The header is two zero bytes, the type (8 for unsigned bytes), the number of axes and each axis'
    length as a big-endian 32-bit number.

    Raises:
        ValueError: the file is no such file, or is truncated.
    """
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is not a whole gzip file: {error}") from None
    if content[:3] != b"\0\0\x08" or len(content) < 4 or len(content) < 4 + 4 * content[3]:
        raise ValueError(f"{path} is not an IDX file of unsigned bytes")
    start = 4 + 4 * content[3]
    shape = np.frombuffer(content[4:start], dtype=">u4").tolist()
    expected, found = math.prod(shape), len(content) - start
    if found != expected:
        raise ValueError(f"{path} should hold {expected} values and has {found}")
    return torch.frombuffer(bytearray(content), dtype=torch.uint8)[start:].reshape(shape)
