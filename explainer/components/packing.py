"""What the components receive: one block of bytes, a JSON header and arrays behind it.

The layout is: the header's length as a little-endian 32-bit number, the header (UTF-8 JSON, filled
up with spaces), then the arrays, each at a multiple of 4 bytes. The header's ``arrays`` maps each
name to its ``dtype``, ``shape`` and ``offset``. ``shared/data.js`` reads it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explainer.components.colours import component_colours
from explainer.content import load_texts

ALIGNMENT = 4  # bytes
DTYPES = ("uint8", "float32")
CLIPPED_SHARE = 0.01  # of a pattern's cells, drawn in the full colour


@dataclass(frozen=True)
class PackedPatterns:
    """Attention patterns in a quarter of their size.

    Attributes:
        patches: (blocks, heads, N, P) uint8, each query's weights on the patches in 255ths of
            ``scales``.
        scales: (blocks, heads, N) float32, each query's largest weight on a patch.
        prefix: (blocks, heads, N, prefix tokens) float32, the exact weights on the tokens before
            the patches.
        limits: (blocks, heads) float32, the weight from which a cell of the whole pattern has the
            full colour.
    """

    patches: np.ndarray
    scales: np.ndarray
    prefix: np.ndarray
    limits: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            "patterns": self.patches,
            "scales": self.scales,
            "prefix": self.prefix,
            "limits": self.limits,
        }


def pack_patterns(patterns: np.ndarray, num_prefix_tokens: int) -> PackedPatterns:
    """Quantise attention patterns row by row.

    A row's weights on patches become 255ths of its largest one, so no weight is off by more than
    half a 255th of that scale. A class token that draws most of a row would leave the patches few
    steps; so it is kept apart.

    Args:
        patterns: (blocks, heads, N, N), rows are queries; weights from 0 to 1.

    Raises:
        ValueError: the patterns are not square, have no patch, or hold a value that is no weight.
    """
    patterns = np.asarray(patterns, dtype=np.float32)
    if patterns.ndim != 4 or patterns.shape[2] != patterns.shape[3] or not patterns.size:
        raise ValueError(
            f"patterns must be of shape (blocks, heads, N, N), rows queries, not {patterns.shape}"
        )
    if not 0 <= num_prefix_tokens < patterns.shape[3]:
        raise ValueError(
            f"num_prefix_tokens must be from 0 to {patterns.shape[3] - 1}, not {num_prefix_tokens}"
        )
    # NaN fails both comparisons
    if not (patterns.min() >= 0 and patterns.max() <= 1 + 1e-4):
        raise ValueError("patterns must hold attention weights, each from 0 to 1")
    patches = patterns[..., num_prefix_tokens:]
    scales = patches.max(axis=-1)
    # 255 / scale alone would overflow where a class token leaves the patches next to nothing
    levels = 255 * (patches / np.where(scales > 0, scales, 1)[..., None])
    return PackedPatterns(
        patches=np.rint(levels).astype(np.uint8),
        scales=scales,
        prefix=np.ascontiguousarray(patterns[..., :num_prefix_tokens]),
        limits=np.quantile(patterns, 1 - CLIPPED_SHARE, axis=(2, 3), method="lower").astype(
            np.float32
        ),
    )


def unpack_patterns(packed: PackedPatterns) -> np.ndarray:
    """Return the patterns as the browser sees them, (blocks, heads, N, N) float32."""
    patches = packed.patches.astype(np.float32) / 255 * packed.scales[..., None]
    return np.concatenate((packed.prefix, patches), axis=-1)


def pack(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Join a header and arrays.

    Raises:
        ValueError: an array is neither uint8 nor float32, or holds a value that is not finite.
    """
    table, parts, offset = {}, [], 0
    for name, array in arrays.items():
        if array.dtype.name not in DTYPES:
            raise ValueError(f"{name} must be {' or '.join(DTYPES)}, not {array.dtype.name}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds values that are not finite numbers")
        content = filled_up(np.ascontiguousarray(array).tobytes(), b"\0")
        table[name] = {"dtype": array.dtype.name, "shape": list(array.shape), "offset": offset}
        parts.append(content)
        offset += len(content)
    text = filled_up(json.dumps({**header, "arrays": table}, sort_keys=True).encode(), b" ")
    return b"".join((len(text).to_bytes(4, "little"), text, *parts))


def unpack(content: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the header and the arrays of ``pack``."""
    start = 4 + int.from_bytes(content[:4], "little")
    header = json.loads(content[4:start])
    arrays = {
        name: np.frombuffer(
            content,
            dtype=entry["dtype"],
            count=int(np.prod(entry["shape"])),
            offset=start + entry["offset"],
        ).reshape(entry["shape"])
        for name, entry in header.pop("arrays").items()
    }
    return header, arrays


def filled_up(content: bytes, filler: bytes) -> bytes:
    return content + filler * (-len(content) % ALIGNMENT)


def picture_header(
    channel: str, pixels: np.ndarray, grid: tuple[int, int], prefix_names: Sequence[str] = ()
) -> dict[str, Any]:
    """Return what the header of every component says that shows an image under a grid of patches.

    Args:
        channel: on which the component hears what is chosen.
        pixels: (height, width, channels), as ``as_image`` returns them.
        grid: rows and columns of patches.
        prefix_names: of the tokens before the first patch.
    """
    height, width, channels = pixels.shape
    return {
        "channel": channel,
        "rows": grid[0],
        "columns": grid[1],
        "prefix_names": list(prefix_names),
        "image_height": height,
        "image_width": width,
        "channels": channels,
        "one_scale": load_texts("halves")["one_scale"],
        "colours": component_colours(),
    }


def as_image(pixels: np.ndarray) -> np.ndarray:
    """Return ``pixels`` as (height, width, channels) uint8 with 1 or 3 channels.

    Raises:
        ValueError: the pixels are not uint8, or not (height, width) or (height, width, 1 or 3).
    """
    image = pixels[..., None] if pixels.ndim == 2 else pixels
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (1, 3):
        raise ValueError(
            f"an image must be uint8 of shape (height, width) or (height, width, 1 or 3), "
            f"not {pixels.dtype.name} of shape {pixels.shape}"
        )
    return image
