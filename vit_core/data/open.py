"""Open a data set by its name or by the path of an image folder."""

import os
from dataclasses import dataclass
from pathlib import Path

from vit_core.checks import check_choice, check_float, check_int
from vit_core.config import ViTConfig
from vit_core.data import ImageData, mnist
from vit_core.data.image_folder import read_folder
from vit_core.data.sets import DATASETS
from vit_core.data.torchvision_sets import cifar10, fashion_mnist
from vit_core.storage.plain_text import plain

STATISTICS = ("data", "imagenet")
MOST_MEMORY = 1e6  # gigabytes
MOST_WORKERS = 8  # processes that read images, unless the user asks for more


@dataclass(frozen=True)
class Reading:
    """How the images of a data set are read.

    Attributes:
        memory: gigabytes of uint8 images that are kept in memory; a folder with more is streamed.
        workers: number of processes that read a streamed folder; 0 reads in the caller's process.
        statistics: "data" | "imagenet": whose mean and standard deviation normalise the images.
    """

    memory: float = 2.0
    workers: int = 0
    statistics: str = "data"

    def __post_init__(self) -> None:
        check_float("memory", self.memory, at_least=0.0, at_most=MOST_MEMORY)
        check_int("workers", self.workers, at_least=0, at_most=1024)
        check_choice("statistics", self.statistics, STATISTICS)


def usual_workers(trainings: int = 1) -> int:
    """Return the usual number of reading processes for each training process.

    Args:
        trainings: number of training processes on this machine.
    """
    return max(1, min(MOST_WORKERS, (os.cpu_count() or 1) // trainings))


def open_data(dataset: str, model: ViTConfig, reading: Reading | None = None) -> ImageData:
    """Open a data set.

    Args:
        dataset: one of ``DATASETS``, or the path of an image folder.
        model: an image folder is read in its image size and channels.
        reading: by default as ``Reading()``.

    Raises:
        ValueError: there is no such data set, it cannot be downloaded, or the folder is not
            suitable for training.
    """
    reading = reading or Reading()
    if dataset in DATASETS:
        if reading.statistics == "imagenet" and dataset != "cifar10":
            raise ValueError(f"ImageNet's mean and deviation are of colour; {dataset} is grey")
        if dataset == "mnist":
            return mnist()
        return fashion_mnist() if dataset == "fashion-mnist" else cifar10(reading.statistics)
    path = folder_of(dataset)
    if model.in_channels not in (1, 3):
        raise ValueError(
            f"an image folder is read in grey or in colour: in-channels must be 1 or 3, "
            f"not {model.in_channels}"
        )
    return read_folder(
        path,
        model.image_hw,
        model.in_channels,
        memory=reading.memory,
        workers=reading.workers,
        statistics=reading.statistics,
    )


def folder_of(dataset: str) -> Path:
    """Return the path of the folder that ``--dataset`` names, with ``~`` expanded.

    Raises:
        ValueError: there is no such folder.
    """
    try:
        path = Path(dataset).expanduser()
        there = path.exists()
    except (OSError, RuntimeError):  # no permission; the home of an unknown user
        there = False
    if not there:
        raise ValueError(
            f"there is no data set '{plain(dataset)}'; allowed are {', '.join(DATASETS)}, or the "
            f"path of an image folder with train/<class>/* and val/ or test/ beside train/"
        )
    return path
