"""One image file or picture as people see it: upright, on white, 8 bit, in grey or colour.

Everything that reads pictures (image folders, the command line, pretrained models, the app) does it
here, so that one picture is the same picture everywhere.
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

MOST_PIXELS = 64_000_000  # of one image; a file of a few kilobytes may claim thousands of millions
MODES = {1: "L", 3: "RGB"}  # by the number of channels
# What Pillow decodes on every system. EPS is left out since Pillow starts Ghostscript for it, and
# WMF, which is read on Windows alone; MPEG, HDF5, GRIB and BUFR it names but cannot decode.
# fmt: off
FORMATS = (
    "JPEG", "PNG", "GIF", "BMP", "PPM", "TIFF", "WEBP", "JPEG2000", "AVIF", "ICO", "ICNS", "TGA",
    "DIB", "QOI", "PCX", "DCX", "SGI", "SUN", "DDS", "PSD", "XBM", "XPM", "MSP", "IM", "CUR", "BLP",
    "FITS", "FLI", "FTEX", "GBR", "PCD", "PIXAR",
)
# fmt: on
ORIENTATION = 0x0112  # EXIF's number for how the camera was held
PHOTOMETRIC = 262  # TIFF's number for what 0 means: 0 for white, 1 for black
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
NOTES = ("exif", "Raw profile type exif", "XML:com.adobe.xmp", "xmp")  # that hold an orientation
DEEP = 65_535  # white in 16 bit
ALWAYS_DEEP = ("PPM", "PNG", "JPEG2000")  # formats whose grey pictures of 32 bit hold 16-bit values
ROWS = 256  # of a deep picture that are converted at once, which keeps the extra memory small


class UnreadableImageError(VitError, ValueError):
    """A file that is no image that can be read; the message says why in one sentence."""


@cache
def formats() -> tuple[str, ...]:
    """Return those of ``FORMATS`` that this Pillow knows; some are built without AVIF."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow's warnings about single files off the terminal; they are skipped and counted.

    For the whole process, so it stands around all threads that read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def open_image(
    source: str | Path | BinaryIO, channels: int, at_least: tuple[int, int] | None = None
) -> Image.Image:
    """Read an image file, or an open one, as ``as_shown`` gives it.

    Args:
        channels: 1 for grey, 3 for colour.
        at_least: height and width below which a JPEG need not be decoded in full, which saves time.

    Raises:
        UnreadableImageError: it is no image, not a whole one, or larger than ``MOST_PIXELS``.
    """
    is_path = isinstance(source, str | Path)
    name = plain(source if is_path else getattr(source, "name", "the picture"))
    too_large = UnreadableImageError(
        f"{name} has more than {MOST_PIXELS:,} pixels, the most that are read"
    )
    try:
        if is_path and not stat.S_ISREG(kind := os.stat(source).st_mode):
            what = "is a folder, not an image" if stat.S_ISDIR(kind) else "is no file"
            raise UnreadableImageError(what)
        with Image.open(source, formats=formats()) as image:  # which reads the header alone
            if image.width * image.height > MOST_PIXELS:
                raise too_large
            if at_least is not None and image.format in ("JPEG", "MPO"):
                height, width = at_least
                lies = orientation(image) >= 5  # the file's width is the picture's height
                image.draft(None, (height, width) if lies else (width, height))
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
    """Return a picture as people see it, in mode L or RGB; the given one is left as it is.

    Args:
        channels: 1 for grey, 3 for colour.

    Raises:
        UnreadableImageError: its values have no known meaning; see ``eight_bit``.
        OSError: the file is damaged; a decoder may raise other errors as well.
    """
    shown, mode = on_white(eight_bit(upright(image))), MODES[channels]
    if shown.mode == "LAB":  # which goes to grey by way of colour
        shown = shown.convert("RGB")
    if shown is image or shown.mode != mode:
        shown = shown.convert(mode)  # which copies
    shown.info = {}  # what was noted there is done
    return shown


