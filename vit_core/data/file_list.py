"""The files of an image folder, listed quickly and stored compactly."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vit_core.errors import VitError
from vit_core.storage.plain_text import plain

# of the formats in vit_core.data.image_file; a fixed list, so that a folder holds the same images
# with every version of Pillow
# fmt: off
SUFFIXES = (
    ".apng", ".avif", ".avifs", ".blp", ".bmp", ".bw", ".cur", ".dcx", ".dds", ".dib", ".fit",
    ".fits", ".flc", ".fli", ".ftc", ".ftu", ".gbr", ".gif", ".icb", ".icns", ".ico", ".im", ".j2c",
    ".j2k", ".jfif", ".jp2", ".jpc", ".jpe", ".jpeg", ".jpf", ".jpg", ".jpx", ".mpo", ".msp",
    ".pbm", ".pcd", ".pcx", ".pfm", ".pgm", ".png", ".pnm", ".ppm", ".psd", ".pxr", ".qoi", ".ras",
    ".rgb", ".rgba", ".sgi", ".tga", ".tif", ".tiff", ".vda", ".vst", ".webp", ".xbm", ".xpm",
)
# fmt: on
FILE, FOLDER, NEITHER = "file", "folder", "neither"
ENDINGS = frozenset(os.fsencode(suffix) for suffix in SUFFIXES)
HIDDEN = ord(".")  # first character of hidden names
# files and folders that operating systems create
SYSTEM_FILES = (b"thumbs.db", b"ehthumbs.db", b"desktop.ini", b"icon\r")
SYSTEM_FOLDERS = (
    b"__macosx",
    b"@eadir",
    b"$recycle.bin",
    b"system volume information",
    b"lost+found",
)


class ImageFolderError(VitError, ValueError):
    """A folder that cannot be trained on; the message says why in one sentence."""


@dataclass(frozen=True)
class FileList:
    """The image files of one part of a folder, class by class, sorted by name within a class.

    The names are one bytes object. A million strings would take 100 MB, and soon once more in every
    reading process: Python counts references in the objects that it reads, which copies the
    memory that the processes share.

    Attributes:
        folder: the path that has a folder for each class.
        classes: index 0 is the name of label 0.
        class_folders: the names of the classes' folders, which may be spelled in another way.
        names: all file names, one after another.
        starts, lengths: (n,) position and length of each file's name in ``names``, in bytes.
        labels: (n,) int64.
    """

    folder: str
    classes: tuple[str, ...]
    class_folders: tuple[str, ...]
    names: bytes
    starts: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def path(self, index: int) -> str:
        """Return the path of one file."""
        start = int(self.starts[index])
        name = os.fsdecode(self.names[start : start + int(self.lengths[index])])
        return os.path.join(self.folder, self.class_folders[int(self.labels[index])], name)

    def select(self, chosen: np.ndarray) -> "FileList":
        """Return some of the files.

        Args:
            chosen: a mask (n,) bool, or indices.
        """
        return FileList(
            self.folder,
            self.classes,
            self.class_folders,
            self.names,
            self.starts[chosen],
            self.lengths[chosen],
            self.labels[chosen],
        )

    def digest(self) -> bytes:
        """Return a hash of the names and the classes, not of the files' content."""
        digest = hashlib.sha256(repr(self.classes).encode())
        digest.update(self.names)
        for array in (self.starts, self.lengths, self.labels):
            digest.update(array.data)
        return digest.digest()


def is_image_name(name: bytes) -> bool:
    return name[name.rfind(b".") :].lower() in ENDINGS and name[0] != HIDDEN


def is_system_file(name: bytes) -> bool:
    return name.startswith(b".") or name.lower() in SYSTEM_FILES


def is_system_folder(name: bytes) -> bool:
    return name.startswith(b".") or name.lower() in SYSTEM_FOLDERS


def list_files(
    folder: Path, classes: tuple[str, ...], class_folders: Mapping[str, str] | None = None
) -> tuple[FileList, list[str]]:
    """List the image files of each class.

    Args:
        folder: has a folder for each class.
        classes: index 0 is the name of label 0.
        class_folders: class name → name of its folder; a class that is missing here has no files.
            None if every folder has the name of its class.

    Returns:
        The list, and the paths of what is left out: files whose names are not those of images,
        links whose target is gone, and folders that were already read, which end with a separator.

    Raises:
        ImageFolderError: a folder cannot be read.
    """
    names: list[bytes] = []
    counts: list[int] = []
    others: list[str] = []
    folders = tuple(
        name if class_folders is None else class_folders.get(name, "") for name in classes
    )
    for name in folders:
        images, rest = list_class(os.path.join(folder, name)) if name else ([], [])
        names += images
        counts.append(len(images))
        others += rest
    lengths = np.fromiter(map(len, names), np.uint16, len(names))
    stops = np.cumsum(lengths, dtype=np.int64)
    labels = np.repeat(np.arange(len(classes), dtype=np.int64), counts)
    files = FileList(
        str(folder), classes, folders, b"".join(names), stops - lengths, lengths, labels
    )
    return files, others


def list_class(folder: str) -> tuple[list[bytes], list[str]]:
    """Find the images of a class, also in inner folders and behind links.

    The order is that of torchvision's ImageFolder: folder by folder, each in alphabetical order. A
    folder that is reached twice, for example by a link that leads back, is read only once.

    Returns:
        The images' names below ``folder``, and the paths of what is left out as in ``list_files``.
    """
    top = os.fsencode(folder)
    images, others, folders = scan(top)
    by_folder = {b"": images}
    if folders:
        above = os.path.dirname(top)
        known = set(map(os.path.realpath, (top, above, os.path.dirname(above))))
        waiting = [(name, os.path.join(top, name)) for name in reversed(folders)]
        while waiting:
            inner, path = waiting.pop()
            real = os.path.realpath(path)
            if real in known:
                others.append(os.path.join(path, b""))
                continue
            known.add(real)
            images, rest, folders = scan(path)
            by_folder[inner] = [inner + b"/" + name for name in images]
            others += rest
            waiting += [
                (inner + b"/" + name, os.path.join(path, name)) for name in reversed(folders)
            ]
    names = [name for inner in sorted(by_folder) for name in by_folder[inner]]
    return names, [os.fsdecode(path) for path in others]


def scan(folder: bytes) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """List one folder.

    Returns:
        The names of the images, the paths of other files, and the names of the folders, each in
        alphabetical order, without the files and folders of operating systems.

    Raises:
        ImageFolderError: the folder cannot be read.
    """
    files: list[bytes] = []
    others: list[bytes] = []
    folders: list[bytes] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                kind = kind_of(entry)
                if kind == FILE:
                    files.append(entry.name)
                elif kind == FOLDER:
                    if not is_system_folder(entry.name):
                        folders.append(entry.name)
                else:
                    others.append(entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return [], [], []
    except OSError as error:
        raise ImageFolderError(
            f"{plain(os.fsdecode(folder))} cannot be read: {error.strerror}"
        ) from None
    images = sorted(filter(is_image_name, files))
    if len(images) < len(files):
        others += set(files).difference(images)
    paths = (os.path.join(folder, name) for name in sorted(others) if not is_system_file(name))
    return images, list(paths), sorted(folders)


def kind_of(entry: "os.DirEntry[bytes] | os.DirEntry[str]") -> str:
    """Return ``FILE``, ``FOLDER``, or ``NEITHER``, as for a link whose target is gone."""
    try:
        return FILE if entry.is_file() else FOLDER if entry.is_dir() else NEITHER
    except OSError:  # a link to itself, or into a folder that may not be read
        return NEITHER
