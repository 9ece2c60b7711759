"""Pictures as components show them when they are pointed at."""

import numpy as np
from PIL import Image

MANY = 100  # pictures, from which on each is sent in a small size
SMALL_SIDE, LARGE_SIDE = 32, 128  # pixels


def small_images(images: np.ndarray) -> np.ndarray:
    """Return pictures for the browser, (n, height, width, 1 or 3), larger ones made smaller.

    Args:
        images: (n, channels, height, width) uint8.
    """
    most = SMALL_SIDE if len(images) > MANY else LARGE_SIDE
    height, width = images.shape[2:]
    planes = images.transpose(0, 2, 3, 1)
    if max(height, width) <= most:
        return np.ascontiguousarray(planes)
    scale = most / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    flat = planes[..., 0] if images.shape[1] == 1 else planes
    smaller = [
        np.asarray(Image.fromarray(one).resize(size, Image.Resampling.BOX))
        for one in np.ascontiguousarray(flat)
    ]
    return np.stack(smaller).reshape(len(images), size[1], size[0], images.shape[1])
