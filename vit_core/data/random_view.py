"""What training sees of a file: a random part of it, changed at random, the same for a seed."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from vit_core.config import TrainConfig
from vit_core.data.augmentation import smallest_area, widest_crop
from vit_core.data.image_file import middle, to_array
from vit_core.data.randaugment import change, seed_of
from vit_core.torchvision_import import import_transforms


@dataclass(frozen=True)
class RandomView:
    """The random part of reading an image in one epoch.

    Attributes:
        seed: of the epoch.
        crop: strength of random crops as ``augment_strength`` in ``TrainConfig``; None for none.
        randaugment: magnitude as in ``TrainConfig``.
    """

    seed: int
    crop: float | None
    randaugment: int

    @classmethod
    def for_epoch(cls, config: TrainConfig, seed: int) -> "RandomView":
        crop = config.augment_strength if config.augment == "crop" else None
        return cls(seed, crop, config.randaugment)

    def apply(self, image: Image.Image, index: int, size: tuple[int, int]) -> np.ndarray:
        """Return (channels, height, width) uint8.

        Args:
            index: of the image in its split.
            size: height and width of what is returned.
        """
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed_of(self.seed, index))
            if self.crop is None:
                image = middle(image, size)
            else:
                v2 = import_transforms()
                widest = widest_crop(self.crop)
                crop = v2.RandomResizedCrop(
                    size,
                    (smallest_area(self.crop), 1.0),
                    (1 / widest, widest),
                    v2.InterpolationMode.BICUBIC,
                )
                image = crop(image)
            pixels = torch.from_numpy(np.ascontiguousarray(to_array(image)))
            return change(pixels, self.randaugment).numpy()
