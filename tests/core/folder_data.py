"""Tiny image folders for tests that read files."""

from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("cat", "dog", "eel")


def make_folder(root: Path, counts: dict[str, int], classes: tuple[str, ...] = CLASSES) -> Path:
    """Make an image folder whose classes differ in colour, of images of several sizes.

    Args:
        counts: images of each class in each part, such as {"train": 30, "test": 5}.
    """
    random = np.random.default_rng(0)
    for part, count in counts.items():
        for channel, name in enumerate(classes):
            folder = root / part / name
            folder.mkdir(parents=True)
            for index in range(count):
                shape = (18 + index % 3, 20 + index % 5, 3)
                pixels = random.integers(0, 160, shape, np.uint8)
                pixels[..., channel % 3] += 95
                Image.fromarray(pixels).save(folder / f"{index:04d}.png")
    return root
