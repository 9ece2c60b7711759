"""Tiny image folders for tests that read files."""

from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("cat", "dog", "eel")
# options of a run on such a folder that takes a moment
ONE_EPOCH = ["--depth", "1", "--embed-dim", "12", "--epochs", "1", "--threads", "1"]


def put_images(folder: Path, count: int, suffix: str = ".png", shade: int = 8) -> Path:
    """Put images of one shade each into a folder, the first black, the next ``shade``."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        image = Image.fromarray(np.full((9, 9, 3), shade * index, np.uint8))
        image.save(folder / f"{index:02d}{suffix}")
    return folder


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
