"""Files of a data set that are no image, or no whole one: counted, named, and too many refused."""

ALLOWED, SHARE = 10, 0.01  # so many files, or so much of all of them, whichever is more
NAMED = 5  # files that a sentence names


class TooManySkipped(ValueError):
    """So many files are no images that something else must be wrong."""


class Skipped:
    """The files that were skipped so far."""

    def __init__(self, total: int) -> None:
        """Begin with none.

        Args:
            total: files of the data set, of which a small part may be skipped.
        """
        self.limit = max(ALLOWED, int(SHARE * total))
        self._files: dict[str, None] = {}  # an ordered set, no longer than the limit

    def __len__(self) -> int:
        return len(self._files)

    def add(self, file: str) -> None:
        """Count a file, once however often it is met.

        Raises:
            TooManySkipped: it is one too many.
        """
        self._files[file] = None
        if len(self) > self.limit:
            raise TooManySkipped(
                f"more than {self.limit} files are no images, or no whole ones, so that the folder "
                f"is not what it should be; the first are {self.first()}"
            )

    def first(self) -> str:
        return ", ".join(list(self._files)[:NAMED])

    def __str__(self) -> str:
        kind = "1 file is" if len(self) == 1 else f"{len(self)} files are"
        rest = len(self) - NAMED
        more = f" and {rest} more" if rest > 0 else ""
        return f"{kind} no whole image and not used: {self.first()}{more}"
