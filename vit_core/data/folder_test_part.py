"""Open only the test part of an image folder, for a model that is already trained."""

import os
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vit_core.data import Images
from vit_core.data.file_list import ImageFolderError, list_files
from vit_core.data.folder_layout import NAMED, PART_OF, Unused, find_classes, find_parts
from vit_core.data.folder_listing import count_unused, seen_instead
from vit_core.data.image_folder import fits_in, open_part
from vit_core.data.skipped import Skipped
from vit_core.storage.plain_text import name_first, normalize_name, plain


@dataclass(frozen=True)
class TestPart:
    """The part of an image folder that a model is tested on.

    Attributes:
        images: labelled with the model's class numbers.
        path: the folder of the part.
        skipped: what is not used.
        missing: the model's classes without images there.
    """

    images: Images
    path: Path
    skipped: Skipped
    missing: list[str]

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user: which part it is, and which classes have no images."""
        notes = []
        if PART_OF.get(self.path.name.lower()) != "test":
            notes.append(f"tested on the images in {plain(self.path)}, since there is no test/")
        if self.missing:
            names = name_first(self.missing[:NAMED], len(self.missing))
            notes.append(f"no images of {names} in {plain(self.path)}")
        return tuple(notes)


def read_test_part(
    path: Path,
    shape: tuple[int, int, int],
    classes: tuple[str, ...],
    *,
    memory: float = 2.0,
    workers: int = 0,
) -> TestPart:
    """Open the test part for a model that knows its classes; no training part is needed.

    The part is ``test/``, or else ``val/``, or else the folder itself if it has folders of the
    model's classes.

    Args:
        shape: channels, height and width in pixels.
        classes: of the model; index 0 is label 0.
        memory: gigabytes of uint8 images that are kept in memory; more are streamed.
        workers: number of processes that read streamed images; 0 reads in the caller's process.

    Raises:
        ImageFolderError: there is no such part, or it has a class that the model does not know.
        TooManySkippedError: too many of its files are no images.
    """
    unused = Unused()
    known = {normalize_name(name): name for name in reversed(classes)}
    part = find_test_part(path, known)
    present = find_classes(part, unused)
    if unknown := [name for name in present.folders if name not in known]:
        raise ImageFolderError(
            f"the model knows the {len(classes)} classes {first(classes)}; {plain(part)} has "
            f"{len(present.folders)}, {first(tuple(present.folders))}; unknown to the model: "
            f"{name_first(unknown[:NAMED], len(unknown))}"
        )
    folders = {known[name]: folder for name, folder in present.folders.items()}
    files, others = list_files(part, classes, folders)
    if not len(files):
        raise ImageFolderError(f"{plain(part)} has no image of any class" + seen_instead(others))
    skipped = count_unused(len(files), others, unused)
    fits = fits_in(memory, len(files), shape)
    images = open_part(files, shape, skipped, fits, workers)
    if not len(images):
        raise ImageFolderError(f"none of the images in {plain(part)} can be read")
    counts = np.bincount(images.labels.numpy(), minlength=len(classes))
    return TestPart(
        images, part, skipped, [classes[label] for label in np.flatnonzero(counts == 0)]
    )


def find_test_part(path: Path, known: Container[str]) -> Path:
    """Return the folder with the images to test on, as ``read_test_part`` chooses it.

    Raises:
        ImageFolderError: there is none.
    """
    unused = Unused()
    parts = find_parts(path, unused)
    for name in ("test", "val"):
        if name in parts:
            return parts[name]
    inner = [os.path.basename(os.path.dirname(folder)) for folder in unused.folders]
    if not parts and any(normalize_name(name) in known for name in inner):
        return path
    raise ImageFolderError(
        f"{plain(path)} has neither test/ nor val/; one of them, with a folder for each class, is "
        f"needed to test a model"
        + (f"; it has {name_first(inner[:NAMED], len(inner))}" if inner else "")
    )


def first(names: tuple[str, ...]) -> str:
    """Return the first three names as a text, with dots if there are more."""
    return ", ".join(map(plain, names[:3])) + (", …" if len(names) > 3 else "")
