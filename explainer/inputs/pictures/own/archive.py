"""Reads the pictures of a zip that a stranger sends: a folder for each class.

Nothing is unpacked to a disk. What the zip says of itself is checked before anything of it is
unpacked, and an entry is never read beyond the size that it says it has.
"""

import io
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from explainer.content import load_texts
from explainer.content.strangers_words import strangers_word
from explainer.inputs.uploads import MEGABYTE
from explainer.measuring.refusals import Kind
from vit_core.data.file_list import is_system_file, is_system_folder
from vit_core.data.folder_layout import PART_OF
from vit_core.errors import VitError

TEXTS = load_texts("own_pictures")["zip"]
MAX_ENTRIES = 4_000  # files and folders; 10 classes of 200 pictures and what systems add
MAX_DIRECTORY = 1024**2  # bytes of the zip's table of contents
MAX_FILE = 24 * MEGABYTE  # of one picture; the same as ``read_file.MAX_BYTES``
MAX_UNPACKED = 60 * MEGABYTE  # of all of them
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others may unpack more than they are asked
ENCRYPTED, UTF_8 = 0x1, 0x800  # flags of an entry
NESTED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".jar", ".zst")
END, END_SIZE, MAX_COMMENT = b"PK\x05\x06", 22, 65_535
LOCATOR, LOCATOR_SIZE = b"PK\x06\x07", 20  # of the larger format zip64
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
)


class ZipError(VitError, ValueError):
    """A zip that is not read; the message is one sentence for the visitor.

    Attributes:
        kind: by which it is counted.
    """

    def __init__(self, sentence: str, kind: Kind = "unusable") -> None:
        super().__init__(sentence)
        self.kind = kind


@dataclass(frozen=True)
class Entry:
    """A file in a zip that may be a picture.

    Attributes:
        kind: the name of its class.
        name: of the file, without folders.
    """

    kind: str
    name: str
    info: zipfile.ZipInfo


