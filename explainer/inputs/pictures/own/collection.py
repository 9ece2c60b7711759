"""The pictures that a visitor brings, class by class: shrunk at once, and kept in memory alone."""

import hashlib
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from threading import Lock
from typing import BinaryIO
from weakref import WeakSet

import numpy as np
from PIL import Image

from explainer.content import load_texts
from explainer.content.strangers_words import StrangersWord, strangers_word
from explainer.inputs.models.showable import is_forbidden
from explainer.inputs.pictures.own.archive import Entry, ZipError, look_into, read_entry
from explainer.inputs.pictures.prepare import UnusablePictureError
from explainer.inputs.pictures.read_file import read_photo
from explainer.inputs.uploads import MAX_SET, MEGABYTE
from explainer.measuring.refusals import Kind
from vit_core.data.image_file import middle
from vit_core.errors import VitError

TEXTS = load_texts("own_pictures")
MAX_CLASSES = 10
MIN_PICTURES, MAX_PICTURES = 5, 200  # of a class
MAX_RECEIVED = MAX_SET  # bytes of one visitor's files
SIDE = 224  # pixels of a kept picture, which is all that the largest backbone sees
LOSSLESS = 64  # pixels of a side up to which nothing is lost
QUALITY = 90
MAX_NAME = 40  # characters of a class's name
MAX_KEPT = 96 * MEGABYTE  # of all visitors together; one with the most takes about 40
NAMED = 4  # files that a sentence names


class CollectionError(VitError, ValueError):
    """Something that cannot be added; the message is one sentence for the visitor.

    Attributes:
        kind: by which it is counted.
    """

    def __init__(self, sentence: str, kind: Kind = "unusable") -> None:
        super().__init__(sentence)
        self.kind = kind


@dataclass(frozen=True)
class OwnPicture:
    """A picture: its middle square, at most ``SIDE`` pixels wide, as a PNG or JPEG file.

    Attributes:
        digest: of its pixels, so that the same picture does not count twice.
    """

    content: bytes
    digest: bytes

    def open(self) -> Image.Image:
        """Return it in colour."""
        with Image.open(BytesIO(self.content)) as image:
            return image.convert("RGB")


@dataclass(frozen=True)
class Added:
    """What came of some files.

    Attributes:
        count: pictures that were added.
        left_out: file name → reason, a key of the texts ``left_out`` or of the picker's.
    """

    count: int
    left_out: tuple[tuple[str, str], ...]


