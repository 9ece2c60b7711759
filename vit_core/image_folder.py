"""Image folders in ImageNet's layout: ``train/<class>/*``, and ``val/`` or ``test/`` beside it."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from vit_core.data import DataInfo, ImageData, Split

EVERY = 20  # one of so many training images validates, where the folder has no part for that
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")


class ImageFolderError(ValueError):
    """A folder that cannot be trained on; the message says why in one sentence."""


def read_folder(path: Path, size: int) -> ImageData:
    """Read a whole folder into memory, each image as its centre square of ``size`` pixels.

    With both ``val/`` and ``test/`` the parts are as named. With one of them it is the test part,
    and every 20th image of a training class, in the order of the names, validates.

    Raises:
        ImageFolderError: the folder has no such layout.
    """
    names = list_classes(path / "train")
    parts = [part for part in ("val", "test") if (path / part).is_dir()]
    if not parts:
        raise ImageFolderError(f"{path} has neither val/ nor test/ beside train/")
    train = list_part(path / "train", names)
    test = list_part(path / parts[-1], names)
    if len(parts) == 2:
        val = list_part(path / "val", names)
    else:
        val = [files[EVERY // 2 :: EVERY] for files in train]
        train = [[f for i, f in enumerate(files) if i % EVERY != EVERY // 2] for files in train]
    splits = [read_part(part, size) for part in (train, val, test)]
    pixels = splits[0].images.float().div_(255)
    digest = hashlib.sha256()
    for split in splits:
        digest.update(split.images.numpy())
        digest.update(split.labels.numpy())
    info = DataInfo(
        name=path.name,
        fingerprint=digest.hexdigest()[:16],
        mean=tuple(round(m, 4) for m in pixels.mean(dim=(0, 2, 3)).tolist()),
        std=tuple(round(s, 4) for s in pixels.std(dim=(0, 2, 3)).tolist()),
        class_names=names,
    )
    return ImageData(*splits, info)


def list_classes(path: Path) -> tuple[str, ...]:
    if not path.is_dir():
        raise ImageFolderError(f"{path} is not a folder; an image folder has train/<class>/*")
    names = tuple(sorted(entry.name for entry in path.iterdir() if entry.is_dir()))
    if len(names) < 2:
        raise ImageFolderError(f"{path} has {len(names)} classes; at least two are needed")
    return names


def list_part(path: Path, names: tuple[str, ...]) -> list[list[Path]]:
    """Return the image files of each class, in the order of their names."""
    found = []
    for name in names:
        folder = path / name
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        files = [file for file in files if file.suffix.lower() in SUFFIXES]
        if not files:
            raise ImageFolderError(f"the class {name!r} has no image in {path}")
        found.append(files)
    return found


def read_part(part: list[list[Path]], size: int) -> Split:
    pairs = [(file, label) for label, files in enumerate(part) for file in files]
    images = np.empty((len(pairs), 3, size, size), np.uint8)

    def read(at: int) -> None:
        images[at] = read_image(pairs[at][0], size).transpose(2, 0, 1)

    with ThreadPoolExecutor() as threads:
        list(threads.map(read, range(len(pairs))))
    return Split(torch.from_numpy(images), torch.tensor([label for _, label in pairs]))


def read_image(file: Path, size: int) -> np.ndarray:
    """Return the centre square of an image, resized to (size, size, 3) uint8."""
    try:
        with Image.open(file) as opened:
            image = opened.convert("RGB")
    except (OSError, UnidentifiedImageError) as error:
        raise ImageFolderError(f"{file} cannot be read: {error}") from None
    if image.size != (size, size):
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        box = (left, top, left + side, top + side)
        image = image.resize((size, size), Image.Resampling.BICUBIC, box=box)
    return np.asarray(image)
