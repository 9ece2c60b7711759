"""The images of a run that lie in its own folder: somebody's drawings, or somebody's pictures.

They are one safetensors file with the three parts of the data set. Whoever has the run's folder can
go on with the run, and can look at what it learned from. Anybody may have written such a file, so
it is checked before anything is made of it.
"""

import hashlib
import json
import math
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from vit_core.checks import quoted
from vit_core.data.pixel_statistics import mean_and_std
from vit_core.data.sets import DataInfo, ImageData, Images, Split
from vit_core.errors import VitError
from vit_core.storage.atomic import write_atomically
from vit_core.storage.strict_json import parse_json
from vit_core.storage.tensor_source import OnDisk

KEPT = "kept"  # stands in a run's settings for "the images lie in the run's own folder"
IMAGES = "images.safetensors"
OWN_SYMBOLS = "own symbols"  # names of data sets, in ``DataInfo.name``
OWN_PICTURES = "own pictures"

FORMAT = "vit-explainer images 1"
PARTS = ("train", "val", "test")
MOST_BYTES = 64 * 1024**2  # of the file
MOST_HEADER = 64 * 1024
MOST_CLASSES = 100
MOST_NAME = 60  # characters of a class's name
LARGEST_SIDE = 512  # pixels


class KeptImagesError(VitError, ValueError):
    """A file that holds no images of a run; the message says why in one sentence."""


def kept_data(
    name: str,
    class_names: tuple[str, ...],
    train: Split,
    val: Split,
    test: Split,
) -> ImageData:
    """Make a data set of images that a run shall keep.

    Args:
        name: ``OWN_SYMBOLS``, ``OWN_PICTURES``, or the name of another data set.
        class_names: index 0 names label 0.
        train, val, test: (n, channels, height, width) uint8 of one shape, n at least 1, with labels
            (n,) int64. The mean and the standard deviation are those of ``train``.

    Raises:
        KeptImagesError: ``load_images`` would refuse them; the message is one sentence.
    """
    splits = (train, val, test)
    check_names(name, class_names)
    shapes = {part: tuple(split.images.shape) for part, split in zip(PARTS, splits, strict=True)}
    check_shapes(shapes)
    for split in splits:
        check_labels(split.labels, len(class_names))
    mean, std = mean_and_std(train.images)
    return ImageData(
        train=train,
        val=val,
        test=test,
        info=DataInfo(name, fingerprint_of(class_names, splits), mean, std, class_names),
    )


def save_images(folder: Path, data: ImageData) -> None:
    """Write the images of a data set into a run's folder, completely or not at all.

    Raises:
        KeptImagesError: they are more, larger or of other kinds than ``load_images`` accepts.
        OSError: the file cannot be written.
    """
    write_atomically(folder / IMAGES, images_file(data))


def images_file(data: ImageData) -> bytes:
    """Return a data set as the content of a file that ``load_images`` reads.

    Raises:
        KeptImagesError: as ``save_images``.
    """
    info = data.info
    splits = [in_memory(part) for part in (data.train, data.val, data.test)]
    kept_data(info.name, info.class_names, *splits)
    tensors = {}
    for name, split in zip(PARTS, splits, strict=True):
        tensors[f"{name}.images"] = split.images
        tensors[f"{name}.labels"] = split.labels.to(torch.uint8)
    values = {
        "format": FORMAT,
        "name": info.name,
        "class_names": list(info.class_names),
        "mean": list(info.mean),
        "std": list(info.std),
    }
    # one text: the library writes several in a random order
    return safetensors.torch.save(tensors, {"images": json.dumps(values)})


def in_memory(images: Images) -> Split:
    """Return all images of a part of a data set, on the CPU."""
    split = images.first(len(images))
    # copied, since the parts may be of one tensor, which the library does not write
    return Split(split.images.cpu().clone(), split.labels.cpu().long())


def load_images(folder: Path) -> ImageData:
    """Read the images that a run keeps in its folder.

    Raises:
        KeptImagesError: the file is missing, damaged, too large, or holds something else; the
            message is one sentence.
    """
    return read_images(folder / IMAGES)


def file_of(dataset: str | Path) -> Path | None:
    """Return the file of a run's images that a path names, itself or by the run's folder."""
    path = Path(dataset)
    if path.suffix == ".safetensors" and path.is_file():
        return path
    return path / IMAGES if (path / IMAGES).is_file() else None


def read_images(path: Path) -> ImageData:
    """Read a file that ``save_images`` wrote, which may have been moved or changed.

    Raises:
        KeptImagesError: as ``load_images``.
    """
    info, _ = read_head(path)
    try:
        tensors = safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError) as error:
        raise KeptImagesError(f"{path.name} cannot be read: {quoted(error)}") from None
    splits = [Split(tensors[f"{part}.images"], tensors[f"{part}.labels"].long()) for part in PARTS]
    for split in splits:
        check_labels(split.labels, len(info.class_names))
    fingerprint = fingerprint_of(info.class_names, splits)
    train, val, test = splits
    return ImageData(
        train,
        val,
        test,
        DataInfo(info.name, fingerprint, info.mean, info.std, info.class_names),
    )