@dataclass(eq=False)
class Collection:
    """A visitor's classes and pictures.

    Attributes:
        classes: name → pictures, in the order in which the classes came.
        received: bytes of the files that were taken.
        last_used: when something was added, by a monotonic clock.
        was_dropped: whether the server needed the memory for others.
    """

    classes: dict[str, list[OwnPicture]] = field(default_factory=dict)
    received: int = 0
    last_used: float = 0.0
    was_dropped: bool = False

    @property
    def kept_bytes(self) -> int:
        """Bytes that the pictures take in memory."""
        return sum(len(one.content) for pictures in self.classes.values() for one in pictures)

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return sum(map(len, self.classes.values()))

    @property
    def problem(self) -> str:
        """What is missing before anything can be learned, one sentence; empty if nothing is."""
        if len(self.classes) < 2:
            return TEXTS["few_classes"]
        short = [name for name, pictures in self.classes.items() if len(pictures) < MIN_PICTURES]
        if not short:
            return ""
        return TEXTS["few_pictures"].format(
            name=strangers_word(short[0]), count=len(self.classes[short[0]]), least=MIN_PICTURES
        )

    def add_zip(self, file: BinaryIO, size: int) -> Added:
        """Add the pictures of a zip, one after the other.

        Raises:
            ZipError: it is not read.
            CollectionError: there would be too many classes or bytes.
        """
        self.check_received(size)
        archive, contents = look_into(file)
        with archive:
            names = {kind: self.class_name(kind) for kind in contents.kinds}
            new = {name for name in names.values() if name not in self.classes}
            if len(self.classes) + len(new) > MAX_CLASSES:
                found = len(self.classes) + len(new)
                raise CollectionError(
                    TEXTS["many_classes"].format(found=found, most=MAX_CLASSES), "visitor_limit"
                )
            if not contents.entries:
                raise ZipError(TEXTS["zip"]["nothing"] + of_left_out(contents.left_out))
            self.received += size
            count, left_out = 0, list(contents.left_out)
            for entry in contents.entries:
                reason = self.add_entry(archive, entry, names[entry.kind])
                count += not reason
                left_out += [(entry.name, reason)] if reason else []
        keep_within_limit(self)
        return Added(count, tuple(left_out))

    def add_entry(self, archive: object, entry: Entry, name: str) -> str:
        if len(self.classes.get(name, ())) >= MAX_PICTURES:
            return "full"
        content = read_entry(archive, entry)  # type: ignore[arg-type]
        return "damaged" if content is None else self.add(name, content)

    def add_files(self, name: str, files: Iterator[tuple[str, bytes]]) -> Added:
        """Add files to one class, one after the other.

        Args:
            name: of the class, as the visitor wrote it.
            files: their names and contents.

        Raises:
            CollectionError: the name is none, or there would be too many classes.
        """
        name = self.class_name(name)
        if name not in self.classes and len(self.classes) >= MAX_CLASSES:
            raise CollectionError(
                TEXTS["many_classes"].format(found=MAX_CLASSES + 1, most=MAX_CLASSES),
                "visitor_limit",
            )
        count, left_out = 0, []
        for file_name, content in files:
            if self.received + len(content) > MAX_RECEIVED:
                reason = "over"
            elif len(self.classes.get(name, ())) >= MAX_PICTURES:
                reason = "full"
            else:
                self.received += len(content)
                reason = self.add(name, content)
            count += not reason
            left_out += [(file_name, reason)] if reason else []
        keep_within_limit(self)
        return Added(count, tuple(left_out))

    def add(self, name: str, content: bytes) -> str:
        """Add one picture; return why it is left out, as a key of the texts, or an empty text."""
        try:
            picture = shrunk(content)
        except UnusablePictureError as error:
            return error.reason
        if any(picture.digest == one.digest for one in self.classes.get(name, ())):
            return "twice"
        if any(
            picture.digest == one.digest for pictures in self.classes.values() for one in pictures
        ):
            return "elsewhere"
        self.classes.setdefault(name, []).append(picture)
        return ""

    def class_name(self, text: str) -> str:
        """Return the name of a class as it is kept: of a known one in its spelling.

        Raises:
            CollectionError: it has no letters, is too long, or has characters that no line holds.
        """
        name = " ".join(unicodedata.normalize("NFC", text).split())
        if not name or not any(unicodedata.category(sign)[0] not in "ZC" for sign in name):
            raise CollectionError(TEXTS["no_name"])
        if len(name) > MAX_NAME:
            shown = strangers_word(name, MAX_NAME)
            raise CollectionError(TEXTS["long_name"].format(name=shown, most=MAX_NAME))
        if any(map(is_forbidden, name)):
            raise CollectionError(TEXTS["bad_name"].format(name=strangers_word(name)))
        same = (known for known in self.classes if known.casefold() == name.casefold())
        return next(same, name)

    def check_received(self, size: int) -> None:
        """Refuse files that are more than one visitor may send.

        Raises:
            CollectionError: the message says how much that is.
        """
        if self.received + size > MAX_RECEIVED:
            raise CollectionError(
                TEXTS["over"].format(most=MAX_RECEIVED // MEGABYTE), "visitor_limit"
            )

    def remove(self, name: str) -> None:
        """Remove a class; the visitor may send as much again."""
        pictures = self.classes.pop(name, [])
        if not self.classes:
            self.received = 0
        elif pictures:
            self.received = max(
                0, self.received - self.received * len(pictures) // (self.count + len(pictures))
            )

    def clear(self) -> None:
        """Remove everything."""
        self.classes, self.received, self.was_dropped = {}, 0, False


def shrunk(content: bytes) -> OwnPicture:
    """Read a file and keep its middle square, as small as it is needed.

    Raises:
        UnusablePictureError: the file is no picture, or one that is not read here.
    """
    image = Image.fromarray(read_photo(content).colour)
    side = min(SIDE, *image.size)
    image = middle(image, (side, side))
    digest = hashlib.sha256(f"{side}".encode() + np.asarray(image).tobytes()).digest()[:16]
    file = BytesIO()
    if side <= LOSSLESS:
        image.save(file, "PNG")
    else:
        image.save(file, "JPEG", quality=QUALITY, subsampling=0)
    return OwnPicture(file.getvalue(), digest)


def of_left_out(left_out: tuple[tuple[str, str], ...]) -> str:
    """Return sentences that name files which are left out, with the reasons; empty for none."""
    counts = Counter(reason for _, reason in left_out)
    sentences = []
    for reason, count in counts.items():
        names = [name for name, why in left_out if why == reason][:NAMED]
        shown = ", ".join(f"{strangers_word(name, 40)}" for name in names)
        if count > NAMED:
            shown = TEXTS["and_more"].format(names=shown, count=count - NAMED)
        why = TEXTS["left_out"].get(reason) or TEXTS["left_out"]["unknown"]
        template = TEXTS["left_out_one" if count == 1 else "left_out_many"]
        sentences.append(template.format(count=count, why=why, names=shown))
    return " ".join(("", *sentences)) if sentences else ""


_collections: WeakSet[Collection] = WeakSet()
_lock = Lock()


def keep_within_limit(used: Collection) -> None:
    """Count a collection that has grown; if all are too large, the oldest ones are dropped."""
    with _lock:
        used.last_used = time.monotonic()
        _collections.add(used)
        total = sum(one.kept_bytes for one in _collections)
        for one in sorted(_collections, key=lambda one: one.last_used):
            if total <= MAX_KEPT or one is used:
                return
            total -= one.kept_bytes
            one.clear()
            one.was_dropped = True


def shown_name(name: str) -> StrangersWord:
    """Return the name of a class for the pages."""
    return strangers_word(name, MAX_NAME)
