"""The embedded MNIST, read from its gzipped IDX files."""

import gzip
import hashlib
import math
import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vit_core.data.sets import DataInfo, ImageData, Split

MNIST_DIR = Path(__file__).parents[1] / "datasets" / "mnist"
MNIST_VALIDATION = 5_000  # the last of the 60,000 training images
MNIST_TRAINING = 60_000 - MNIST_VALIDATION
AT_ONCE = 1024**2  # bytes that are unpacked together
MNIST_MEAN, MNIST_STD = (0.1307,), (0.3081,)  # of the training pixels, scaled to 0..1


@cache
def mnist() -> ImageData:
    """Return the embedded MNIST: 55,000 training, 5,000 validation and 10,000 test digits.

    The images are (1, 28, 28) uint8, white on black. The first 55,000 of the 60,000 training images
    train, the last 5,000 validate. Source: Y. LeCun and C. Cortes, CC BY-SA 3.0.
    """
    return ImageData(*read_training(), test=mnist_test(), info=mnist_info())


@cache
def mnist_test() -> Split:
    """Return only the 10,000 test digits, which is 6 times faster than reading all of MNIST."""
    return read_part("t10k")


def mnist_parts() -> Iterator[Split]:
    """Read the digits for training, validation and test, and keep none of them."""
    yield from read_training()
    yield read_part("t10k")


def read_training() -> tuple[Split, Split]:
    """Read the digits for training and those for validation."""
    whole = read_part("train")
    cut = len(whole) - MNIST_VALIDATION
    return whole.first(cut), Split(whole.images[cut:], whole.labels[cut:])


def read_part(name: str) -> Split:
    """Read the images and labels of the files whose names start with ``name``."""
    return Split(
        read_idx(MNIST_DIR / f"{name}-images-idx3-ubyte.gz")[:, None],
        read_idx(MNIST_DIR / f"{name}-labels-idx1-ubyte.gz").long(),
    )


def mnist_validation(indices: Sequence[int], folder: Path = MNIST_DIR) -> Split:
    """Return some of MNIST's validation digits without reading the whole set, which takes 47 MB.

    Args:
        indices: in the validation set, in any order.
        folder: of the files; Fashion-MNIST has files of the same names and sizes.
    """
    labels = read_idx(folder / "train-labels-idx1-ubyte.gz").long()
    rows = [len(labels) - MNIST_VALIDATION + index for index in indices]
    images = torch.empty((len(rows), 1, 28, 28), dtype=torch.uint8)
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        # in the order of the file, since to seek backwards unpacks it again from its start
        for i in sorted(range(len(rows)), key=rows.__getitem__):
            file.seek(16 + 784 * rows[i])
            pixels = torch.frombuffer(bytearray(file.read(784)), dtype=torch.uint8)
            images[i, 0] = pixels.reshape(28, 28)
    return Split(images, labels[rows])


@cache
def mnist_info() -> DataInfo:
    """Return what a model has to know about MNIST; the fingerprint is a hash of its files."""
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

    The header is two zero bytes, the type (8 for unsigned bytes), the number of axes, and the
    length of each axis as a big-endian 32-bit number.

    Returns:
        uint8, of the shape in the header.

    Raises:
        ValueError: the file is no such file, or is truncated.
    """
    try:
        content = unpacked(path)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is not a whole gzip file: {error}") from None
    if content[:3] != b"\0\0\x08" or len(content) < 4 or len(content) < 4 + 4 * content[3]:
        raise ValueError(f"{path} is not an IDX file of unsigned bytes")
    start = 4 + 4 * content[3]
    shape = np.frombuffer(content[4:start], dtype=">u4").tolist()
    expected, actual = math.prod(shape), len(content) - start
    if actual != expected:
        raise ValueError(f"{path} should hold {expected} values and has {actual}")
    return torch.frombuffer(content, dtype=torch.uint8)[start:].reshape(shape)


def unpacked(path: Path) -> bytearray:
    """Return the content of a gzip file, of which no second copy is made meanwhile.

    Raises:
        OSError, EOFError, zlib.error: the file cannot be read, or is not whole.
    """
    content = bytearray()
    with gzip.open(path) as file:
        while part := file.read(AT_ONCE):
            content += part
    return content
