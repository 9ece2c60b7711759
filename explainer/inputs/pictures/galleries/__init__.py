"""The shipped pictures, and how a picture is fitted to a model."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from explainer.state.choice import DIGITS
from vit_core import ViTConfig
from vit_core.data import DataInfo

CIFAR = "cifar10"
PHOTOGRAPHS = "photographs"
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Sample:
    """A shipped picture.

    Attributes:
        name: of its file, and of its class if it has one.
        gallery: to which it belongs.
    """

    name: str
    gallery: str

    def open(self) -> Image.Image:
        """Return the picture in its original size, in colour."""
        with Image.open(HERE / self.gallery / f"{self.name}.jpg") as image:
            return image.convert("RGB")


@cache
def samples(gallery: str) -> tuple[Sample, ...]:
    """Return the pictures of a gallery, ordered by name; none for the digits."""
    files = sorted((HERE / gallery).glob("*.jpg")) if gallery != DIGITS else []
    return tuple(Sample(file.stem, gallery) for file in files)


def gallery_of(config: ViTConfig, info: DataInfo) -> str:
    """Return the gallery whose pictures are most like the data that a model was trained on."""
    if info.name == "mnist" and (config.in_channels, *config.image_hw) == (1, 28, 28):
        return DIGITS
    return CIFAR if info.name == CIFAR and config.in_channels == 3 else PHOTOGRAPHS


def label_of(sample: Sample, class_names: tuple[str, ...]) -> int | None:
    """Return the true class of a picture; None if the model has no class of that name."""
    if sample.gallery != CIFAR or sample.name not in class_names:
        return None
    return class_names.index(sample.name)


def fitted(image: Image.Image, config: ViTConfig) -> np.ndarray:
    """Return the middle of a picture in the size that the model takes.

    It is cut around the centre to the model's proportions, then resized (bicubic, antialiased).

    Returns:
        (height, width) uint8 for one channel, (height, width, 3) for three.
    """
    height, width = config.image_hw
    scale = min(image.width / width, image.height / height)
    across, down = width * scale, height * scale
    left, top = (image.width - across) / 2, (image.height - down) / 2
    if image.size != (width, height):
        image = image.resize(
            (width, height),
            Image.Resampling.BICUBIC,
            box=(left, top, left + across, top + down),
        )
    return np.asarray(image.convert("L" if config.in_channels == 1 else "RGB"))
