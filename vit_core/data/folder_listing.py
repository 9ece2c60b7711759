"""Find the files of an image folder, part by part, and count what is not used."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vit_core.data.file_list import FileList, ImageFolderError, is_image_name, list_files
from vit_core.data.folder_layout import (
    Part,
    Unused,
    check_known,
    find_classes,
    find_parts,
    training_classes,
)
from vit_core.data.skipped import Skipped, ending, endings
from vit_core.storage.plain_text import name_first, plain

HOLD_OUT_EVERY = 20  # every 20th training image validates if the folder has no part for that


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


def list_folder(path: Path) -> Folder:
    """Find the parts, the classes and their files; no file is opened.

    Raises:
        ImageFolderError: the folder does not have the layout of ``vit_core.data.image_folder``.
        TooManySkippedError: too many images are links to files that do not exist.
    """
    path, unused = Path(path), Unused()
    present = find_parts(path, unused)
    known = training_classes(path, present, unused)
    if not present.keys() - {"train"}:
        beside = [os.path.basename(os.path.dirname(folder)) for folder in unused.folders]
        raise ImageFolderError(
            f"{plain(path)} has neither val/ nor test/ beside train/; one of them, with the same "
            f"classes, is needed to see what a model is worth on images that it was not trained on"
            + (f"; it has {name_first(beside[:5], len(beside))}" if beside else "")
        )
    parts = {"train": known}
    for name in ("val", "test"):
        if name in present:
            parts[name] = find_classes(present[name], unused)
            check_known(parts[name], known)
    lists: dict[str, FileList] = {}
    others: list[str] = []
    for name, part in parts.items():
        lists[name], rest = list_part(part, tuple(known.folders))
        others += rest
    skipped = count_unused(sum(map(len, lists.values())), others, unused)
    train, test = lists["train"], lists.get("test") or lists["val"]
    if len(lists) == 3:
        return Folder(train, lists["val"], test, skipped)
    held_out = held_out_mask(train)
    if not held_out.any():
        raise ImageFolderError(
            f"no class in {plain(train.folder)} has more than {HOLD_OUT_EVERY // 2} images, so "
            f"that none can be held out for validation; put some into {plain(path / 'val')}"
            + ("" if "test" in lists else f", and rename the present one to {plain(path / 'test')}")
        )
    return Folder(train.select(~held_out), train.select(held_out), test, skipped)


def list_part(part: Part, classes: tuple[str, ...]) -> tuple[FileList, list[str]]:
    """List a part in which every class must have an image; return what ``list_files`` does.

    Raises:
        ImageFolderError: a class has no image.
    """
    if not part.folders:
        raise ImageFolderError(
            f"{plain(part.path)} has no folders of classes, so that nobody knows what its images "
            f"show; they must lie in {plain(part.path / classes[0])} and so on, or elsewhere"
        )
    files, others = list_files(part.path, classes, part.folders)
    counts = np.bincount(files.labels, minlength=len(classes))
    if len(empty := [classes[label] for label in np.flatnonzero(counts == 0)]):
        inside = os.path.join(part.path, part.folders.get(empty[0], "\0"), "")
        instead = seen_instead([other for other in others if other.startswith(inside)])
        more = f"; nor do {name_first(empty[1:6], len(empty) - 1)}" if len(empty) > 1 else ""
        raise ImageFolderError(
            f"the class '{plain(empty[0])}' has no image in {plain(part.path)}{instead}{more}"
        )
    return files, others


def seen_instead(others: list[str]) -> str:
    """Return the end of a sentence: which files there are where no image is."""
    if gone := [other for other in others if os.path.islink(other) and not os.path.exists(other)]:
        more = f" and {len(others) - len(gone)} other files" if len(gone) < len(others) else ""
        return f"; there are {len(gone)} links whose target is gone, as {plain(gone[0])}{more}"
    if not others:
        return ""
    return f"; other files there: {endings(Counter(map(ending, others)))}"


def count_unused(images: int, others: list[str], unused: Unused) -> Skipped:
    """Count what is not used.

    Args:
        images: number of images that are used.
        others: paths of files and folders among the images.
        unused: paths beside the parts and the classes.

    Raises:
        TooManySkippedError: too many images cannot be read.
    """
    skipped = Skipped(images + len(others))
    unused.count(skipped)
    for other in others:
        name = os.path.basename(other)
        if not name:  # a folder that was already read by another path
            skipped.add_folder(other)
        elif is_image_name(os.fsencode(name)):  # a link whose target is gone
            skipped.add(other)
        else:
            skipped.add_other(other)
    return skipped


def held_out_mask(files: FileList) -> np.ndarray:
    """Return a mask (n,) bool of the images that validate: the 11th, 31st, … of each class."""
    firsts = np.searchsorted(files.labels, np.arange(len(files.classes)))
    within = np.arange(len(files)) - firsts[files.labels]
    mask: np.ndarray = within % HOLD_OUT_EVERY == HOLD_OUT_EVERY // 2
    return mask
