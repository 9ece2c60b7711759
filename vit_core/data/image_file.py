"""Read one image file as people see it: upright, on white, 8 bit, in grey or colour.

Image folders, the command line, pretrained models and the app all read pictures here, so that one
picture has the same pixels everywhere.
"""

import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from vit_core.errors import VitError
from vit_core.storage.plain_text import plain

MOST_PIXELS = 64_000_000  # of one image; a file of a few kilobytes may claim to have billions
MODES = {1: "L", 3: "RGB"}  # Pillow's mode by the number of channels
# What Pillow decodes on every system. EPS is missing because Pillow starts Ghostscript for it, WMF
# because only Windows reads it, MPEG, HDF5, GRIB and BUFR because Pillow cannot decode them.
# fmt: off
FORMATS = (
    "JPEG", "PNG", "GIF", "BMP", "PPM", "TIFF", "WEBP", "JPEG2000", "AVIF", "ICO", "ICNS", "TGA",
    "DIB", "QOI", "PCX", "DCX", "SGI", "SUN", "DDS", "PSD", "XBM", "XPM", "MSP", "IM", "CUR", "BLP",
    "FITS", "FLI", "FTEX", "GBR", "PCD", "PIXAR",
)
# fmt: on
ORIENTATION = 0x0112  # EXIF tag: how the camera was held
PHOTOMETRIC = 262  # TIFF tag: whether a value of 0 is white (0) or black (1)
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
NOTES = (
    "exif",
    "Raw profile type exif",
    "XML:com.adobe.xmp",
    "xmp",
)  # entries that may hold an orientation
WHITE_16_BIT = 65_535
# formats whose 32-bit grey pictures hold 16-bit values
ALWAYS_16_BIT = ("PPM", "PNG", "JPEG2000")
ROWS = 256  # number of rows that are converted at once, which keeps the extra memory small


class UnreadableImageError(VitError, ValueError):
    """A file that cannot be read as an image; the message says why in one sentence."""


@cache
def formats() -> tuple[str, ...]:
    """Return the ``FORMATS`` that this build of Pillow knows; some builds lack AVIF."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow's warnings about single files off the terminal; such files are counted anyway.

    Warning filters belong to the whole process, so this stands around all threads that read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def open_image(
    source: str | Path | BinaryIO, channels: int, at_least: tuple[int, int] | None = None
) -> Image.Image:
    """Read an image file, given by its path or open, and return what ``as_shown`` does.

    Args:
        channels: 1 for grey, 3 for colour.
        at_least: height and width in pixels that are enough; a larger JPEG is then decoded at a
            lower resolution, which saves time.

    Raises:
        UnreadableImageError: it is no image, is damaged, or has more than ``MOST_PIXELS`` pixels.
    """
    path = source if isinstance(source, str | Path) else None
    name = plain(path if path is not None else getattr(source, "name", "the picture"))
    too_large = UnreadableImageError(
        f"{name} has more than {MOST_PIXELS:,} pixels, the most that are read"
    )
    try:
        if path is not None and not stat.S_ISREG(kind := os.stat(path).st_mode):
            what = "is a folder, not an image" if stat.S_ISDIR(kind) else "is no file"
            raise UnreadableImageError(what)
        with Image.open(source, formats=formats()) as image:  # reads only the header
            if image.width * image.height > MOST_PIXELS:
                raise too_large
            if at_least is not None and image.format in ("JPEG", "MPO"):
                height, width = at_least
                is_turned = orientation(image) >= 5  # the file's width is the picture's height
                image.draft(None, (height, width) if is_turned else (width, height))
            return as_shown(image, channels)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_large from None
    except UnreadableImageError as error:
        raise error if error is too_large else UnreadableImageError(f"{name} {error}") from None
    except FileNotFoundError:  # also a link whose target is gone
        raise UnreadableImageError(f"{name} does not exist") from None
    except PermissionError:
        raise UnreadableImageError(f"{name} may not be read by this user") from None
    except UnidentifiedImageError:
        raise UnreadableImageError(f"{name} is no image of a known format") from None
    except MemoryError:
        raise UnreadableImageError(f"{name} needs more memory than there is") from None
    except Exception as error:  # a decoder may raise anything about a damaged file
        why = plain(error) or type(error).__name__
        raise UnreadableImageError(f"{name} cannot be read: {why}") from None


def as_shown(image: Image.Image, channels: int) -> Image.Image:
    """Return a copy of a picture as people see it, in mode L or RGB.

    Args:
        channels: 1 for grey, 3 for colour.

    Raises:
        UnreadableImageError: its values have no known meaning; see ``eight_bit``.
        OSError: the file is damaged; a decoder may raise other errors too.
    """
    shown, mode = on_white(eight_bit(upright(image))), MODES[channels]
    if shown.mode == "LAB":  # Pillow converts it only to RGB
        shown = shown.convert("RGB")
    if shown is image or shown.mode != mode:
        shown = shown.convert(mode)  # makes a copy
    shown.info = {}  # orientation and transparency are applied, and must not be applied again
    return shown


def upright(image: Image.Image) -> Image.Image:
    """Rotate or mirror a picture as its EXIF data say; without such data return it unchanged."""
    image.load()  # here Pillow itself rotates a TIFF
    turn = TURNS.get(orientation(image))
    if turn is None:
        return image
    turned = image.transpose(turn)
    for note in NOTES:  # so that nobody rotates it again
        turned.info.pop(note, None)
    return turned


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 is upright or unknown."""
    try:
        number = image.getexif().get(ORIENTATION)
    except Exception:  # the picture can be sound although its EXIF data are damaged
        return 1
    return number if isinstance(number, int) and 1 <= number <= 8 else 1


