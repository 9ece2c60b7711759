"""What training sees of a file: a random part of it, changed at random, the same for a seed."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from vit_core.augment import ASPECT, smallest_area
from vit_core.config import TrainConfig
from vit_core.image_file import middle, to_array
from vit_core.randaugment import change, seed_of
from vit_core.torchvision_import import import_torchvision


@dataclass(frozen=True)
class RandomView:
    """The random part of reading an image in one epoch.

    Attributes:
        seed: of the epoch.
        area: smallest share of an image that a random crop may have; None for its middle.
        randaugment: magnitude as in ``TrainConfig``.
    """

    seed: int
    area: float | None
    randaugment: int

    @classmethod
    def of_epoch(cls, config: TrainConfig, seed: int) -> "RandomView":
        area = smallest_area(config.augment_strength) if config.augment == "crop" else None
        return cls(seed, area, config.randaugment)

    def of(self, image: Image.Image, place: int, size: tuple[int, int]) -> np.ndarray:
        """Return (channels, height, width) uint8.

        Args:
            place: of the image in its split.
            size: height and width of what is returned.
        """
        import_torchvision()
        from torchvision.transforms.v2 import InterpolationMode, RandomResizedCrop

        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed_of(self.seed, place))
            if self.area is None:
                image = middle(image, size)
            else:
                crop = RandomResizedCrop(
                    size, (self.area, 1.0), ASPECT, InterpolationMode.BICUBIC, antialias=True
                )
                image = crop(image)
            pixels = torch.from_numpy(np.ascontiguousarray(to_array(image)))
            return change(pixels, self.randaugment).numpy()
