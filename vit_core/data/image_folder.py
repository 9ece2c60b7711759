"""Image folders in ImageNet's layout: ``train/<class>/*``, and ``val/`` or ``test/`` beside it.

docs/image-folders.md explains what is read and what happens to the rest.
"""

import hashlib
import math
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from vit_core.data import DataInfo, ImageData, Images, Split
from vit_core.data.file_list import FileList, ImageFolderError
from vit_core.data.folder_listing import HOLD_OUT_EVERY, held_out_mask, list_folder
from vit_core.data.image_file import UnreadableImageError, quiet_pillow, read_image
from vit_core.data.pixel_statistics import IMAGENET, MeanAndStd, mean_and_std
from vit_core.data.skipped import Skipped
from vit_core.data.streaming import StreamedSplit
from vit_core.storage.plain_text import normalize_name, plain

__all__ = ["HOLD_OUT_EVERY", "ImageFolderError", "held_out_mask", "list_folder", "read_folder"]

SAMPLE = 500  # training images from which the mean and std of a streamed folder are computed
# what is hashed of a streamed part: the first bytes of some of its files
HASHED_FILES, HASHED_BYTES = 100, 65_536
GIGABYTE = 10**9
AT_ONCE = 64  # files that a thread reads before it gets new ones


def read_folder(
    path: Path,
    size: int | tuple[int, int],
    channels: int = 3,
    *,
    memory: float = 2.0,
    workers: int = 0,
    statistics: str = "data",
) -> ImageData:
    """Open an image folder; each image is its centre crop, resized to ``size``.

    A folder that fits in memory is read at once. A larger one is read by ``workers`` processes
    during training.

    If the folder has both ``val/`` and ``test/``, they are these parts. If it has only one of them,
    that is the test part, and every 20th training image of a class, sorted by name, validates.

    Args:
        size: pixels, one number for a square or (height, width).
        channels: 1 for grey, 3 for colour.
        memory: gigabytes of uint8 images that are kept in memory; a folder with more is streamed.
        workers: number of processes that read a streamed folder; 0 reads in the caller's process.
        statistics: "data" for the mean and standard deviation of the training images (of a sample
            if they are streamed) | "imagenet" for ImageNet's.

    Raises:
        ImageFolderError: the folder does not have this layout.
        TooManySkippedError: too many of its files are no images.
    """
    height, width = size if isinstance(size, tuple) else (size, size)
    shape = (channels, height, width)
    folder = list_folder(path)
    fits = fits_in(memory, len(folder), shape)
    train, val, test = (
        open_part(files, shape, folder.skipped, fits, workers) for files in folder.parts
    )
    for name, split in (("train", train), ("val", val), ("test", test)):
        if not len(split):
            raise ImageFolderError(f"none of the images for {name} in {plain(path)} can be read")
    in_memory = [split for split in (train, val, test) if isinstance(split, Split)]
    fingerprint = hash_of_images(in_memory) if fits else hash_of_files(folder.parts)
    mean, std = statistics_of(train, statistics, channels)
    info = DataInfo(
        name=name_of_folder(path),
        fingerprint=fingerprint,
        mean=mean,
        std=std,
        class_names=folder.train.classes,
    )
    return ImageData(train, val, test, info, folder.skipped)


def statistics_of(train: Images, statistics: str, channels: int) -> MeanAndStd:
    """Return the mean and the standard deviation with which a folder's images are normalised.

    Raises:
        ImageFolderError: "imagenet" is asked for grey images.
    """
    if statistics == "imagenet":
        if channels != 3:
            raise ImageFolderError(
                "ImageNet's mean and deviation are of colour images, not of grey"
            )
        return IMAGENET
    if isinstance(train, Split):
        return mean_and_std(train.images)
    indices = np.linspace(0, len(train) - 1, SAMPLE).astype(int)
    return mean_and_std(train.at(indices.tolist()))


def fits_in(memory: float, count: int, shape: tuple[int, int, int]) -> bool:
    """Whether ``count`` uint8 images fit into ``memory`` gigabytes."""
    return count * math.prod(shape) <= memory * GIGABYTE


def open_part(
    files: FileList, shape: tuple[int, int, int], skipped: Skipped, fits: bool, workers: int
) -> Images:
    """Read a part into memory if it fits, or prepare to stream it."""
    if fits:
        return read_part(files, shape, skipped)
    return StreamedSplit(files, shape, skipped, workers)


def name_of_folder(path: Path) -> str:
    return normalize_name(os.path.basename(os.path.abspath(path)))


def read_part(files: FileList, shape: tuple[int, int, int], skipped: Skipped) -> Split:
    """Read all images of a part; those that cannot be read are left out."""
    images = np.empty((len(files), *shape), np.uint8)
    is_read = np.zeros(len(files), bool)

    def read(start: int) -> None:
        for index in range(start, min(start + AT_ONCE, len(files))):
            file = files.path(index)
            try:
                images[index] = read_image(file, shape[1:], shape[0])
                is_read[index] = True
            except UnreadableImageError:
                skipped.add(file)

    with quiet_pillow(), ThreadPoolExecutor() as threads:
        done = threads.map(read, range(0, len(files), AT_ONCE))
        parts = -(-len(files) // AT_ONCE)
        # the bar appears only on a terminal, and vanishes at the end
        for _ in tqdm(done, "reading images", parts, leave=False, disable=None):
            pass
    labels = files.labels
    if not is_read.all():
        images, labels = images[is_read], labels[is_read]
    return Split(torch.from_numpy(images), torch.from_numpy(labels.copy()))


def hash_of_files(parts: tuple[FileList, ...]) -> str:
    """Return a hash of all file names, followed by a hash of the start of some files.

    Reading all of a streamed folder may take hours. Runs of earlier versions have only the first of
    the two hashes.
    """
    names = hashlib.sha256(b"".join(files.digest() for files in parts)).hexdigest()[:16]
    content = hashlib.sha256()
    with ThreadPoolExecutor() as threads:
        for files in parts:
            indices = np.unique(np.linspace(0, len(files) - 1, HASHED_FILES).astype(int)).tolist()
            for start in threads.map(start_of, map(files.path, indices)):
                content.update(start)
    return names + content.hexdigest()[:16]


def start_of(file: str) -> bytes:
    """Return the first bytes of a file, or none if it cannot be read."""
    try:
        with open(file, "rb") as opened:
            return opened.read(HASHED_BYTES)
    except OSError:
        return b""


def hash_of_images(splits: list[Split]) -> str:
    digest = hashlib.sha256()
    for split in splits:
        digest.update(split.images.numpy().data)
        digest.update(split.labels.numpy().data)
    return digest.hexdigest()[:16]
