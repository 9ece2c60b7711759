"""Random crops and RandAugment of an image while it is read from its file."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from vit_core.config import TrainConfig
from vit_core.data.augmentation import smallest_area, widest_crop
from vit_core.data.image_file import middle, to_array
from vit_core.data.randaugment import apply_rand_augment, seed_of
from vit_core.torchvision_import import import_transforms


@dataclass(frozen=True)
class RandomView:
    """How images are changed at random in one epoch.

    Attributes:
        seed: of the epoch; the same seed and image give the same view.
        crop: strength of the random crops, ``augment_strength`` of ``TrainConfig``; None for the
            centre crop.
        randaugment: magnitude as in ``TrainConfig``.
    """

    seed: int
    crop: float | None
    randaugment: int

    @classmethod
    def for_epoch(cls, config: TrainConfig, seed: int) -> "RandomView":
        """Return the view that the settings ask for, with the epoch's ``seed``."""
        crop = config.augment_strength if config.augment == "crop" else None
        return cls(seed, crop, config.randaugment)

    def apply(self, image: Image.Image, index: int, size: tuple[int, int]) -> np.ndarray:
        """Crop, resize and change an image.

        Args:
            index: of the image in its split.
            size: height and width in pixels of the result.

        Returns:
            (channels, height, width) uint8.
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
            view: np.ndarray = apply_rand_augment(pixels, self.randaugment).numpy()
            return view
