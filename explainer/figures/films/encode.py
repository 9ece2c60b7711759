"""Frames become a file that plays: GIF with one palette for all, or WebP."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from PIL import Image

KINDS = ("gif", "webp")
COLOURS = 255  # of a GIF's palette
EXACT = 31  # of them: the most frequent ones, such as the ground and the letters
SAMPLES = 8  # frames from which the palette is taken
QUALITY = 90  # of a WebP of photographs


@dataclass(frozen=True)
class Frames:
    """What a film consists of.

    Attributes:
        images: all of one size.
        milliseconds: for which each is shown.
        is_flat: whether there are only few colours, and no photograph.
    """

    images: Sequence[Image.Image]
    milliseconds: Sequence[int]
    is_flat: bool


def with_words(images: Sequence[Image.Image], words: np.ndarray) -> list[Image.Image]:
    """Return frames with the same words below each.

    Args:
        words: (height, width, 3) uint8, as wide as the frames.
    """
    below = Image.fromarray(words)
    made = []
    for image in images:
        whole = Image.new("RGB", (image.width, image.height + below.height), "white")
        whole.paste(image, (0, 0))
        whole.paste(below, (0, image.height))
        made.append(whole)
    return made


def encode(frames: Frames, kind: str, about: str) -> bytes:
    """Return the file; it plays again and again.

    Args:
        kind: of ``KINDS``.
        about: what the film says of itself, in its metadata.

    Raises:
        ValueError: there is no such kind, or there are no frames.
    """
    if kind not in KINDS:
        raise ValueError(f"a film is saved as one of {', '.join(KINDS)}, not {kind}")
    if not frames.images:
        raise ValueError("a film needs a frame")
    return gif(frames, about) if kind == "gif" else webp(frames, about)


def gif(frames: Frames, about: str) -> bytes:
    """Return a GIF; flat colours stay flat and exact, since nothing is dithered."""
    colours = palette(frames.images)
    first, *others = [painted(image, colours) for image in frames.images]
    return saved(
        first,
        others,
        format="GIF",
        duration=list(frames.milliseconds),
        loop=0,
        comment=about.encode("utf-8")[:4096],
        disposal=1,
        optimize=False,
    )


def palette(images: Sequence[Image.Image]) -> np.ndarray:
    """Return one palette for all frames, taken from some of them, (n, 3) uint8.

    The most frequent colours come first.
    """
    chosen = [images[at] for at in sorted({*np.linspace(0, len(images) - 1, SAMPLES, dtype=int)})]
    beside = Image.fromarray(np.concatenate([np.asarray(image) for image in chosen]))
    mixed = beside.quantize(COLOURS - EXACT, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    values, counts = np.unique(coded(np.asarray(beside)), return_counts=True)
    frequent = values[np.argsort(-counts, kind="stable")[:EXACT]]
    exact = np.stack([frequent >> 16, frequent >> 8 & 255, frequent & 255], axis=1)
    others = np.array(mixed.getpalette(), np.int64).reshape(-1, 3)[: COLOURS - EXACT]
    return np.concatenate([exact, others]).astype(np.uint8)


def painted(image: Image.Image, colours: np.ndarray) -> Image.Image:
    """Return a frame in the colours of a palette."""
    having = Image.new("P", (1, 1))
    having.putpalette(colours.tobytes())
    near = np.array(image.quantize(palette=having, dither=Image.Dither.NONE))
    # the search for the nearest colour is a little coarse; where there is the very colour, take it
    exact = coded(colours[:EXACT])
    order = np.argsort(exact)
    codes = coded(np.asarray(image))
    at = order[np.minimum(np.searchsorted(exact, codes, sorter=order), len(exact) - 1)]
    indices = np.where(exact[at] == codes, at, near).astype(np.uint8)
    made = Image.frombytes("P", image.size, indices.tobytes())
    made.putpalette(colours.tobytes())
    return made


def coded(pixels: np.ndarray) -> np.ndarray:
    """Return colours (…, 3) as whole numbers."""
    red, green, blue = (pixels[..., channel].astype(np.int32) for channel in range(3))
    return red << 16 | green << 8 | blue


def webp(frames: Frames, about: str) -> bytes:
    """Return a WebP: exact where the colours are flat, else in high quality."""
    exif = Image.Exif()
    exif[0x010E] = about.encode("ascii", "replace").decode()  # ImageDescription
    first, *others = frames.images
    return saved(
        first,
        others,
        format="WEBP",
        duration=list(frames.milliseconds),
        loop=0,
        lossless=frames.is_flat,
        quality=60 if frames.is_flat else QUALITY,  # of a lossless one: how hard it tries
        method=3,
        exif=exif,
        xmp=xmp(about),
    )


def xmp(about: str) -> bytes:
    """Return a description in XMP, which has all letters."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">'
        f"{escape(about, quote=False)}"
        "</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def saved(first: Image.Image, others: Sequence[Image.Image], **how: Any) -> bytes:
    content = io.BytesIO()
    first.save(content, save_all=True, append_images=list(others), **how)
    return content.getvalue()
