"""A few pictures of a model's own validation set, which travel in its checkpoint.

Whoever looks at the model elsewhere sees it on pictures of the kind that it was trained for.
"""

import base64
import json
import zlib
from dataclasses import dataclass
from math import prod
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional

from vit_core.config import ViTConfig
from vit_core.data.sets import Images
from vit_core.storage.strict_json import parse_json

MOST = 12  # pictures
LARGEST_SIDE = 96  # pixels; larger pictures are made smaller
MOST_TEXT = 128 * 1024  # characters; a page takes twice as many of a whole header


@dataclass(frozen=True)
class SamplePictures:
    """Pictures with their classes.

    Attributes:
        images: (n, channels, height, width) uint8; index 0 is the first picture.
        labels: the class of each.
    """

    images: Tensor
    labels: tuple[int, ...]

    def to_json(self) -> str:
        """Return them as text, without the last ones where they would take too long a text."""
        for count in range(len(self.labels), 0, -1):
            packed = zlib.compress(self.images[:count].numpy().tobytes(), 9)
            if 4 * len(packed) <= 3 * MOST_TEXT or count == 1:
                break
        return json.dumps(
            {
                "shape": list(self.images[:count].shape),
                "labels": list(self.labels[:count]),
                "pixels": base64.b64encode(packed).decode(),
            }
        )

    @classmethod
    def from_json(cls, text: str, config: ViTConfig) -> Self:
        """Read what ``to_json`` wrote, which anybody may have changed.

        Raises:
            ValueError: it is something else, or does not fit the model.
        """
        try:
            values = parse_json(text)
            shape, labels = tuple(values["shape"]), tuple(values["labels"])
            packed = base64.b64decode(values["pixels"], validate=True)
        except (KeyError, TypeError) as error:
            raise ValueError(f"a value is missing or of another type: {error}") from None
        if not all(type(number) is int for number in (*shape, *labels)) or len(shape) != 4:
            raise ValueError("shape and labels must be whole numbers")
        count, channels, *sides = shape
        if not 1 <= count <= MOST or channels != config.in_channels or len(labels) != count:
            raise ValueError(f"it needs 1 to {MOST} pictures of {config.in_channels} channels")
        if not all(1 <= side <= LARGEST_SIDE for side in sides):
            raise ValueError(f"pictures have at most {LARGEST_SIDE} pixels a side")
        if not all(0 <= label < max(1, config.num_classes) for label in labels):
            raise ValueError("a picture is of a class that the model does not have")
        unpacker = zlib.decompressobj()
        try:
            pixels = unpacker.decompress(packed, prod(shape) + 1)  # never more than it says
        except zlib.error as error:
            raise ValueError(str(error)) from None
        if len(pixels) != prod(shape):
            raise ValueError("there are more or fewer pixels than the shape says")
        images = torch.frombuffer(bytearray(pixels), dtype=torch.uint8).reshape(shape)
        return cls(images, labels)


def sample_pictures(images: Images) -> SamplePictures | None:
    """Choose pictures of as many classes as there are, the first of each class first.

    Args:
        images: of the validation set.
    """
    labels = images.labels.tolist()
    places: dict[int, list[int]] = {}
    for place, label in enumerate(labels):
        places.setdefault(label, []).append(place)
    rounds = max(map(len, places.values()), default=0)
    chosen = [
        places[label][turn]
        for turn in range(min(rounds, MOST))
        for label in sorted(places)
        if turn < len(places[label])
    ][:MOST]
    if not chosen:
        return None
    found = made_smaller(images.at(chosen).cpu())
    return SamplePictures(found, tuple(labels[place] for place in chosen))


def made_smaller(images: Tensor) -> Tensor:
    """Return pictures of which no side has more than ``LARGEST_SIDE`` pixels.

    Args:
        images: (n, channels, height, width) uint8.
    """
    longest = max(images.shape[-2:])
    if longest <= LARGEST_SIDE:
        return images.contiguous()
    size = tuple(max(1, side * LARGEST_SIDE // longest) for side in images.shape[-2:])
    smaller = functional.interpolate(images.float(), size=size, mode="bilinear", antialias=True)
    return smaller.round().clamp(0, 255).to(torch.uint8)
