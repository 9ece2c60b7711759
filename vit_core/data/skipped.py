"""What lies in a data set's folder and is not used: counted and named, never in silence."""

from collections import Counter
from pathlib import PurePath

from vit_core.errors import VitError
from vit_core.storage.plain_text import plain, some

ALLOWED, SHARE = 10, 0.01  # so many damaged files, or so much of all, whichever is more
NAMED = 5  # files that a sentence names


class TooManySkippedError(VitError, ValueError):
    """So many files are no images that something else must be wrong."""


class Skipped:
    """The files and folders that were not used so far.

    An image that cannot be read is counted against a limit. What is no image by its name, or lies
    outside the class folders, is no sign of damage; it is counted and named without one.
    """

    def __init__(self, total: int) -> None:
        """Begin with none.

        Args:
            total: files of the data set, of which a small part may be skipped.
        """
        self.limit = max(ALLOWED, int(SHARE * total))
        self._unreadable: dict[str, None] = {}  # an ordered set, no longer than the limit
        self._others = Names()
        self._endings: Counter[str] = Counter()
        self._outside = Names()
        self._folders = Names()

    def __len__(self) -> int:
        parts = (self._unreadable, self._others, self._outside, self._folders)
        return sum(map(len, parts))

    def add(self, file: str) -> None:
        """Count an image that cannot be read, once however often it is met.

        Raises:
            TooManySkippedError: it is one too many.
        """
        self._unreadable[file] = None
        if len(self._unreadable) > self.limit:
            first = list(self._unreadable)[:NAMED]
            raise TooManySkippedError(
                f"more than {self.limit} files are no images, or no whole ones, so that the folder "
                f"is not what it should be; the first are {some(first, NAMED)}"
            )

    def add_other(self, file: str) -> None:
        """Count a file that by its name is no image."""
        self._others.add(file)
        self._endings[ending(file)] += 1

    def add_outside(self, file: str) -> None:
        """Count an image that lies in no class folder."""
        self._outside.add(file)

    def add_folder(self, folder: str) -> None:
        """Count a folder that is not read."""
        self._folders.add(folder)

    def __str__(self) -> str:
        """One line for each kind of thing that was not used."""
        lines = []
        if files := len(self._unreadable) + len(self._others):
            names = (*self._unreadable, *self._others.first)[:NAMED]
            verb = "1 file is" if files == 1 else f"{files:,} files are"
            line = f"{verb} no whole image and not used: {some(names, files)}"
            lines.append(f"{line} ({endings(self._endings)})" if self._endings else line)
        if outside := len(self._outside):
            verb = "1 image is" if outside == 1 else f"{outside:,} images are"
            lines.append(f"{verb} in no class folder and not used: {self._outside}")
        if folders := len(self._folders):
            verb = "1 folder is" if folders == 1 else f"{folders:,} folders are"
            lines.append(f"{verb} not used: {self._folders}")
        return "\n".join(lines)


class Names:
    """How many there are, and the first of them by name."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[str] = []

    def add(self, name: str) -> None:
        self.count += 1
        if len(self.first) < NAMED:
            self.first.append(name)

    def __len__(self) -> int:
        return self.count

    def __str__(self) -> str:
        return some(self.first, self.count)


def ending(file: str) -> str:
    """Return the ending of a file's name in small letters, or "without ending"."""
    return plain(PurePath(file).suffix.lower()[:20]) or "without ending"


def endings(counts: Counter[str]) -> str:
    """Say how many files have which ending, the most frequent first."""
    named = counts.most_common(NAMED)
    rest = counts.total() - sum(count for _, count in named)
    texts = [f"{count:,} {name}" for name, count in named]
    return ", ".join([*texts, f"{rest:,} others"] if rest else texts)
