"""Pictures of a few classes, a folder for each: ``<class>/*``, or in ImageNet's layout."""

from dataclasses import dataclass
from pathlib import Path

from vit_core.data.file_list import FileList, ImageFolderError
from vit_core.data.folder_layout import (
    Unused,
    check_known,
    find_classes,
    find_parts,
    training_classes,
)
from vit_core.data.folder_listing import count_unused, list_part
from vit_core.data.skipped import Skipped
from vit_core.storage.plain_text import plain


@dataclass(frozen=True)
class ClassFolders:
    """The files of such a folder.

    Attributes:
        learn: files of the classes.
        check: held-out files of the same classes; None where the folder has no part for that.
        skipped: what is not used.
    """

    learn: FileList
    check: FileList | None
    skipped: Skipped


def list_classes(path: Path) -> ClassFolders:
    """Find the classes and their files; no file is opened.

    With a folder ``train`` the pictures to check are those of ``test``, or else of ``val``.

    Raises:
        ImageFolderError: there are not at least two classes with an image each.
        TooManySkippedError: too many images are links to files that do not exist.
    """
    unused = Unused()
    parts = find_parts(path, unused)
    check = None
    if "train" in parts:
        known = training_classes(path, parts, unused)
        name = next((name for name in ("test", "val") if name in parts), "")
        if name:
            check = find_classes(parts[name], unused)
            check_known(check, known)
    else:
        unused = Unused()
        known = find_classes(path, unused)
        if len(known.folders) < 2:
            raise ImageFolderError(
                f"{plain(path)} has {'one class' if known.folders else 'no class'}; at least two "
                f"folders with images are needed, each with the name of its class"
            )
    learn, others = list_part(known, tuple(known.folders))
    held = None
    if check is not None:
        held, rest = list_part(check, tuple(known.folders))
        others += rest
    total = len(learn) + (0 if held is None else len(held))
    return ClassFolders(learn, held, count_unused(total, others, unused))