def eight_bit(image: Image.Image) -> Image.Image:
    """Return a picture with values from 0 to 255; pictures with more bits are grey.

    16-bit values are divided by 257, which maps 65,535 to 255. A file with 32-bit integers or
    floating-point numbers does not say which value is white. We take the smallest of 1 (only for
    floating-point numbers), 255 and 65,535 that no value exceeds.

    Raises:
        UnreadableImageError: a value is negative, larger, or not a number.
    """
    if not image.mode.startswith(("I", "F")):
        return image
    factor, grey = np.float32(255 / white_of(image)), np.empty(image.size[::-1], np.uint8)
    clear = image.info.get("transparency")  # the one value that means transparent
    opaque = np.full_like(grey, 255) if isinstance(clear, int | float) else None
    for top, values in bands(image):
        rows = slice(top, top + len(values))
        grey[rows] = np.rint(values * factor)
        if opaque is not None:
            opaque[rows][values == clear] = 0
    if is_negative(image):
        np.subtract(255, grey, out=grey)
    shown = Image.fromarray(grey)
    if opaque is not None:
        shown.putalpha(Image.fromarray(opaque))
    return shown


def bands(image: Image.Image) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (first row, values) for ``ROWS`` rows at a time, which needs little extra memory."""
    for top in range(0, image.height, ROWS):
        box = (0, top, image.width, min(top + ROWS, image.height))
        yield top, np.asarray(image.crop(box))


def white_of(image: Image.Image) -> int:
    """Return the value of white in a picture of 16 or 32 bits; see ``eight_bit``."""
    if image.mode.startswith("I;16"):
        return WHITE_16_BIT
    extremes = [(values.min(), values.max()) for _, values in bands(image)]
    low, high = np.min(extremes), np.max(extremes)
    if image.mode == "I" and image.format in ALWAYS_16_BIT and high <= WHITE_16_BIT:
        return WHITE_16_BIT
    if not (low >= 0 and high <= WHITE_16_BIT):  # also true if a value is not a number
        raise UnreadableImageError(
            f"has pixels with values from {low:g} to {high:g}; they must be 0 to 1, 0 to 255 or "
            f"0 to 65,535"
        )
    if image.mode == "F" and high <= 1:
        return 1
    return 255 if high <= 255 else WHITE_16_BIT


def is_negative(image: Image.Image) -> bool:
    """Whether 0 is white in a TIFF; Pillow itself inverts such pictures only with 8 bits."""
    tags: dict[int, object] = getattr(image, "tag_v2", {})
    return tags.get(PHOTOMETRIC) == 0


def on_white(image: Image.Image) -> Image.Image:
    """Put a picture with transparent parts on white; return any other picture unchanged."""
    if not image.has_transparency_data:
        return image
    is_grey = image.mode in ("1", "L", "LA", "La")
    if image.mode not in ("LA", "RGBA"):
        image = image.convert("LA" if is_grey else "RGBA")
    white = Image.new("L" if is_grey else "RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def read_image(file: str, size: tuple[int, int], channels: int = 3) -> np.ndarray:
    """Read the largest centre crop of an image with the proportions of ``size``, resized to it.

    Args:
        size: height and width in pixels.
        channels: 1 for grey, 3 for colour.

    Returns:
        (channels, height, width) uint8.

    Raises:
        UnreadableImageError: as ``open_image``.
    """
    height, width = size
    return to_array(middle(open_image(file, channels, (2 * height, 2 * width)), size))


def middle(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the largest centre crop with the proportions of ``size``, resized to it.

    Args:
        size: height and width in pixels.
    """
    height, width = size
    if image.size == (width, height):
        return image
    scale = min(image.width / width, image.height / height)
    across, down = round(width * scale), round(height * scale)
    left, top = (image.width - across) // 2, (image.height - down) // 2
    box = (left, top, left + across, top + down)
    return image.resize((width, height), Image.Resampling.BICUBIC, box=box)


def to_array(image: Image.Image | np.ndarray) -> np.ndarray:
    """Return the pixels of a grey or colour picture, (channels, height, width) uint8."""
    pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
