"""Reading JSON that a stranger may have written: every number is finite and in range.

Python's own reader accepts ``NaN``, ``Infinity``, ``1e400`` and whole numbers of any length, which
then fail far away from the file that they came from.
"""

import json
import math
import stat
from pathlib import Path
from typing import Any

LARGEST = 2**53  # a float represents every whole number up to this one exactly


def read_json(path: Path, most_bytes: int) -> Any:
    """Read a small JSON file.

    Raises:
        ValueError: it is no JSON, too long, or holds a number or text that cannot be used.
        OSError: it is missing, no regular file, or cannot be read.
    """
    return parse_json(read_small(path, most_bytes))


def read_small(path: Path, most_bytes: int) -> bytes:
    """Read a regular file that has at most ``most_bytes`` bytes.

    Raises:
        ValueError: it is longer.
        OSError: it is missing, no regular file, or cannot be read.
    """
    if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for a writer
        raise OSError("it is no regular file")
    with path.open("rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ValueError(f"it has more than {most_bytes:,} bytes")
    return content


def parse_json(text: bytes | str, non_finite: Any = ...) -> Any:
    """Parse a JSON text.

    Args:
        non_finite: replaces NaN, infinities and numbers that are too large; by default these are
            refused.

    Raises:
        ValueError: it is no JSON, is nested too deeply, or holds a number or text that cannot be
            used.
    """

    def unusable(written: str) -> Any:
        if non_finite is ...:
            raise ValueError(f"{written[:20]} is no number that can be used")
        return non_finite

    def read_int(written: str) -> Any:
        # length first: for thousands of digits Python takes long or refuses
        if len(written) > 17 or abs(number := int(written)) > LARGEST:
            return unusable(written)
        return number

    def read_float(written: str) -> Any:
        return number if math.isfinite(number := float(written)) else unusable(written)

    try:
        values = json.loads(
            text, parse_constant=unusable, parse_int=read_int, parse_float=read_float
        )
        check_text(values)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return values


def check_text(values: Any) -> None:
    """Refuse texts with halves of surrogate pairs, which cannot be encoded.

    Raises:
        ValueError: some text has one.
    """
    match values:
        case str():
            values.encode()  # UnicodeEncodeError is a ValueError
        case dict():
            for name, value in values.items():
                check_text(name)
                check_text(value)
        case list():
            for value in values:
                check_text(value)


def number_in(value: object, least: float, most: float) -> float | None:
    """Return ``value`` if it is a number from ``least`` to ``most``; None for everything else."""
    # bool is a subclass of int, so isinstance alone would let True through
    if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most:
        return value
    return None
