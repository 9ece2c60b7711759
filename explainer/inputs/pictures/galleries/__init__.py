"""The shipped pictures, and how a picture is fitted to a model."""

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from explainer.inputs.pictures.galleries import of_models
from explainer.state.choice import DIGITS
from vit_core import ViTConfig
from vit_core.data import DataInfo
from vit_core.data.kept import OWN_SYMBOLS
from vit_core.data.sample_pictures import SamplePictures

CIFAR = "cifar10"
PHOTOGRAPHS = "photographs"
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Sample:
    """A picture of a gallery.

    Attributes:
        name: of its file, and of its class if it has one.
        gallery: to which it belongs.
        place: among those of a gallery that belongs to one model.
    """

    name: str
    gallery: str
    place: int = 0

    def open(self) -> Image.Image:
        """Return the picture in its original size, in colour."""
        if of_models.is_of_model(self.gallery):
            return of_models.find(self.gallery).open(self.place)
        with Image.open(HERE / self.gallery / f"{self.name}.jpg") as image:
            return image.convert("RGB")


def samples(gallery: str) -> tuple[Sample, ...]:
    """Return the pictures of a gallery; none for the digits."""
    if of_models.is_of_model(gallery):
        names = of_models.find(gallery).names
        return tuple(Sample(name, gallery, place) for place, name in enumerate(names))
    return shipped(gallery)


@cache
def shipped(gallery: str) -> tuple[Sample, ...]:
    """Return the shipped pictures of a gallery, ordered by name."""
    files = sorted((HERE / gallery).glob("*.jpg")) if gallery != DIGITS else []
    return tuple(Sample(file.stem, gallery) for file in files)


def gallery_of(config: ViTConfig, info: DataInfo) -> str:
    """Return the shipped gallery that is most like the data that a model was trained on."""
    if info.name == "mnist" and (config.in_channels, *config.image_hw) == (1, 28, 28):
        return DIGITS
    return CIFAR if info.name == CIFAR and config.in_channels == 3 else PHOTOGRAPHS


def gallery_of_own(config: ViTConfig, info: DataInfo, pictures: SamplePictures | None) -> str:
    """Return the gallery of a model that this project trained on somebody's own data.

    These are its own validation pictures where its file brings some, else the shipped pictures of
    its classes. If there are none of either, it is the gallery that ``gallery_of`` returns.
    """
    gallery = gallery_of(config, info)
    if pictures is not None:
        shape = (config.in_channels, *config.image_hw)
        are_drawn = info.name == OWN_SYMBOLS and shape == (1, 28, 28)
        return of_models.register(pictures, info.class_names, are_drawn)
    if gallery != PHOTOGRAPHS or not (
        alike := shipped_of_classes(info.class_names, config.in_channels)
    ):
        return gallery
    return of_models.register(alike, info.class_names)


@lru_cache(maxsize=64)
def shipped_of_classes(class_names: tuple[str, ...], channels: int) -> SamplePictures | None:
    """Return the shipped pictures whose class is one of a model's; None if there are none."""
    known = {name.casefold(): label for label, name in enumerate(class_names)}
    alike = [sample for sample in shipped(CIFAR) if sample.name in known]
    if not alike:
        return None
    mode = "L" if channels == 1 else "RGB"
    pixels = np.stack([np.asarray(sample.open().convert(mode)) for sample in alike])
    images = torch.from_numpy(pixels.reshape(*pixels.shape[:3], channels)).permute(0, 3, 1, 2)
    return SamplePictures(images.contiguous(), tuple(known[sample.name] for sample in alike))


def label_of(sample: Sample, class_names: tuple[str, ...]) -> int | None:
    """Return the true class of a picture; None if the model has no class of that name."""
    if of_models.is_of_model(sample.gallery):
        return of_models.find(sample.gallery).pictures.labels[sample.place] if class_names else None
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
