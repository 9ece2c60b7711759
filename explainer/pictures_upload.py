"""A visitor's file to a picture: every format and every trap that a file can hold."""

import struct
import warnings
from dataclasses import dataclass
from io import BytesIO
from threading import Lock

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from explainer.pictures_prepare import UnusablePictureError, centred, ink_of

MOST_BYTES = 5 * 1024**2
MOST_PIXELS = 25_000_000
KEPT = 512  # pixels of the longer side; the model gets 28
FORMATS = ("PNG", "JPEG", "WEBP")
# what Pillow raises for files that are damaged in one way or another
DAMAGED = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    AttributeError,
    struct.error,
)
BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)

one_at_a_time = Lock()  # a decoded photograph is large, and visitors may send theirs together


@dataclass(frozen=True)
class Upload:
    """A file on its way to the model.

    Attributes:
        original: (height, width, 3) uint8, turned upright, reduced, on white.
        grey: (height, width) uint8.
        ink: the same size, white ink on black.
        pixels: (28, 28) uint8, what the model gets.
        done: names of what had to be done to the file, in order.
    """

    original: np.ndarray
    grey: np.ndarray
    ink: np.ndarray
    pixels: np.ndarray
    done: tuple[str, ...]


def read_upload(content: bytes) -> Upload:
    """Read a PNG, JPEG or WebP file, whatever it is called, and prepare it for the model.

    Raises:
        UnusablePictureError: the file has no picture, none that is small enough, or no ink in it.
    """
    original, grey, done = opened(content)
    ink = ink_of(grey)
    done.append("inverted" if ink.inverted else "kept")
    return Upload(original, grey, ink.values, centred(ink.values), tuple(done))


def read_photograph(content: bytes) -> np.ndarray:
    """Read a PNG, JPEG or WebP file in colour, (height, width, 3) uint8, upright and reduced.

    Raises:
        UnusablePictureError: the file has no picture, or none that is small enough.
    """
    return opened(content)[0]


def opened(content: bytes) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return what ``decoded`` does, of a file whose size is checked, one file at a time."""
    if not content:
        raise UnusablePictureError("empty")
    if len(content) > MOST_BYTES:
        raise UnusablePictureError("heavy")
    with one_at_a_time, warnings.catch_warnings():
        # a damaged note on how the camera was held does not damage the picture
        warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
        return decoded(content)


def decoded(content: bytes) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return a file's picture in colour and in grey, and what had to be done to it."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise UnusablePictureError("large")
            try:
                return upright(image)
            except UnusablePictureError:
                raise
            except (*DAMAGED, MemoryError) as error:
                raise UnusablePictureError("damaged") from error
    except BOMB as error:
        raise UnusablePictureError("large") from error
    except UnidentifiedImageError as error:
        raise UnusablePictureError("unknown") from error
    except UnusablePictureError:
        raise
    except DAMAGED as error:
        raise UnusablePictureError("damaged") from error


def upright(image: Image.Image) -> tuple[np.ndarray, np.ndarray, list[str]]:
    done = []
    if getattr(image, "is_animated", False) and image.format != "MPO":  # a photo with a preview
        image.seek(0)
        done.append("first_frame")
    image.draft("RGB", (KEPT, KEPT))  # a JPEG need not be decoded in full
    image.load()
    turn = ImageOps.exif_transpose if orientation(image) != 1 else None
    if image.mode in ("1", "P", "PA"):  # which only have colours to choose from
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image.thumbnail((KEPT, KEPT), Image.Resampling.BOX)
    if turn:
        image = turn(image)
        done.append("turned")
    if image.mode.startswith("I"):
        image = from_deep(image)
        done.append("deep")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getextrema()[3][0] < 255:
            done.append("transparent")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    colour = image.convert("RGB")
    return np.asarray(colour), np.asarray(colour.convert("L")), done


def orientation(image: Image.Image) -> int:
    """Return how a camera was held, 1 if upright or unknown."""
    try:
        return int(image.getexif().get(0x0112, 1))
    except DAMAGED:
        return 1


def from_deep(image: Image.Image) -> Image.Image:
    """Return 16-bit grey as 8-bit grey."""
    values = np.asarray(image).astype(np.float64)
    return Image.fromarray(np.rint(np.clip(values, 0, 65_535) / 257).astype(np.uint8))
