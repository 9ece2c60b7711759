"""Fashion-MNIST and CIFAR-10: torchvision's files, downloaded once and checked by their hashes."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from torch import Tensor

from vit_core.data import DataInfo, ImageData, Split, read_idx
from vit_core.data.pixel_statistics import IMAGENET, mean_and_std
from vit_core.errors import VitError
from vit_core.torchvision_import import import_torchvision

DEBIAN_FASHION = Path("/usr/share/datasets/fashion-mnist")  # of the package dataset-fashion-mnist
VALIDATION = 5_000  # the last of the training images


class DataMissingError(VitError, ValueError):
    """A data set that is not here and cannot be had; the message says what to put where."""


def data_folder() -> Path:
    """Return where downloads go: $VIT_EXPLAINER_DATA, or a folder in the user's cache."""
    named = os.environ.get("VIT_EXPLAINER_DATA")
    return Path(named) if named else Path.home() / ".cache" / "vit-explainer" / "data"


def fashion_mnist(statistics: str = "data") -> ImageData:
    """Return 55,000, 5,000 and 10,000 pictures of clothes, 28 x 28 in grey.

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
            from torchvision.datasets.utils import download_url

            for name, md5 in kind.resources:
                download_url(f"{kind.mirrors[0]}{name}", folder, md5=md5)

        where = f"put {', '.join(names)} into {folder}, or install Debian's dataset-fashion-mnist"
        get("fashion-mnist", download, where)
    images, labels, test_images, test_labels = (read_idx(folder / name) for name in names)
    return in_parts(
        "fashion-mnist",
        Split(images[:, None], labels.long()),
        Split(test_images[:, None], test_labels.long()),
        tuple(kind.classes),
        statistics,
    )


def cifar10(statistics: str = "data") -> ImageData:
    """Return 45,000, 5,000 and 10,000 colour photographs of 32 x 32 pixels.

    Source: A. Krizhevsky 2009, "Learning multiple layers of features from tiny images".

    Raises:
        DataMissingError: the file is not here and cannot be downloaded.
    """
    kind, folder = torchvision_datasets("cifar10").CIFAR10, data_folder()
    where = f"put {kind.filename} into {folder}, or give an image folder of it as the data set"
    get("cifar10", lambda: kind(folder, download=True), where)
    train, test = (kind(folder, train=is_train) for is_train in (True, False))
    return in_parts("cifar10", *map(as_split, (train, test)), tuple(train.classes), statistics)


def as_split(found: Any) -> Split:
    images = torch.from_numpy(found.data).permute(0, 3, 1, 2).contiguous()
    return Split(images, torch.tensor(found.targets))


def torchvision_datasets(name: str) -> Any:
    try:
        return import_torchvision().datasets
    except ImportError:
        raise DataMissingError(f"{name} needs torchvision: pip install torchvision") from None


def get(name: str, download: Callable[[], Any], where: str) -> None:
    """Download what is not here yet, with a bar for each file, and check the hashes."""
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
    """Hold the last training images out for validation."""
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
            digest.update(contiguous(tensor))
    return digest.hexdigest()[:16]


def contiguous(tensor: Tensor) -> Any:
    return tensor.contiguous().numpy()
