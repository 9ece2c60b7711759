"""One image file, which may be damaged, huge or no image at all."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image

MOST_PIXELS = 64_000_000  # of one image; a file of a few kilobytes may claim thousands of millions
MODES = {1: "L", 3: "RGB"}  # by the number of channels


class UnreadableImage(ValueError):
    """A file that is no image that can be read; the message says why in one sentence."""


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow's warnings about single files off the terminal; they are skipped and counted.

    For the whole process, so it stands around all threads that read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def open_image(file: str, channels: int, at_least: tuple[int, int] | None = None) -> Image.Image:
    """Read an image file in grey or colour.

    Args:
        at_least: height and width below which a JPEG need not be decoded in full, which saves time.

    Raises:
        UnreadableImage: it is no image, not a whole one, or larger than ``MOST_PIXELS``.
    """
    too_large = UnreadableImage(f"{file} has more than {MOST_PIXELS:,} pixels")
    try:
        with Image.open(file) as opened:  # which reads the header alone
            if opened.width * opened.height > MOST_PIXELS:
                raise too_large
            if at_least is not None:
                opened.draft(None, (at_least[1], at_least[0]))
            return opened.convert(MODES[channels])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_large from None
    except UnreadableImage:
        raise
    except Exception as error:  # a decoder may raise anything about a damaged file
        raise UnreadableImage(f"{file} cannot be read: {error}") from None


def read_image(file: str, size: tuple[int, int], channels: int = 3) -> np.ndarray:
    """Return the middle of an image, as large as it can be in the proportions of ``size``.

    Args:
        size: height and width of what is returned.

    Returns:
        (channels, height, width) uint8.

    Raises:
        UnreadableImage: as ``open_image``.
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
