"""Reads a picture from a visitor's file, whatever its format, and however it is damaged."""

import struct
import warnings
from dataclasses import dataclass
from io import BytesIO
from threading import Lock

import numpy as np
from PIL import Image, UnidentifiedImageError

from explainer.inputs.pictures.adjustment import AS_FOUND, Adjustment, adjusted
from explainer.inputs.pictures.prepare import UnusablePictureError, centred, enlarged, ink_of
from vit_core.data.image_file import MOST_PIXELS, eight_bit, on_white, orientation
from vit_core.data.image_file import upright as turned_upright

MAX_BYTES = 24 * 1024**2
MAX_DECODED_BYTES = 200_000_000  # bytes that decoding may take
# bytes for each pixel of a picture that must be decoded whole, by Pillow's mode; RGB takes four
PIXEL_BYTES = {"1": 2, "L": 1, "P": 9, "PA": 9, "LA": 8, "RGB": 4, "RGBA": 8}
PIXEL_BYTES_DEEP = 3
PIXEL_BYTES_WEBP = 16  # measured
PIXEL_BYTES_PROGRESSIVE = 4  # of a JPEG whose decoder keeps all passes
DRAFT_SIDE = 1024  # pixels to which a JPEG's decoder may reduce the picture
PHOTO_SIDE = 768  # pixels of the longer side of a photo, from which a part can be cut
WORK_SIDE = 512  # pixels of the longer side in which ink is looked for; the model gets 28
FORMATS = ("PNG", "JPEG", "WEBP")
HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
# what Pillow raises for damaged files
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
ONE_COLOUR = 40  # grey levels that a drawing in one colour may span
PALE = 100  # grey level above which such a drawing can hardly be seen on white

one_at_a_time = Lock()  # a decoded photograph is large, and several may arrive at once


@dataclass(frozen=True)
class Photo:
    """The picture of a file, turned upright and reduced.

    Attributes:
        colour: (height, width, 3) uint8, on white.
        alpha: (height, width) uint8; None if nothing is transparent.
        done: names of the steps that the file needed, in order.
    """

    colour: np.ndarray
    alpha: np.ndarray | None
    done: tuple[str, ...]


@dataclass(frozen=True)
class Upload:
    """The steps from a file to the model's input; all pictures but the last have the same size.

    Attributes:
        original: (height, width, 3) uint8, turned upright, reduced, on white.
        grey: (height, width) uint8, in which ink was looked for.
        paper: uint8, the estimated brightness of the paper at each pixel.
        contrast: uint8, the difference of each pixel from the paper.
        ink: uint8, white ink on black.
        pixels: (28, 28) uint8, the model's input.
        done: names of the steps that the file needed, in order.
    """

    original: np.ndarray
    grey: np.ndarray
    paper: np.ndarray
    contrast: np.ndarray
    ink: np.ndarray
    pixels: np.ndarray
    done: tuple[str, ...]


def read_upload(content: bytes) -> Upload:
    """Read a PNG, JPEG or WebP file, whatever its name, and prepare it for the model.

    Raises:
        UnusablePictureError: the file has no picture, or the picture is too large or has no ink.
    """
    return prepare(read_photo(content))


def read_photograph(content: bytes) -> np.ndarray:
    """Read a PNG, JPEG or WebP file in colour, (height, width, 3) uint8, upright and reduced.

    Raises:
        UnusablePictureError: the file has no picture, or the picture is too large.
    """
    image = Image.fromarray(read_photo(content).colour)
    image.thumbnail((WORK_SIDE, WORK_SIDE), Image.Resampling.BOX)
    return np.asarray(image)


def prepare(photo: Photo, adjustment: Adjustment = AS_FOUND) -> Upload:
    """Find the digit in a picture and prepare it for the model.

    Raises:
        UnusablePictureError: no ink in it could be a digit.
    """
    colour = turned_and_cut(photo.colour, adjustment)
    alpha = None if photo.alpha is None else turned_and_cut(photo.alpha, adjustment)
    grey, done = np.asarray(Image.fromarray(colour).convert("L")), list(photo.done)
    if alpha is not None and (drawing := drawn(grey, alpha)) is not None:
        grey = drawing
        done[done.index("transparent")] = "alpha"
    ink = ink_of(grey, adjustment.ink, adjustment.more)
    done.append("inverted" if ink.inverted else "kept")
    done += ["ruled"] * ink.is_ruled + ["several"] * ink.is_one_of_several
    pixels = centred(ink.values)
    return Upload(colour, grey, ink.paper, ink.contrast, ink.values, pixels, tuple(done))


