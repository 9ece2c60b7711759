"""Pictures as batches of one, and back."""

import numpy as np
import torch
from torch import Tensor


def batch_of(pixels: np.ndarray) -> Tensor:
    """Return an image as a batch of one, (1, channels, height, width) uint8."""
    planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return torch.from_numpy(planes.copy())[None]


def pixels_of(image: Tensor) -> np.ndarray:
    """Return the pixels of a batch from ``batch_of``."""
    planes = image[0].numpy()
    return planes[0] if len(planes) == 1 else planes.transpose(1, 2, 0)
