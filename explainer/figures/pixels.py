"""Arrays as small pictures: one value, one pixel; a style sheet says how they are enlarged."""

import base64
import struct
import zlib

import numpy as np

from explainer.figures.theme import SEQUENTIAL

GREY = ["#000000", "#ffffff"]
LARGEST_PIXELATED = 96  # pixels: a larger image is a photograph, which is smoothed when enlarged


def palette(stops: list[str]) -> np.ndarray:
    """Return 256 colours (256, 3) uint8 along a colour map whose stops are evenly spaced."""
    colours = np.array(
        [[int(stop[start : start + 2], 16) for start in (1, 3, 5)] for stop in stops]
    )
    positions = np.linspace(0, len(stops) - 1, 256)
    channels = [
        np.interp(positions, range(len(stops)), colours[:, channel]) for channel in range(3)
    ]
    return np.stack(channels, axis=1).round().astype(np.uint8)


def shades(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return each value's place between ``low`` (0) and ``high`` (255), clipped, as uint8.

    Raises:
        ValueError: a value is not finite.
    """
    if not np.isfinite(values).all():
        raise ValueError("a picture needs finite numbers, and some are infinite or not a number")
    span = (high - low) or 1.0
    return (np.clip((values - low) / span, 0.0, 1.0) * 255).round().astype(np.uint8)


def png(indices: np.ndarray, colours: np.ndarray, clear: np.ndarray | None = None) -> bytes:
    """Encode (height, width) indices into 256 ``colours`` (256, 3) as a PNG.

    Args:
        clear: (height, width) bool, where nothing is painted; takes the colour 0 from the rest.
    """
    height, width = indices.shape
    transparency = b""
    if clear is not None:
        indices = np.where(clear, 0, np.maximum(indices, 1)).astype(np.uint8)
        transparency = chunk(b"tRNS", b"\0")
    lines = np.concatenate([np.zeros((height, 1), np.uint8), indices], axis=1)  # 0: no filter
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            chunk(b"PLTE", colours.tobytes()),
            transparency,
            chunk(b"IDAT", zlib.compress(lines.tobytes(), 6)),
            chunk(b"IEND", b""),
        )
    )


def colour_png(pixels: np.ndarray) -> bytes:
    """Encode (height, width, 3) uint8, 1 for grey, or 4 with opacity, as a PNG."""
    height, width, channels = pixels.shape
    kind = {1: 0, 3: 2, 4: 6}[channels]  # as the format numbers them
    lines = np.zeros((height, 1 + channels * width), np.uint8)  # each begins with 0: no filter
    lines[:, 1:] = pixels.reshape(height, -1)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)),
            chunk(b"IDAT", zlib.compress(lines.tobytes(), 6)),
            chunk(b"IEND", b""),
        )
    )


def chunk(name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def data_uri(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


def image_address(pixels: np.ndarray) -> str:
    """Return the address of grey (height, width) or coloured (height, width, 3) uint8 pixels."""
    if pixels.ndim == 2:
        return grey_image(pixels)
    return data_uri(colour_png(pixels))


def is_smooth(pixels: np.ndarray) -> bool:
    """Whether an image is smoothed when it is enlarged, as a photograph is."""
    return pixels.shape[1] > LARGEST_PIXELATED


def rendering(pixels: np.ndarray) -> str:
    """Return CSS's ``image-rendering`` for an image."""
    return "auto" if is_smooth(pixels) else "pixelated"


def around_grey(values: np.ndarray, limit: float) -> np.ndarray:
    """Return signed numbers as brightness, uint8: 0 is mid-grey, ``limit`` white, -``limit`` black.

    With three of them for each pixel, as red, green and blue, these are colours.

    Raises:
        ValueError: a number is not finite.
    """
    return shades(values, -limit, limit)


def grey_image(pixels: np.ndarray) -> str:
    """Return pixels (height, width) uint8 as a grey picture's address."""
    return data_uri(colour_png(pixels[..., None]))


def pieces(patches: np.ndarray, grid: tuple[int, int], patch: tuple[int, int]) -> str:
    """Return flattened patches, put back in their places with gaps between them.

    Args:
        patches: (P, ph·pw), of which the least value of all is black and the largest white; or
            (P, 3·ph·pw) uint8, all red values first, then green, then blue.
    """
    (rows, columns), (height, width) = grid, patch
    if patches.shape[1] == 3 * height * width:
        return colour_pieces(patches.reshape(rows, columns, 3, height, width))
    tiles = patches.reshape(rows, columns, height, width)
    apart = np.full((rows, columns, height + 1, width + 1), np.nan)
    apart[:, :, :height, :width] = tiles
    sheet = apart.transpose(0, 2, 1, 3).reshape(rows * (height + 1), columns * (width + 1))
    sheet = sheet[:-1, :-1]
    gaps = np.isnan(sheet)
    painted = shades(np.where(gaps, 0.0, sheet), float(patches.min()), float(patches.max()))
    return data_uri(png(painted, palette(GREY), clear=gaps))


def colour_pieces(tiles: np.ndarray) -> str:
    """Return coloured patches (rows, columns, 3, ph, pw) uint8 in their places, with gaps."""
    rows, columns, _, height, width = tiles.shape
    gap = max(1, height // 7)  # to be seen beside many pixels
    apart = np.zeros((rows, columns, height + gap, width + gap, 4), np.uint8)
    apart[:, :, :height, :width, :3] = tiles.transpose(0, 1, 3, 4, 2)
    apart[:, :, :height, :width, 3] = 255
    sheet = apart.transpose(0, 2, 1, 3, 4).reshape(rows * (height + gap), -1, 4)
    return data_uri(colour_png(sheet[:-gap, :-gap]))


def weights_matrix(weights: np.ndarray) -> str:
    """Return (rows, columns) of weights in the sequential map, from 0 to the largest."""
    return data_uri(png(shades(weights, 0.0, float(weights.max())), palette(SEQUENTIAL)))
