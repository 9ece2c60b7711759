"""The files of an image folder, listed quickly and kept small."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
ENDINGS = tuple(os.fsencode(suffix) for suffix in SUFFIXES)
LEFT_BY_SYSTEMS = (b"thumbs.db", b"desktop.ini")  # besides what begins with a dot


@dataclass(frozen=True)
class FileList:
    """The image files of one part of a folder, class by class, each class by name.

    A million text objects would be 100 MB, which each process that reads would soon have for
    itself, since Python writes into every object that it looks at. Here the names are one run of
    bytes.

    Attributes:
        folder: has a folder for each class.
        classes: index 0 is the folder of label 0.
        names: all names, one behind the other.
        starts, lengths: (n,) where a file's name lies in ``names``.
        labels: (n,) int64.
    """

    folder: str
    classes: tuple[str, ...]
    names: bytes
    starts: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def path(self, place: int) -> str:
        start = int(self.starts[place])
        name = os.fsdecode(self.names[start : start + int(self.lengths[place])])
        return os.path.join(self.folder, self.classes[int(self.labels[place])], name)

    def select(self, chosen: np.ndarray) -> "FileList":
        """Return some of the files, by a mask or by their places."""
        return FileList(
            self.folder,
            self.classes,
            self.names,
            self.starts[chosen],
            self.lengths[chosen],
            self.labels[chosen],
        )

    def digest(self) -> bytes:
        """Return a hash of the names and the classes, not of what the files hold."""
        digest = hashlib.sha256(repr(self.classes).encode())
        for part in (self.names, self.starts, self.lengths, self.labels):
            digest.update(part)
        return digest.digest()


def list_files(folder: Path, classes: tuple[str, ...]) -> tuple[FileList, list[str]]:
    """List the image files of each class.

    Returns:
        The list, and the files that by their names are no images.
    """
    names: list[bytes] = []
    counts: list[int] = []
    others: list[str] = []
    for name in classes:
        images, rest = list_class(os.path.join(folder, name))
        names += images
        counts.append(len(images))
        others += rest
    lengths = np.fromiter(map(len, names), np.uint16, len(names))
    stops = np.cumsum(lengths, dtype=np.int64)
    labels = np.repeat(np.arange(len(classes), dtype=np.int64), counts)
    return FileList(str(folder), classes, b"".join(names), stops - lengths, lengths, labels), others


def list_class(folder: str) -> tuple[list[bytes], list[str]]:
    """Return the names of the images in the order of the alphabet, and the paths of other files."""
    try:
        with os.scandir(os.fsencode(folder)) as entries:
            found = [entry.name for entry in entries if entry.is_file()]
    except (FileNotFoundError, NotADirectoryError):
        return [], []
    images = sorted(n for n in found if n.lower().endswith(ENDINGS) and not n.startswith(b"."))
    if len(images) == len(found):
        return images, []
    known = set(images)
    others = (
        n
        for n in sorted(found)
        if n not in known and not n.startswith(b".") and n.lower() not in LEFT_BY_SYSTEMS
    )
    return images, [os.path.join(folder, os.fsdecode(n)) for n in others]
