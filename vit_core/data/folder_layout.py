"""Which parts and classes an image folder has: ``train/<class>/*``, and ``val/`` or ``test/``."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from vit_core.data.file_list import (
    FOLDER,
    ImageFolderError,
    is_image_name,
    is_system_file,
    is_system_folder,
    kind_of,
)
from vit_core.data.skipped import Skipped
from vit_core.storage.plain_text import name_first, normalize_name, plain

# names of the parts, in upper or lower case
PARTS = {
    "train": ("train",),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
PART_OF = {name: part for part, names in PARTS.items() for name in names}
NAMED = 5  # classes that a sentence names


@dataclass(frozen=True)
class Part:
    """One part of an image folder: its path, and the folder of each class by the class's name."""

    path: Path
    folders: dict[str, str]


@dataclass(frozen=True)
class Unused:
    """Paths of files and folders beside the parts or the classes, which are not read."""

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)

    def count(self, skipped: Skipped) -> None:
        """Add all of them to ``skipped``; an image among them is outside the class folders."""
        for file in self.files:
            if not is_image_name(os.fsencode(os.path.basename(file))):
                skipped.add_other(file)
            elif os.path.exists(file):
                skipped.add_outside(file)
            else:
                skipped.add(file)
        for folder in self.folders:
            skipped.add_folder(folder)


def find_parts(path: Path, unused: Unused) -> dict[str, Path]:
    """Return the folders of the parts by "train", "val" and "test".

    Args:
        unused: collects everything else in the folder.

    Raises:
        ImageFolderError: ``path`` is no folder, or has two folders for one part.
    """
    if os.path.isfile(path):
        hint = (
            "; an archive must be unpacked first" if path.suffix in (".zip", ".tar", ".gz") else ""
        )
        raise ImageFolderError(f"{plain(path)} is a file, not a folder with train/<class>/*{hint}")
    if not os.path.isdir(path):
        raise ImageFolderError(
            f"{plain(path)} is not a folder; an image folder has train/<class>/*"
        )
    parts: dict[str, Path] = {}
    for name in list_folders(path, unused):
        part = PART_OF.get(name.lower())
        if part is None:
            unused.folders.append(os.path.join(path, name, ""))
        elif part in parts:
            raise ImageFolderError(
                f"{plain(path)} has both {parts[part].name}/ and {name}/, which are two names for "
                f"one part; only one of them can be there"
            )
        else:
            parts[part] = path / name
    return parts


def find_classes(path: Path, unused: Unused) -> Part:
    """Return the classes of a part in alphabetical order.

    Args:
        unused: collects everything else in the folder.

    Raises:
        ImageFolderError: two folders have the same name in two spellings.
    """
    folders: dict[str, str] = {}
    for folder in list_folders(path, unused):
        name = normalize_name(folder)
        if name in folders:
            raise ImageFolderError(
                f"{plain(path)} has two folders that are called '{plain(name)}', with its accents "
                f"stored in two ways; their images must be in one"
            )
        folders[name] = folder
    return Part(path, dict(sorted(folders.items())))


def list_folders(path: Path, unused: Unused) -> list[str]:
    """Return the names of the folders in a folder, without those of operating systems.

    Raises:
        ImageFolderError: the folder cannot be read.
    """
    try:
        with os.scandir(path) as entries:
            kinds = [(entry.name, kind_of(entry)) for entry in entries]
    except OSError as error:
        raise ImageFolderError(f"{plain(path)} cannot be read: {error.strerror}") from None
    folders = []
    for name, kind in sorted(kinds):
        if kind == FOLDER:
            if not is_system_folder(os.fsencode(name)):
                folders.append(name)
        elif not is_system_file(os.fsencode(name)):
            unused.files.append(os.path.join(path, name))
    return folders


def training_classes(path: Path, parts: dict[str, Path], unused: Unused) -> Part:
    """Return the classes of the training part.

    Raises:
        ImageFolderError: there is no such part, or it has fewer than two classes.
    """
    if "train" not in parts:
        for file in unused.files:
            if PART_OF.get(os.path.basename(file).lower()) == "train" and os.path.islink(file):
                raise ImageFolderError(f"{plain(file)} is a link whose target is gone")
        raise ImageFolderError(
            f"{plain(path)} has no folder train; an image folder has train/<class>/* and "
            f"val/<class>/* or test/<class>/* beside it" + other_folder_hint(path)
        )
    train = find_classes(parts["train"], unused)
    if len(train.folders) < 2:
        names = list(train.folders)
        have = f"one class only, '{plain(names[0])}'" if names else "no class"
        raise ImageFolderError(
            f"{plain(train.path)} has {have}; at least two folders with images are needed"
        )
    return train


def other_folder_hint(path: Path) -> str:
    """Return a hint at the folder that may be meant, around this one or in it, or no text."""
    around = path.absolute().parent
    if PART_OF.get(path.name.lower()) and has_train(around):
        return f"; it is a part of {plain(around)}, which may be meant"
    for name in list_folders(path, Unused())[:100]:
        if has_train(path / name):
            return f"; its folder {plain(name)}/ has, so that {plain(path / name)} may be meant"
    return ""


def has_train(path: Path) -> bool:
    return any(os.path.isdir(path / name) for name in ("train", "Train", "TRAIN"))


def check_known(part: Part, known: Part) -> None:
    """Refuse a part with classes that the training part does not have.

    Raises:
        ImageFolderError: the message names such classes.
    """
    if unknown := [name for name in part.folders if name not in known.folders]:
        raise ImageFolderError(
            f"{plain(part.path)} has classes that {known.path.name}/ has not: "
            f"{name_first(unknown[:NAMED], len(unknown))}"
        )
