"""How wide a text is, and where its lines break; in the typeface of all saved pictures."""

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

# matplotlib brings it along; the app's own typeface is there in a format for browsers only
FACES = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}
FAMILY = ("DejaVu Sans", "sans-serif")
MEASURED = 64  # pixels: the size at which letters are measured
CONTROLS = dict.fromkeys((*range(32), *range(127, 160), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF))


def path_of(bold: bool) -> Path:
    """Return the file of a face."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / FACES[bold]


@cache
def face(bold: bool) -> Any:
    from matplotlib.ft2font import FT2Font

    font = FT2Font(str(path_of(bold)))
    font.set_size(MEASURED, 72)
    return font


def plain(text: object) -> str:
    """Return a text on one line, without signs that no line can show, such as halves of a sign."""
    spaced = re.sub(r"\s+", " ", str(text))
    return " ".join(spaced.translate(CONTROLS).split())


@lru_cache(maxsize=8192)
def width(text: str, size: float, bold: bool = False) -> float:
    """Return a text's width in pixels; called only while ``paper.LOCK`` is held."""
    from matplotlib.ft2font import LoadFlags

    font = face(bold)
    font.set_text(plain(text), 0.0, flags=LoadFlags.NO_HINTING)
    return font.get_width_height()[0] / 64 * size / MEASURED


def shortened(text: str, room: float, size: float, bold: bool = False) -> str:
    """Return as much of a text as fits into so many pixels, with "…" where it ends early."""
    if width(text, size, bold) <= room:
        return text
    end = len(text)
    while end and width(text[:end].rstrip() + "…", size, bold) > room:
        end -= 1
    return text[:end].rstrip() + "…"


def lines(text: str, room: float, size: float, bold: bool = False) -> list[str]:
    """Return a text in lines of so many pixels; a word that is longer is cut."""
    done: list[str] = []
    line = ""
    for word in plain(text).split(" "):
        longer = f"{line} {word}" if line else word
        if width(longer, size, bold) <= room:
            line = longer
            continue
        if line:
            done.append(line)
        while width(word, size, bold) > room and len(word) > 1:
            end = 1
            while end < len(word) and width(word[: end + 1], size, bold) <= room:
                end += 1
            done.append(word[:end])
            word = word[end:]
        line = word
    return [*done, line] if line else done
