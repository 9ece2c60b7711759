"""Fashion-MNIST and CIFAR-10: downloaded once by torchvision and checked by their hashes."""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch

from vit_core.data import DataInfo, ImageData, Split, read_idx
from vit_core.data.pixel_statistics import IMAGENET, mean_and_std
from vit_core.errors import VitError
from vit_core.torchvision_import import import_torchvision

DEBIAN_FASHION = Path("/usr/share/datasets/fashion-mnist")  # from the package dataset-fashion-mnist
VALIDATION = 5_000  # the last of the training images
FASHION_FILES = tuple(
    f"{part}-{kind}-ubyte.gz"
    for part in ("train", "t10k")
    for kind in ("images-idx3", "labels-idx1")
)
CIFAR_ARCHIVE, CIFAR_FOLDER = "cifar-10-python.tar.gz", "cifar-10-batches-py"
CIFAR_FILES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch", "batches.meta")
# as torchvision has them, which need not be loaded to name a class
CLASS_NAMES: dict[str, tuple[str, ...]] = {
    "fashion-mnist": (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    "cifar10": (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    ),
}
DOWNLOAD_BYTES = {"fashion-mnist": 30_878_645, "cifar10": 170_498_071}  # of what is fetched


class DataMissingError(VitError, ValueError):
    """A data set that is not here and cannot be downloaded; the message says what to put where."""


def data_folder() -> Path:
    """Return where downloads go: $VIT_EXPLAINER_DATA, or a folder in the user's cache."""
    named = os.environ.get("VIT_EXPLAINER_DATA")
    return Path(named) if named else Path.home() / ".cache" / "vit-explainer" / "data"


def can_open(name: str) -> bool:
    """Return whether torchvision is installed, which downloads, checks and reads these sets."""
    return name in DOWNLOAD_BYTES and find_spec("torchvision") is not None


def is_here(name: str) -> bool:
    """Return whether all files of a data set are on this machine; their hashes are not checked."""
    return can_open(name) and any(
        all((folder / file).is_file() for file in files) for folder, files in places(name)
    )


def fashion_folder() -> Path | None:
    """Return the folder with all files of Fashion-MNIST; None where there is none."""
    for folder, files in places("fashion-mnist"):
        if all((folder / file).is_file() for file in files):
            return folder
    return None


def bytes_here(name: str) -> int:
    """Return how many bytes of a data set's download are on the disk."""
    folder, files = places(name)[-1]
    paths = [folder / file for file in files]
    if name == "cifar10":
        paths = [data_folder() / CIFAR_ARCHIVE]
    total = 0
    for path in paths:
        with suppress(OSError):
            total += path.stat().st_size
    return total


def places(name: str) -> tuple[tuple[Path, tuple[str, ...]], ...]:
    """Return the folders in which a data set may lie, each with the files that it needs there."""
    if name == "cifar10":
        return ((data_folder() / CIFAR_FOLDER, CIFAR_FILES),)
    downloaded = data_folder() / "FashionMNIST" / "raw"
    return ((DEBIAN_FASHION, FASHION_FILES), (downloaded, FASHION_FILES))


def fashion_mnist(statistics: str = "data") -> ImageData:
    """Return 55,000 training, 5,000 validation and 10,000 test pictures of clothes.

    The images are (1, 28, 28) uint8.

    Source: H. Xiao, K. Rasul and R. Vollgraf 2017, https://arxiv.org/abs/1708.07747.

    Raises:
        DataMissingError: the files are not here and cannot be downloaded.
    """
    kind = torchvision_datasets("fashion-mnist").FashionMNIST
    names = [name for name, _ in kind.resources]
    if all((DEBIAN_FASHION / name).is_file() for name in names):
        folder = DEBIAN_FASHION
    else:
        folder = data_folder() / "FashionMNIST" / "raw"

        def download() -> None:
            download_url = torchvision_datasets("fashion-mnist").utils.download_url
            for name, md5 in kind.resources:
                download_url(f"{kind.mirrors[0]}{name}", folder, md5=md5)

        where = f"put {', '.join(names)} into {folder}, or install Debian's dataset-fashion-mnist"
        download_once("fashion-mnist", download, where)
    images, labels, test_images, test_labels = (read_idx(folder / name) for name in names)
    return in_parts(
        "fashion-mnist",
        Split(images[:, None], labels.long()),
        Split(test_images[:, None], test_labels.long()),
        tuple(kind.classes),
        statistics,
    )


def cifar10(statistics: str = "data") -> ImageData:
    """Return 45,000 training, 5,000 validation and 10,000 test photographs.

    The images are (3, 32, 32) uint8.

    Args:
        statistics: "data" | "imagenet": whose mean and standard deviation normalise the images.

    Source: A. Krizhevsky 2009, "Learning multiple layers of features from tiny images".

    Raises:
        DataMissingError: the file is not here and cannot be downloaded.
    """
    kind, folder = torchvision_datasets("cifar10").CIFAR10, data_folder()
    where = f"put {kind.filename} into {folder}, or give an image folder of it as the data set"
    download_once("cifar10", lambda: kind(folder, download=True), where)
    train, test = (kind(folder, train=is_train) for is_train in (True, False))
    return in_parts("cifar10", as_split(train), as_split(test), tuple(train.classes), statistics)


def as_split(dataset: Any) -> Split:
    """Return the images and labels of one of torchvision's data sets in memory."""
    images = torch.from_numpy(dataset.data).permute(0, 3, 1, 2).contiguous()
    return Split(images, torch.tensor(dataset.targets))


def torchvision_datasets(name: str) -> Any:
    """Return the module ``torchvision.datasets``.

    Raises:
        DataMissingError: torchvision is not installed; the message names the data set.
    """
    try:
        return import_torchvision().datasets
    except ImportError:
        raise DataMissingError(f"{name} needs torchvision: pip install torchvision") from None


def download_once(name: str, download: Callable[[], Any], where: str) -> None:
    """Download the files that are missing, with a progress bar, and check their hashes.

    Args:
        where: advice for the user if that fails: what to put where.

    Raises:
        DataMissingError: the data set cannot be downloaded.
    """
    try:
        download()
    except (URLError, OSError, RuntimeError, EOFError) as error:
        reason = str(getattr(error, "reason", error)).split("\n")[0]
        raise DataMissingError(
            f"{name} is not here and cannot be downloaded ({reason}); {where}"
        ) from None


def in_parts(
    name: str, known: Split, test: Split, classes: tuple[str, ...], statistics: str
) -> ImageData:
    """Return a data set of which the last training images validate."""
    cut = max(len(known) - VALIDATION, len(known) // 2)
    train = Split(known.images[:cut], known.labels[:cut])
    is_colour = known.images.shape[1] == 3
    mean, std = IMAGENET if statistics == "imagenet" and is_colour else mean_and_std(train.images)
    return ImageData(
        train=train,
        val=Split(known.images[cut:], known.labels[cut:]),
        test=test,
        info=DataInfo(name, fingerprint(known, test), mean, std, classes),
    )


def fingerprint(*splits: Split) -> str:
    digest = hashlib.sha256()
    for split in splits:
        for tensor in (split.images, split.labels):
            digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()[:16]
