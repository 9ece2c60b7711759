"""A visitor's file to a picture: every format and every trap that a file can hold."""

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
# bytes for each pixel of what can only be decoded whole, by Pillow's mode; RGB takes four there
TAKEN = {"1": 2, "L": 1, "P": 9, "PA": 9, "LA": 8, "RGB": 4, "RGBA": 8}
TAKEN_DEEP = 3
TAKEN_BY_WEBP = 16  # measured
TAKEN_IN_PASSES = 4  # by a JPEG whose decoder keeps all passes
ROUGH = 1024  # pixels to which a JPEG's decoder may reduce it while it reads
READ = 768  # pixels of the longer side that are kept, of which a part can be cut out
KEPT = 512  # pixels of the longer side; the model gets 28
FORMATS = ("PNG", "JPEG", "WEBP")
HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
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
ONE_COLOUR = 40  # grey levels that the visible part of a drawing may span
PALE = 100  # grey level above which such a drawing is faint on white

one_at_a_time = Lock()  # a decoded photograph is large, and visitors may send theirs together


@dataclass(frozen=True)
class Photo:
    """A file's picture, turned upright and reduced.

    Attributes:
        colour: (height, width, 3) uint8, on white.
        alpha: (height, width) uint8 where something is transparent, else None.
        done: names of what had to be done to the file, in order.
    """

    colour: np.ndarray
    alpha: np.ndarray | None
    done: tuple[str, ...]


@dataclass(frozen=True)
class Upload:
    """A file on its way to the model; all but the last picture are of one size.

    Attributes:
        original: (height, width, 3) uint8, turned upright, reduced, on white.
        grey: (height, width) uint8, in which ink was looked for.
        paper: uint8, how bright the paper was taken to be at each place.
        contrast: uint8, by how much each place differs from the paper.
        ink: uint8, white ink on black.
        pixels: (28, 28) uint8, what the model gets.
        done: names of what had to be done to the file, in order.
    """

    original: np.ndarray
    grey: np.ndarray
    paper: np.ndarray
    contrast: np.ndarray
    ink: np.ndarray
    pixels: np.ndarray
    done: tuple[str, ...]


def read_upload(content: bytes) -> Upload:
    """Read a PNG, JPEG or WebP file, whatever it is called, and prepare it for the model.

    Raises:
        UnusablePictureError: the file has no picture, none that is small enough, or no ink in it.
    """
    return prepare(read_photo(content))


def read_photograph(content: bytes) -> np.ndarray:
    """Read a PNG, JPEG or WebP file in colour, (height, width, 3) uint8, upright and reduced.

    Raises:
        UnusablePictureError: the file has no picture, or none that is small enough.
    """
    image = Image.fromarray(read_photo(content).colour)
    image.thumbnail((KEPT, KEPT), Image.Resampling.BOX)
    return np.asarray(image)


def prepare(photo: Photo, adjustment: Adjustment = AS_FOUND) -> Upload:
    """Find the digit in a picture and make of it what the model gets.

    Raises:
        UnusablePictureError: there is no ink in it that could be a digit.
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
    """Return a drawing in one pale colour on nothing as dark ink on white, else None.

    White paper would swallow it; where it is opaque, there is its ink.
    """
    most = int(alpha.max())  # a marker's ink may be nowhere opaque
    if not most:
        return None
    # thin ink on a page of which only the corners are transparent takes very little of it
    low, middle, high = np.percentile(grey[alpha >= 0.9 * most], (0.1, 50, 99.9))
    return 255 - alpha if high - low < ONE_COLOUR and middle > PALE else None


def turned_and_cut(values: np.ndarray, adjustment: Adjustment) -> np.ndarray:
    """Return a picture as its visitor corrected it, in the size in which ink is looked for."""
    image = Image.fromarray(adjusted(values, adjustment))
    image.thumbnail((KEPT, KEPT), Image.Resampling.BOX)
    return enlarged(np.asarray(image))


def read_photo(content: bytes) -> Photo:
    """Read a PNG, JPEG or WebP file, whatever it is called, one file at a time.

    Raises:
        UnusablePictureError: the file has no picture, or none that is small enough.
    """
    if not content:
        raise UnusablePictureError("empty")
    if len(content) > MAX_BYTES:
        raise UnusablePictureError("heavy")
    if content[4:8] == b"ftyp" and content[8:12] in HEIC:
        raise UnusablePictureError("heic")
    with one_at_a_time, warnings.catch_warnings():
        # a damaged note on how the camera was held does not damage the picture
        warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
        return decoded(content)


def decoded(content: bytes) -> Photo:
    """Return a file's picture, and what had to be done to it."""
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
    """Refuse what would take too much memory, before it is decoded.

    A JPEG's decoder reduces it while it reads, so that it takes little.
    """
    pixels = image.width * image.height
    if pixels > MOST_PIXELS:
        raise UnusablePictureError("large")
    if image.format in ("JPEG", "MPO"):
        each = TAKEN_IN_PASSES if image.info.get("progressive") else 0
    elif image.format == "WEBP":
        each = TAKEN_BY_WEBP
    else:
        each = TAKEN_DEEP if image.mode.startswith("I") else TAKEN.get(image.mode, 8)
    if pixels * each > MAX_DECODED_BYTES:
        raise UnusablePictureError("whole")


def shown(image: Image.Image) -> Photo:
    """Return a picture as people see it, reduced before it is turned, which saves memory."""
    done = []
    if getattr(image, "is_animated", False) and image.format != "MPO":  # a photo with a preview
        image.seek(0)
        done.append("first_frame")
    image.draft("RGB", (ROUGH, ROUGH))  # a JPEG need not be decoded in full
    image.load()
    if orientation(image) != 1:
        done.append("turned")
    if image.mode.startswith("I"):
        done.append("deep")
    exif, image = image.getexif(), eight_bit(image)
    if image.mode == "1":
        image = image.convert("L")
    if image.mode in ("P", "PA") or "transparency" in image.info:
        # the first only have colours to choose from; of the others, one colour is transparent
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image.thumbnail((READ, READ), Image.Resampling.BOX)
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
