"""Names of files and classes, which may contain any bytes, as text that any terminal can show."""

import io
import sys
import unicodedata
from pathlib import Path

JOINERS = "\u200c\u200d"  # invisible, and part of emojis and of Persian and Hindi words


def plain(text: object) -> str:
    """Return a text on one line, with invisible characters escaped as ``\\n`` or ``\\xe9``.

    These are control characters, marks that change the direction of writing, and bytes that are no
    UTF-8.
    """
    decoded = decode(str(text))
    if decoded.isprintable():
        return decoded
    return "".join(
        one if one.isprintable() or one in JOINERS else one.encode("unicode_escape").decode()
        for one in decoded
    )


def normalize_name(name: str) -> str:
    """Return the name of a class in one spelling for what looks the same.

    macOS stores "é" as two characters, "e" and an accent; Windows and Linux mostly store one.
    """
    return unicodedata.normalize("NFC", decode(name))


def decode(text: str) -> str:
    """Return a text with bytes that are no UTF-8 escaped as ``\\xe9``.

    Python keeps such bytes of a file's name as lone surrogates.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        try:
            return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        except UnicodeEncodeError:  # a surrogate that stands for no byte
            return text.encode("utf-8", "backslashreplace").decode()
    return text


def name_first(names: list[str] | tuple[str, ...], count: int) -> str:
    """Join ``names``, the first of ``count`` names, and say how many more there are."""
    more = f" and {count - len(names):,} more" if count > len(names) else ""
    return ", ".join(map(plain, names)) + more


def program(command: str, module: str) -> str:
    """Return how this process was started: as the installed ``command``, or as Python's module."""
    return command if Path(sys.argv[0]).stem == command else f"python -m {module}"


def let_output_write_anything() -> None:
    """Let print escape what the terminal cannot encode, such as "✓" on Windows."""
    for stream in (sys.stdout, sys.stderr):
        # a test or another program may have put a stream of another type there
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