@dataclass(frozen=True)
class Contents:
    """What a zip has.

    Attributes:
        entries: that are to be read, class by class.
        left_out: file name → key of the reason in the texts; hidden files are not among them.
    """

    entries: tuple[Entry, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of the classes, in order."""
        return tuple(dict.fromkeys(entry.kind for entry in self.entries))


def look_into(file: BinaryIO) -> tuple[zipfile.ZipFile, Contents]:
    """Open a zip and find its pictures; none of them is unpacked yet.

    Raises:
        ZipError: it is no zip, is damaged or hostile, or has too many or too large files.
    """
    check_end(file)
    try:
        archive = zipfile.ZipFile(file)
        infos = archive.infolist()
    except DAMAGED:
        raise ZipError(TEXTS["damaged"]) from None
    if len(infos) > MAX_ENTRIES:
        raise ZipError(
            TEXTS["many"].format(found=f"{len(infos):,}", most=f"{MAX_ENTRIES:,}"), "too_large"
        )
    paths, left_out = [], []
    for info in infos:
        path = path_of(info)
        if info.is_dir() or is_hidden(path):
            continue
        if reason := unreadable(info, path):
            left_out.append((path[-1], reason))
        else:
            paths.append((path, info))
    unpacked = sum(info.file_size for _, info in paths)
    if unpacked > MAX_UNPACKED:
        found, most = -(-unpacked // MEGABYTE), MAX_UNPACKED // MEGABYTE
        raise ZipError(TEXTS["bomb"].format(found=f"{found:,}", most=most), "hostile")
    entries, loose = in_classes(paths)
    check_spellings(entry.kind for entry in entries)
    return archive, Contents(tuple(entries), (*left_out, *((name, "loose") for name in loose)))


def check_end(file: BinaryIO) -> None:
    """Refuse a zip whose table of contents would take much memory, before Python reads it.

    Raises:
        ZipError: there is no such table, or it is too long.
    """
    size = file.seek(0, io.SEEK_END)
    start = max(0, size - END_SIZE - MAX_COMMENT)
    file.seek(start)
    tail = file.read()
    place = len(tail) - END_SIZE
    # where Python finds it: at the very end, or else the last one before a comment
    if place < 0 or tail[place : place + 4] != END or tail[-2:] != b"\0\0":
        place = tail.rfind(END)
    if place < 0 or len(tail) - place < END_SIZE:
        raise ZipError(TEXTS["no_zip"])
    entries, length = struct.unpack_from("<HI", tail, place + 10)
    locator = tail[max(0, place - LOCATOR_SIZE) : place]
    if locator.startswith(LOCATOR) or entries > MAX_ENTRIES or length > MAX_DIRECTORY:
        found = f"{entries:,}" if entries > MAX_ENTRIES and entries < 65_535 else TEXTS["very_many"]
        raise ZipError(TEXTS["many"].format(found=found, most=f"{MAX_ENTRIES:,}"), "too_large")
    file.seek(0)


def path_of(info: zipfile.ZipInfo) -> tuple[str, ...]:
    """Return an entry's path as folders and a name, in one form of accents.

    Raises:
        ZipError: it is a link, is encrypted, or would leave the folder.
    """
    name = info.filename
    if not info.flag_bits & UTF_8:  # many programs write UTF-8 without saying so
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = info.filename
    name = unicodedata.normalize("NFC", name.replace("\\", "/"))
    shown = strangers_word(name, 60)
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        raise ZipError(TEXTS["link"].format(name=shown), "hostile")
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ZipError(TEXTS["link"].format(name=shown), "hostile")
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or (len(name) > 1 and name[1] == ":"):
        raise ZipError(TEXTS["outside"].format(name=shown), "hostile")
    if info.flag_bits & ENCRYPTED:
        raise ZipError(TEXTS["encrypted"].format(name=shown))
    return tuple(part for part in parts if part not in ("", ".")) or ("",)


def is_hidden(path: tuple[str, ...]) -> bool:
    """Whether an operating system has put a file there, or its name is hidden."""
    folders, name = path[:-1], path[-1]
    return is_system_file(name.encode("utf-8", "replace")) or any(
        is_system_folder(folder.encode("utf-8", "replace")) for folder in folders
    )


def unreadable(info: zipfile.ZipInfo, path: tuple[str, ...]) -> str:
    """Return the reason why an entry is left out, as a key of the texts; empty if it is read."""
    if path[-1].lower().endswith(NESTED):
        return "nested"
    if info.compress_type not in METHODS:
        return "method"
    return "heavy" if info.file_size > MAX_FILE else ""


def in_classes(
    paths: list[tuple[tuple[str, ...], zipfile.ZipInfo]],
) -> tuple[list[Entry], list[str]]:
    """Find the class of each file: the folder in which it is.

    Folders around all classes are passed over, also train, val and test as in ImageNet's layout.

    Returns:
        The files in classes, and the names of those that are in no folder.
    """
    skipped = 0
    while True:
        deep = [path for path, _ in paths if len(path) - skipped > 2]
        shallow = [path for path, _ in paths if len(path) - skipped == 2]
        tops = {path[skipped] for path in deep}
        is_around = len(tops) == 1 and not shallow
        is_part = bool(tops) and not shallow and all(top.lower() in PART_OF for top in tops)
        if not (is_around or is_part):
            break
        skipped += 1
    entries, loose = [], []
    for path, info in paths:
        if len(path) - skipped < 2:
            loose.append(path[-1])
        else:
            entries.append(Entry(path[skipped], path[-1], info))
    order = {kind: place for place, kind in enumerate(sorted({one.kind for one in entries}))}
    return sorted(entries, key=lambda entry: order[entry.kind]), loose


def check_spellings(kinds: Iterator[str]) -> None:
    """Refuse two classes whose names differ only in capital letters.

    Raises:
        ZipError: the message names both.
    """
    known: dict[str, str] = {}
    for kind in kinds:
        if (first := known.setdefault(kind.casefold(), kind)) != kind:
            raise ZipError(
                TEXTS["spellings"].format(
                    first=strangers_word(first, 40), second=strangers_word(kind, 40)
                )
            )


def read_entry(archive: zipfile.ZipFile, entry: Entry) -> bytes | None:
    """Unpack one file, never more of it than its size; None if it is damaged."""
    try:
        with archive.open(entry.info) as file:
            content = file.read(entry.info.file_size + 1)
    except DAMAGED:
        return None
    return content if len(content) == entry.info.file_size else None