def read_head(path: Path) -> tuple[DataInfo, dict[str, tuple[int, ...]]]:
    """Check everything but the numbers of a file of images, without reading these.

    Returns:
        What a model has to know about the data, without a fingerprint; and the shape of the images
        of each part, (n, channels, height, width).

    Raises:
        KeptImagesError: as ``load_images``.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise KeptImagesError(f"{path.name} is no regular file")
        if status.st_size > MOST_BYTES:
            raise KeptImagesError(
                f"{path.name} has more than {MOST_BYTES // 1024**2} MB, the most that a run keeps"
            )
        with path.open("rb") as file:
            if int.from_bytes(file.read(8), "little") > MOST_HEADER:
                raise KeptImagesError(f"{path.name} is no file of images: its header is too long")
        header = OnDisk(path).header()
    except FileNotFoundError:
        raise KeptImagesError(f"there is no {path.name}; the run's images are gone") from None
    except (safetensors.SafetensorError, OSError) as error:
        raise KeptImagesError(f"{path.name} is no whole file of images: {quoted(error)}") from None
    info = read_info(path.name, header.metadata)
    expected = {f"{part}.{kind}" for part in PARTS for kind in ("images", "labels")}
    if set(header.shapes) != expected or set(header.dtypes.values()) != {"U8"}:
        raise KeptImagesError(
            f"{path.name} must hold images and labels of train, val and test, all of type U8"
        )
    shapes = {part: header.shapes[f"{part}.images"] for part in PARTS}
    check_shapes(shapes)
    if any(header.shapes[f"{part}.labels"] != shapes[part][:1] for part in PARTS):
        raise KeptImagesError(f"{path.name} has not one label for each image")
    if len(info.mean) != shapes["train"][1]:
        raise KeptImagesError(f"{path.name} has not one mean for each channel")
    return info, shapes


def read_info(name: str, metadata: Mapping[str, str]) -> DataInfo:
    """Read what a file of images says about itself.

    Raises:
        KeptImagesError: it is something else.
    """
    try:
        values: Any = parse_json(metadata.get("images", "null"))
    except ValueError as error:
        raise KeptImagesError(f"{name} has a description that is not valid: {error}") from None
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise KeptImagesError(f"{name} is no file of a run's images")
    names, title = values.get("class_names"), values.get("name")
    if not isinstance(names, list) or not isinstance(title, str):
        raise KeptImagesError(f"{name} does not name its classes")
    check_names(title, tuple(names))
    mean, std = (channel_numbers(name, values.get(key)) for key in ("mean", "std"))
    if len(mean) != len(std) or min(std) <= 0:
        raise KeptImagesError(f"{name} has a mean and a deviation that do not fit")
    return DataInfo(title, "", mean, std, tuple(names))


def channel_numbers(name: str, values: object) -> tuple[float, ...]:
    """Return one number from 0 to 1 for each channel.

    Raises:
        KeptImagesError: they are something else.
    """
    if not isinstance(values, list) or len(values) not in (1, 3):
        raise KeptImagesError(f"{name} has no mean and deviation for one or three channels")
    if not all(type(number) in (int, float) and 0 <= number <= 1 for number in values):
        raise KeptImagesError(f"{name} has a mean or a deviation that is not from 0 to 1")
    return tuple(map(float, values))


def check_names(name: str, class_names: tuple[object, ...]) -> None:
    """Refuse names of data and classes that are missing, too many, too long, or alike.

    Raises:
        KeptImagesError: the message says which.
    """
    if not 1 <= len(name) <= MOST_NAME:
        raise KeptImagesError(f"a data set's name has 1 to {MOST_NAME} characters")
    if not 2 <= len(class_names) <= MOST_CLASSES:
        raise KeptImagesError(
            f"there must be 2 to {MOST_CLASSES} classes, and there are {len(class_names)}"
        )
    for one in class_names:
        if not isinstance(one, str) or not 1 <= len(one.strip()) <= len(one) <= MOST_NAME:
            raise KeptImagesError(
                f"a class's name has 1 to {MOST_NAME} characters; {quoted(one)} has not"
            )
    if len(set(class_names)) < len(class_names):
        raise KeptImagesError("two classes have the same name")


def check_shapes(shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse images that a run cannot keep.

    Args:
        shapes: name of a part → (n, channels, height, width).

    Raises:
        KeptImagesError: the message says why.
    """
    if any(len(shape) != 4 or shape[0] < 1 for shape in shapes.values()):
        raise KeptImagesError("each of train, val and test needs at least one image")
    if len({shape[1:] for shape in shapes.values()}) > 1:
        raise KeptImagesError("the images of train, val and test must have one shape")
    _, channels, *sides = next(iter(shapes.values()))
    if channels not in (1, 3) or not all(1 <= side <= LARGEST_SIDE for side in sides):
        raise KeptImagesError(
            f"images must have 1 or 3 channels and at most {LARGEST_SIDE} pixels a side, not "
            f"{' x '.join(map(str, (channels, *sides)))}"
        )
    if sum(map(math.prod, shapes.values())) > MOST_BYTES - MOST_HEADER:
        raise KeptImagesError(
            f"the images take more than {MOST_BYTES // 1024**2} MB, the most that a run keeps"
        )


def check_labels(labels: Tensor, classes: int) -> None:
    """Refuse labels of classes that do not exist.

    Raises:
        KeptImagesError: a label is out of range.
    """
    if not bool(((labels >= 0) & (labels < classes)).all()):
        raise KeptImagesError(f"an image has a label that is not from 0 to {classes - 1}")


def fingerprint_of(class_names: tuple[str, ...], splits: list[Split] | tuple[Split, ...]) -> str:
    """Return a hash of the names, the images and the labels."""
    digest = hashlib.sha256(repr(class_names).encode())
    for split in splits:
        for tensor in (split.images, split.labels.to(torch.uint8)):
            digest.update(repr(tuple(tensor.shape)).encode())
            digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()[:16]
