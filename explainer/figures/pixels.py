"""Arrays as small pictures: one value, one pixel; the browser enlarges them without smoothing."""

import base64
import struct
import zlib

import numpy as np

from explainer.theme import DIVERGING, SEQUENTIAL

GREY = ["#000000", "#ffffff"]


def palette(stops: list[str]) -> np.ndarray:
    """Return 256 colours (256, 3) uint8 along a colour map whose stops are evenly spaced."""
    colours = np.array([[int(stop[at : at + 2], 16) for at in (1, 3, 5)] for stop in stops])
    places = np.linspace(0, len(stops) - 1, 256)
    channels = [np.interp(places, range(len(stops)), colours[:, channel]) for channel in range(3)]
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
    """Encode (height, width, 3) uint8 as a PNG."""
    height, width, _ = pixels.shape
    lines = np.zeros((height, 1 + 3 * width), np.uint8)  # each begins with 0: no filter
    lines[:, 1:] = pixels.reshape(height, -1)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
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


def grey_image(pixels: np.ndarray) -> str:
    """Return pixels (height, width) uint8 as a grey picture's address."""
    return data_uri(png(pixels, palette(GREY)))


def pieces(patches: np.ndarray, grid: tuple[int, int], patch: tuple[int, int]) -> str:
    """Return flattened grey patches (P, ph·pw), put back in their places with gaps between them.

    The least value of all is black, the largest white.
    """
    (rows, columns), (height, width) = grid, patch
    tiles = patches.reshape(rows, columns, height, width)
    apart = np.full((rows, columns, height + 1, width + 1), np.nan)
    apart[:, :, :height, :width] = tiles
    sheet = apart.transpose(0, 2, 1, 3).reshape(rows * (height + 1), columns * (width + 1))
    sheet = sheet[:-1, :-1]
    gaps = np.isnan(sheet)
    painted = shades(np.where(gaps, 0.0, sheet), float(patches.min()), float(patches.max()))
    return data_uri(png(painted, palette(GREY), clear=gaps))


def signed_matrix(values: np.ndarray) -> str:
    """Return (rows, columns) in the diverging map, from minus to plus the largest size."""
    limit = float(np.abs(values).max()) or 1.0
    return data_uri(png(shades(values, -limit, limit), palette(DIVERGING)))


def weights_matrix(weights: np.ndarray) -> str:
    """Return (rows, columns) of weights in the sequential map, from 0 to the largest."""
    return data_uri(png(shades(weights, 0.0, float(weights.max())), palette(SEQUENTIAL)))