def drawn(grey: np.ndarray, alpha: np.ndarray) -> np.ndarray | None:
    """Return a pale drawing on a transparent background as dark ink on white, else None.

    On white paper it could not be seen. Its ink is where the picture is opaque.
    """
    opaque = int(alpha.max())  # a marker's ink may not be fully opaque anywhere
    if not opaque:
        return None
    # on a page with only its corners transparent, thin ink is a very small part of what is visible
    low, middle, high = np.percentile(grey[alpha >= 0.9 * opaque], (0.1, 50, 99.9))
    return 255 - alpha if high - low < ONE_COLOUR and middle > PALE else None


def turned_and_cut(values: np.ndarray, adjustment: Adjustment) -> np.ndarray:
    """Return a picture with the visitor's corrections, in the size in which ink is looked for."""
    image = Image.fromarray(adjusted(values, adjustment))
    image.thumbnail((WORK_SIDE, WORK_SIDE), Image.Resampling.BOX)
    return enlarged(np.asarray(image))


def read_photo(content: bytes) -> Photo:
    """Read a PNG, JPEG or WebP file, whatever its name; only one file is read at a time.

    Raises:
        UnusablePictureError: the file has no picture, or the picture is too large.
    """
    if not content:
        raise UnusablePictureError("empty")
    if len(content) > MAX_BYTES:
        raise UnusablePictureError("heavy")
    if content[4:8] == b"ftyp" and content[8:12] in HEIC:
        raise UnusablePictureError("heic")
    with one_at_a_time, warnings.catch_warnings():
        # a picture can be used although its orientation tag is damaged
        warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
        return decoded(content)


def decoded(content: bytes) -> Photo:
    """Return the picture of a file, with the names of the steps that it needed."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            check_size(image)
            try:
                return shown(image)
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


def check_size(image: Image.Image) -> None:
    """Refuse a picture that would take too much memory, before it is decoded.

    A JPEG's decoder reduces the picture while it reads, so that it takes little memory.
    """
    pixels = image.width * image.height
    if pixels > MOST_PIXELS:
        raise UnusablePictureError("large")
    if image.format in ("JPEG", "MPO"):
        each = PIXEL_BYTES_PROGRESSIVE if image.info.get("progressive") else 0
    elif image.format == "WEBP":
        each = PIXEL_BYTES_WEBP
    else:
        each = PIXEL_BYTES_DEEP if image.mode.startswith("I") else PIXEL_BYTES.get(image.mode, 8)
    if pixels * each > MAX_DECODED_BYTES:
        raise UnusablePictureError("whole")


def shown(image: Image.Image) -> Photo:
    """Return a picture as people see it. It is reduced before it is turned, to save memory."""
    done = []
    # MPO is a photo with a preview
    if getattr(image, "is_animated", False) and image.format != "MPO":
        image.seek(0)
        done.append("first_frame")
    image.draft("RGB", (DRAFT_SIDE, DRAFT_SIDE))  # a JPEG need not be decoded in full
    image.load()
    if orientation(image) != 1:
        done.append("turned")
    if image.mode.startswith("I"):
        done.append("deep")
    exif, image = image.getexif(), eight_bit(image)
    if image.mode == "1":
        image = image.convert("L")
    if image.mode in ("P", "PA") or "transparency" in image.info:
        # P and PA have a palette; in the others, one colour is transparent
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image.thumbnail((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.BOX)
    image.getexif().update(exif)
    image = turned_upright(image)
    alpha = None
    if image.has_transparency_data:
        alpha = np.asarray(image.convert("RGBA").getchannel("A"))
        if alpha.min() < 255:
            done.append("transparent")
        else:
            alpha = None
    return Photo(np.asarray(on_white(image).convert("RGB")), alpha, tuple(done))
