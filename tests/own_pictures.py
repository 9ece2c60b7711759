"""Pictures and zips for tests of a visitor's own pictures."""

import zipfile
from io import BytesIO

import numpy as np
from PIL import Image

COLOURS = {"red": 0, "green": 1, "blue": 2}


def picture(kind: str = "red", number: int = 0, size: int = 40, form: str = "PNG") -> bytes:
    """Return a file of noise that is brighter in one colour; each number gives another."""
    random = np.random.default_rng([number, COLOURS.get(kind, 0)])
    pixels = random.integers(0, 120, (size, size + 8, 3), np.uint8)
    pixels[..., COLOURS.get(kind, 0)] += 130
    file = BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of files by their paths."""
    content = BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for path, file in files.items():
            archive.writestr(path, file)
    return content.getvalue()


def three_classes(count: int = 6) -> bytes:
    """Return a zip of three classes that differ in colour."""
    return zipped({f"{kind}/{n}.png": picture(kind, n) for kind in COLOURS for n in range(count)})
