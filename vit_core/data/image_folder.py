"""Image folders in ImageNet's layout: ``train/<class>/*``, and ``val/`` or ``test/`` beside it.

docs/image-folders.md says for people what is read and what happens to the rest.
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
from vit_core.data.folder_listing import EVERY, held_out_mask, list_folder
from vit_core.data.image_file import UnreadableImageError, quiet_pillow, read_image
from vit_core.data.pixel_statistics import IMAGENET, mean_and_std
from vit_core.data.skipped import Skipped
from vit_core.data.streaming import StreamedSplit
from vit_core.storage.plain_text import plain, same_name

__all__ = ["EVERY", "ImageFolderError", "held_out_mask", "list_folder", "read_folder"]

SAMPLE = 500  # training images that give the mean and deviation of a folder that is streamed
HASHED, HASHED_BYTES = 100, 65_536  # files of a part that is streamed, and the start of each
GIGABYTE = 10**9
AT_ONCE = 64  # files that a thread reads before it takes others


def read_folder(
    path: Path,
    size: int | tuple[int, int],
    channels: int = 3,
    *,
    memory: float = 2.0,
    workers: int = 0,
    statistics: str = "data",
) -> ImageData:
    """Open a folder, each image as its middle in ``size`` pixels.

    What fits in memory is read into it; the rest is read by ``workers`` processes while it is used.

    With both ``val/`` and ``test/`` the parts are as named. With one of them it is the test part,
    and every 20th image of a training class, in the order of the names, validates.

    Args:
        size: one number for a square or (height, width).
        channels: 1 for grey, 3 for colour.
        memory: gigabytes of images, as they are kept, that are read into memory.
        statistics: "data" for the mean and deviation of the training images (of a sample of them
            where they are streamed) | "imagenet" for ImageNet's.

    Raises:
        ImageFolderError: the folder has no such layout.
        TooManySkippedError: too many of its files are no images.
    """
    height, width = size if isinstance(size, tuple) else (size, size)
    shape = (channels, height, width)
    folder = list_folder(path)
    fits = fits_in(memory, len(folder), shape)
    splits = [open_part(files, shape, folder.skipped, fits, workers) for files in folder.parts]
    for name, split in zip(("train", "val", "test"), splits, strict=True):
        if not len(split):
            raise ImageFolderError(f"none of the images for {name} in {plain(path)} can be read")
    fingerprint = hash_of_images(splits) if fits else hash_of_files(folder.parts)
    if statistics == "imagenet" and channels == 3:
        mean, std = IMAGENET
    elif statistics == "imagenet":
        raise ImageFolderError("ImageNet's mean and deviation are of colour images, not of grey")
    elif fits:
        mean, std = mean_and_std(splits[0].images)
    else:
        indices = np.linspace(0, len(folder.train) - 1, SAMPLE).astype(int)
        mean, std = mean_and_std(splits[0].at(indices.tolist()))
    info = DataInfo(
        name=name_of_folder(path),
        fingerprint=fingerprint,
        mean=mean,
        std=std,
        class_names=folder.train.classes,
    )
    return ImageData(*splits, info, folder.skipped)


def fits_in(memory: float, count: int, shape: tuple[int, int, int]) -> bool:
    """Tell whether so many images fit into so many gigabytes."""
    return count * math.prod(shape) <= memory * GIGABYTE


def open_part(
    files: FileList, shape: tuple[int, int, int], skipped: Skipped, fits: bool, workers: int
) -> Images:
    """Read a part into memory, or prepare to read it while it is used."""
    return (
        read_part(files, shape, skipped) if fits else StreamedSplit(files, shape, skipped, workers)
    )


def name_of_folder(path: Path) -> str:
    return same_name(os.path.basename(os.path.abspath(path)))


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
        # on a terminal alone, and only for as long as it takes
        for _ in tqdm(done, "reading images", parts, leave=False, disable=None):
            pass
    labels = files.labels
    if not is_read.all():
        images, labels = images[is_read], labels[is_read]
    return Split(torch.from_numpy(images), torch.from_numpy(labels.copy()))


def hash_of_files(parts: tuple[FileList, ...]) -> str:
    """Return a hash of the names of all files and one of what some of them hold.

    To read all of a folder that is streamed may take hours. Runs of earlier versions know the first
    of the two hashes alone.
    """
    names = hashlib.sha256(b"".join(files.digest() for files in parts)).hexdigest()[:16]
    content = hashlib.sha256()
    with ThreadPoolExecutor() as threads:
        for files in parts:
            indices = np.unique(np.linspace(0, len(files) - 1, HASHED).astype(int)).tolist()
            for start in threads.map(start_of, map(files.path, indices)):
                content.update(start)
    return names + content.hexdigest()[:16]


def start_of(file: str) -> bytes:
    """Return the first bytes of a file; none of one that cannot be read."""
    try:
        with open(file, "rb") as opened:
            return opened.read(HASHED_BYTES)
    except OSError:
        return b""


def hash_of_images(splits: list[Split]) -> str:
    digest = hashlib.sha256()
    for split in splits:
        digest.update(split.images.numpy())
        digest.update(split.labels.numpy())
    return digest.hexdigest()[:16]
