"""Converts a visitor's own picture to text for a link, and back.

A link has room for 16 grey levels. So the model also sees the picture with 16 levels, and the link
reproduces exactly the same numbers.
"""

import base64
import binascii
import zlib

import numpy as np

SIDE = 28  # pixels
LEVELS = 16
STEP = 255 // (LEVELS - 1)  # between two grey levels
VERSION = 1
BROKEN = "this text is not a picture that this app has written"


def quantise(pixels: np.ndarray) -> np.ndarray:
    """Round uint8 pixels to the nearest of 16 levels from 0 to 255."""
    return (np.rint(pixels / STEP) * STEP).astype(np.uint8)


def encode(pixels: np.ndarray) -> str:
    """Return a picture as URL-safe text of at most 550 characters.

    Args:
        pixels: (28, 28) uint8; other levels than the 16 are rounded to them.

    Raises:
        ValueError: the pixels are not uint8 of that shape.
    """
    if pixels.shape != (SIDE, SIDE) or pixels.dtype != np.uint8:
        raise ValueError(
            f"a picture must be uint8 of shape (28, 28), not {pixels.dtype} of {pixels.shape}"
        )
    levels = (quantise(pixels) // STEP).reshape(-1, 2)
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    packed = packer.compress((levels[:, 0] * LEVELS + levels[:, 1]).tobytes()) + packer.flush()
    return base64.urlsafe_b64encode(bytes([VERSION]) + packed).decode().rstrip("=")


def decode(text: str) -> np.ndarray:
    """Return the picture (28, 28) uint8 of a text from ``encode``; the text may be a stranger's.

    Raises:
        ValueError: the text is not such a picture, or a newer version of the app wrote it.
    """
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(BROKEN) from error
    if content and content[0] > VERSION:
        raise ValueError("this picture was written by a newer version of this app")
    if not content or content[0] != VERSION:
        raise ValueError(BROKEN)
    unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    size = SIDE * SIDE // 2
    try:
        # at most one byte more than a picture has, however large the unpacked text would be
        packed = unpacker.decompress(content[1:], max_length=size + 1)
    except zlib.error as error:
        raise ValueError(BROKEN) from error
    if len(packed) != size or not unpacker.eof or unpacker.unused_data:
        raise ValueError(BROKEN)
    pairs = np.frombuffer(packed, dtype=np.uint8)
    levels = np.stack([pairs // LEVELS, pairs % LEVELS], axis=1)
    return (levels * STEP).astype(np.uint8).reshape(SIDE, SIDE)


def is_picture(text: str) -> bool:
    """Return whether ``decode`` can read a text."""
    try:
        decode(text)
    except ValueError:
        return False
    return True
