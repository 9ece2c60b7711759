"""Files and folders of a data set that are not used: they are counted and named in a report."""

from collections import Counter
from pathlib import PurePath

from vit_core.errors import VitError
from vit_core.storage.plain_text import name_first, plain

# allowed number of damaged files: this many, or this share of all files, whichever is more
ALLOWED, ALLOWED_SHARE = 10, 0.01
NAMED = 5  # files that a sentence names


class TooManySkippedError(VitError, ValueError):
    """More files cannot be read than a few damaged ones, so that something else must be wrong."""


class Skipped:
    """The files and folders that were not used so far.

    Images that cannot be read have a limit. Files without an image's name and images outside the
    class folders are no sign of damage, so they are only counted and named.
    """

    def __init__(self, total: int) -> None:
        """Start with nothing skipped.

        Args:
            total: number of files in the data set, of which a small share may be skipped.
        """
        self.limit = max(ALLOWED, int(ALLOWED_SHARE * total))
        self._unreadable: dict[str, None] = {}  # an ordered set, no longer than the limit
        self._others = Names()
        self._endings: Counter[str] = Counter()
        self._outside = Names()
        self._folders = Names()

    def __len__(self) -> int:
        counts = (len(self._others), len(self._outside), len(self._folders))
        return len(self._unreadable) + sum(counts)

    def add(self, file: str) -> None:
        """Count an image that cannot be read; the same file counts only once.

        Raises:
            TooManySkippedError: it exceeds the limit.
        """
        self._unreadable[file] = None
        if len(self._unreadable) > self.limit:
            first = list(self._unreadable)[:NAMED]
            raise TooManySkippedError(
                f"more than {self.limit} files are no images, or no whole ones, so that the folder "
                f"is not what it should be; the first are {name_first(first, NAMED)}"
            )

    def add_other(self, file: str) -> None:
        """Count a file whose name is not that of an image."""
        self._others.add(file)
        self._endings[ending(file)] += 1

    def add_outside(self, file: str) -> None:
        """Count an image outside the class folders."""
        self._outside.add(file)

    def add_folder(self, folder: str) -> None:
        """Count a folder that is not read."""
        self._folders.add(folder)

    def __str__(self) -> str:
        """Return a line for each kind of thing that was not used."""
        lines = []
        if files := len(self._unreadable) + len(self._others):
            names = (*self._unreadable, *self._others.first)[:NAMED]
            verb = "1 file is" if files == 1 else f"{files:,} files are"
            line = f"{verb} no whole image and not used: {name_first(names, files)}"
            lines.append(f"{line} ({endings(self._endings)})" if self._endings else line)
        if outside := len(self._outside):
            verb = "1 image is" if outside == 1 else f"{outside:,} images are"
            lines.append(f"{verb} in no class folder and not used: {self._outside}")
        if folders := len(self._folders):
            verb = "1 folder is" if folders == 1 else f"{folders:,} folders are"
            lines.append(f"{verb} not used: {self._folders}")
        return "\n".join(lines)


class Names:
    """A count of names, of which only the first few are kept."""

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
        return name_first(self.first, self.count)


def ending(file: str) -> str:
    """Return the ending of a file's name in lower case, or "without ending"."""
    return plain(PurePath(file).suffix.lower()[:20]) or "without ending"


def endings(counts: Counter[str]) -> str:
    """Return how many files have which ending, the most frequent first, as a text."""
    named = counts.most_common(NAMED)
    rest = counts.total() - sum(count for _, count in named)
    texts = [f"{count:,} {name}" for name, count in named]
    return ", ".join([*texts, f"{rest:,} others"] if rest else texts)