def upright(image: Image.Image) -> Image.Image:
    """Turn or mirror a picture as its EXIF data say; without such data it is returned unchanged."""
    image.load()  # a TIFF is turned by Pillow itself here
    turn = TURNS.get(orientation(image))
    if turn is None:
        return image
    turned = image.transpose(turn)
    for note in NOTES:  # so that nobody turns it again
        turned.info.pop(note, None)
    return turned


def orientation(image: Image.Image) -> int:
    """Return EXIF's number, 1 to 8, for how a picture lies; 1 is upright, or unknown."""
    try:
        number = image.getexif().get(ORIENTATION)
    except Exception:  # damaged EXIF data do not damage the picture
        return 1
    return number if isinstance(number, int) and 1 <= number <= 8 else 1


def eight_bit(image: Image.Image) -> Image.Image:
    """Return a picture whose values are 0 to 255; those with more bits are grey.

    16-bit values are divided by 257, which takes 65,535 to 255. What white is in whole numbers of
    32 bits and in floating-point numbers stands in no file: it is the smallest of 1 (for the latter
    alone), 255 and 65,535 that no value exceeds.

    Raises:
        UnreadableImageError: the values are negative, larger, or not numbers.
    """
    if not image.mode.startswith(("I", "F")):
        return image
    factor, grey = np.float32(255 / white_of(image)), np.empty(image.size[::-1], np.uint8)
    clear = image.info.get("transparency")  # the one value that is transparent
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
    """Return a picture's values a few rows at a time, which needs little memory besides."""
    for top in range(0, image.height, ROWS):
        box = (0, top, image.width, min(top + ROWS, image.height))
        yield top, np.asarray(image.crop(box))


def white_of(image: Image.Image) -> int:
    """Return the value of white in a deep picture; see ``eight_bit``."""
    if image.mode.startswith("I;16"):
        return DEEP
    extremes = [(values.min(), values.max()) for _, values in bands(image)]
    low, high = np.min(extremes), np.max(extremes)
    if image.mode == "I" and image.format in ALWAYS_DEEP and high <= DEEP:
        return DEEP
    if not (low >= 0 and high <= DEEP):  # also where one is not a number
        raise UnreadableImageError(
            f"has pixels with values from {low:g} to {high:g}; they must be 0 to 1, 0 to 255 or "
            f"0 to 65,535"
        )
    if image.mode == "F" and high <= 1:
        return 1
    return 255 if high <= 255 else DEEP


def is_negative(image: Image.Image) -> bool:
    """Tell whether a deep TIFF calls 0 white, which Pillow turns round for 8 bits alone."""
    return getattr(image, "tag_v2", {}).get(PHOTOMETRIC) == 0


def on_white(image: Image.Image) -> Image.Image:
    """Lay a picture with transparent parts on white; without them it is returned unchanged."""
    if not image.has_transparency_data:
        return image
    is_grey = image.mode in ("1", "L", "LA", "La")
    if image.mode not in ("LA", "RGBA"):
        image = image.convert("LA" if is_grey else "RGBA")
    white = Image.new("L" if is_grey else "RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def read_image(file: str, size: tuple[int, int], channels: int = 3) -> np.ndarray:
    """Return the middle of an image, as large as it can be in the proportions of ``size``.

    Args:
        size: height and width of what is returned.

    Returns:
        (channels, height, width) uint8.

    Raises:
        UnreadableImageError: as ``open_image``.
    """
    height, width = size
    return to_array(middle(open_image(file, channels, (2 * height, 2 * width)), size))


def middle(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Cut out the middle of an image and resize it."""
    height, width = size
    if image.size == (width, height):
        return image
    scale = min(image.width / width, image.height / height)
    across, down = round(width * scale), round(height * scale)
    left, top = (image.width - across) // 2, (image.height - down) // 2
    box = (left, top, left + across, top + down)
    return image.resize((width, height), Image.Resampling.BICUBIC, box=box)


def to_array(image: Image.Image) -> np.ndarray:
    """Return (channels, height, width) uint8."""
    pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
