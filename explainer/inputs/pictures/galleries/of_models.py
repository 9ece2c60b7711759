"""Galleries that belong to one model: pictures of its own data, or shipped ones of its classes."""

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock

import numpy as np
from PIL import Image

from explainer.state.choice import DRAWN
from vit_core.data.sample_pictures import SamplePictures

OWN = "of-model-"  # begins the name of such a gallery
MOST = 256  # galleries; a page registers its own each time it is drawn


@dataclass(frozen=True)
class ModelGallery:
    """The pictures of one model.

    Attributes:
        pictures: with their classes.
        names: of their classes.
    """

    pictures: SamplePictures
    names: tuple[str, ...]

    def open(self, index: int) -> Image.Image:
        """Return a picture in colour."""
        pixels = self.pictures.images[index].permute(1, 2, 0).numpy()
        if pixels.shape[2] == 1:
            pixels = np.repeat(pixels, 3, axis=2)
        return Image.fromarray(np.ascontiguousarray(pixels))


_galleries: OrderedDict[str, ModelGallery] = OrderedDict()
_lock = Lock()


def register(
    pictures: SamplePictures, class_names: tuple[str, ...], are_drawn: bool = False
) -> str:
    """Keep the pictures of a model, and return the name of their gallery.

    Args:
        are_drawn: whether a visitor can draw more of them.
    """
    names = tuple(class_names[label] if class_names else "" for label in pictures.labels)
    content = pictures.images.numpy().tobytes() + repr(names).encode()
    gallery = (DRAWN if are_drawn else OWN) + sha256(content).hexdigest()[:16]
    with _lock:
        _galleries[gallery] = ModelGallery(pictures, names)
        _galleries.move_to_end(gallery)
        while len(_galleries) > MOST:
            _galleries.popitem(last=False)
    return gallery


def find(gallery: str) -> ModelGallery:
    """Return a gallery that was registered a moment ago."""
    return _galleries[gallery]


def is_of_model(gallery: str) -> bool:
    """Return whether a gallery belongs to one model."""
    return gallery.startswith(OWN)
