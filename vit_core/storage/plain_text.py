"""Names of files and classes, which may hold any bytes, as text that any terminal can show."""

import sys
import unicodedata
from pathlib import Path

JOINERS = "\u200c\u200d"  # invisible, and part of emojis and of Persian and Hindi words


def plain(text: object) -> str:
    """Return a text on one line, with what cannot be seen or written spelled as ``\\n``, ``\\xe9``.

    That is control characters, marks that turn the direction of writing, and bytes of no text.
    """
    decoded = decode(str(text))
    if decoded.isprintable():
        return decoded
    return "".join(
        one if one.isprintable() or one in JOINERS else one.encode("unicode_escape").decode()
        for one in decoded
    )


def same_name(name: str) -> str:
    """Return the name of a class, equal for what people see as equal.

    macOS gives "é" as two characters, "e" and an accent; Windows and Linux mostly as one.
    """
    return unicodedata.normalize("NFC", decode(name))


def decode(text: str) -> str:
    """Spell bytes that are no UTF-8, which Python keeps as lone surrogates, as ``\\xe9``."""
    try:
        text.encode()
    except UnicodeEncodeError:
        try:
            return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        except UnicodeEncodeError:  # a surrogate that stands for no byte
            return text.encode("utf-8", "backslashreplace").decode()
    return text


def some(names: list[str] | tuple[str, ...], count: int) -> str:
    """Join the first names of ``count``, and say how many more there are."""
    more = f" and {count - len(names):,} more" if count > len(names) else ""
    return ", ".join(map(plain, names)) + more


def program(command: str, module: str) -> str:
    """Return how this process was started: as the installed ``command``, or as Python's module."""
    return command if Path(sys.argv[0]).stem == command else f"python -m {module}"


def let_output_write_anything() -> None:
    """Have a terminal that cannot write a letter, such as Windows' with "✓", get it spelled out."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not where a test or another program took its place
            stream.reconfigure(errors="backslashreplace")
