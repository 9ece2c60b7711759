"""Image folders in ImageNet's layout: ``train/<class>/*``, and ``val/`` or ``test/`` beside it."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from vit_core.data import DataInfo, ImageData, Images, Split
from vit_core.file_list import FileList, list_files
from vit_core.image_file import UnreadableImage, quiet_pillow, read_image
from vit_core.pixel_statistics import IMAGENET, mean_and_std
from vit_core.skipped import Skipped
from vit_core.streaming import StreamedSplit

EVERY = 20  # one of so many training images validates, where the folder has no part for that
SAMPLE = 500  # training images that give the mean and deviation of a folder that is streamed
GIGABYTE = 10**9
AT_ONCE = 64  # files that a thread reads before it takes others


class ImageFolderError(ValueError):
    """A folder that cannot be trained on; the message says why in one sentence."""


@dataclass(frozen=True)
class Folder:
    """The files of an image folder in their three parts."""

    train: FileList
    val: FileList
    test: FileList
    skipped: Skipped

    @property
    def parts(self) -> tuple[FileList, FileList, FileList]:
        return self.train, self.val, self.test

    def __len__(self) -> int:
        return sum(map(len, self.parts))


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
        TooManySkipped: too many of its files are no images.
    """
    height, width = size if isinstance(size, tuple) else (size, size)
    shape = (channels, height, width)
    folder = list_folder(path)
    fits = len(folder) * channels * height * width <= memory * GIGABYTE
    splits: list[Images]
    if fits:
        splits = [read_part(files, shape, folder.skipped) for files in folder.parts]
        for name, split in zip(("train", "val", "test"), splits, strict=True):
            if not len(split):
                raise ImageFolderError(f"none of the images for {name} in {path} can be read")
        fingerprint = hash_of_images(splits)
    else:
        splits = [StreamedSplit(files, shape, folder.skipped, workers) for files in folder.parts]
        fingerprint = hashlib.sha256(b"".join(f.digest() for f in folder.parts)).hexdigest()[:16]
    if statistics == "imagenet" and channels == 3:
        mean, std = IMAGENET
    elif statistics == "imagenet":
        raise ImageFolderError("ImageNet's mean and deviation are of colour images, not of grey")
    elif fits:
        mean, std = mean_and_std(splits[0].images)
    else:
        places = np.linspace(0, len(folder.train) - 1, SAMPLE).astype(int)
        mean, std = mean_and_std(splits[0].at(places.tolist()))
    info = DataInfo(
        name=os.path.basename(os.path.abspath(path)),
        fingerprint=fingerprint,
        mean=mean,
        std=std,
        class_names=folder.train.classes,
    )
    return ImageData(*splits, info, folder.skipped)


def list_folder(path: Path) -> Folder:
    """Find the classes, the parts and their files; no file is opened."""
    classes = list_classes(path)
    parts = [part for part in ("val", "test") if (path / part).is_dir()]
    if not parts:
        raise ImageFolderError(
            f"{path} has neither val/ nor test/ beside train/; one of them, with the same classes, "
            f"is needed to see what a model is worth on images that it was not trained on"
        )
    for part in parts:
        if unknown := sorted(set(list_folders(path / part)) - set(classes)):
            raise ImageFolderError(
                f"{path / part} has classes that train/ has not: {', '.join(unknown[:5])}"
            )
    found = [list_files(path / part, classes) for part in ("train", *parts)]
    for files, _ in found:
        counts = np.bincount(files.labels, minlength=len(classes))
        if (counts == 0).any():
            empty = classes[int(counts.argmin())]
            raise ImageFolderError(f"the class {empty!r} has no image in {files.folder}")
    others = [other for _, rest in found for other in rest]
    skipped = Skipped(sum(len(files) for files, _ in found) + len(others))
    for other in others:
        skipped.add(other)
    train, test = found[0][0], found[-1][0]
    if len(parts) == 2:
        return Folder(train, found[1][0], test, skipped)
    held_out = held_out_places(train)
    if not held_out.any():
        raise ImageFolderError(
            f"no class in {train.folder} has more than {EVERY // 2} images, so that none can be "
            f"held out for validation; put some into {path / 'val'}"
            + ("" if parts == ["test"] else f", and rename the present one to {path / 'test'}")
        )
    return Folder(train.select(~held_out), train.select(held_out), test, skipped)


def list_classes(path: Path) -> tuple[str, ...]:
    """Return the classes of the training part in the order of the alphabet."""
    if not path.is_dir():
        raise ImageFolderError(f"{path} is not a folder; an image folder has train/<class>/*")
    if not (path / "train").is_dir():
        raise ImageFolderError(
            f"{path} has no folder train; an image folder has train/<class>/* and val/<class>/* or "
            f"test/<class>/* beside it"
        )
    names = tuple(list_folders(path / "train"))
    if len(names) < 2:
        said = "no class" if not names else f"one class only, {names[0]!r}"
        raise ImageFolderError(
            f"{path / 'train'} has {said}; at least two folders with images are needed"
        )
    return names


def list_folders(path: Path) -> list[str]:
    with os.scandir(path) as entries:
        return sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))


def held_out_places(files: FileList) -> np.ndarray:
    """Return a mask of the training images that validate: within a class the 11th, 31st, …"""
    firsts = np.searchsorted(files.labels, np.arange(len(files.classes)))
    within = np.arange(len(files)) - firsts[files.labels]
    return within % EVERY == EVERY // 2


def read_part(files: FileList, shape: tuple[int, int, int], skipped: Skipped) -> Split:
    """Read all images of a part; those that cannot be read are left out."""
    images = np.empty((len(files), *shape), np.uint8)
    is_read = np.zeros(len(files), bool)

    def read(start: int) -> None:
        for place in range(start, min(start + AT_ONCE, len(files))):
            file = files.path(place)
            try:
                images[place] = read_image(file, shape[1:], shape[0])
                is_read[place] = True
            except UnreadableImage:
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


def hash_of_images(splits: list[Split]) -> str:
    digest = hashlib.sha256()
    for split in splits:
        digest.update(split.images.numpy())
        digest.update(split.labels.numpy())
    return digest.hexdigest()[:16]
