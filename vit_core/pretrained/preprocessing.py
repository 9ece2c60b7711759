"""Prepare pictures for a pretrained model, with the steps of the library that it comes from."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from vit_core.checkpoint import Checkpoint
from vit_core.checks import quoted
from vit_core.config import Size, as_pair
from vit_core.data import DataInfo
from vit_core.data.image_file import MODES, MOST_PIXELS, as_shown, middle
from vit_core.pretrained.errors import PretrainedError
from vit_core.pretrained.fields import LARGEST_SIDE, as_integer, is_number

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)
INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
NAME = "photographs"  # the data's name if only the source knows the data


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes the model's input.

    Attributes:
        size: height and width of the model's images in pixels, one number for a square.
        resize: pixels of the shorter side before the centre crop. For a pair (height, width), the
            picture is resized until it covers both.
        squeeze: whether the picture is resized to exactly ``resize``, so that its proportions
            change.
        middle: whether the picture is cropped to the proportions of ``size`` first and then resized
            to ``size``, as in this project's own training. ``resize`` is not used then.
        interpolation: a key of ``INTERPOLATIONS``; Pillow's are antialiased.
        mean, std: one number for each channel, for pixels scaled to 0..1.
        class_names: index 0 names the first logit; empty for a backbone.
        source: a text for people that says where the weights come from.
        learned_grid: rows and columns of patches that the positions were learned for, if they were
            resampled for this model; None otherwise.
        notes: sentences for people on what was assumed or left out while reading.
        run: the checkpoint, if this project trained the model.

    Raises:
        PretrainedError: a value is not allowed; the message says which are.
    """

    size: Size
    resize: Size
    interpolation: str = "bicubic"
    squeeze: bool = False
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    class_names: tuple[str, ...] = ()
    source: str = ""
    learned_grid: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()
    middle: bool = False
    run: Checkpoint | None = None

    def __post_init__(self) -> None:
        for side in (*as_pair(self.size), *as_pair(self.resize)):
            if as_integer(side, 1, LARGEST_SIDE) is None:
                raise PretrainedError(
                    f"pictures of {quoted(side)} pixels a side are not prepared here; allowed are "
                    f"whole numbers from 1 to {LARGEST_SIDE}"
                )
        if self.interpolation not in INTERPOLATIONS:
            raise PretrainedError(
                f"pictures are not resized by {quoted(self.interpolation)} here; allowed are "
                f"{', '.join(INTERPOLATIONS)}"
            )
        if len(self.mean) != len(self.std) or len(self.mean) not in MODES:
            raise PretrainedError(
                f"a picture has 1 or 3 channels, and there are {len(self.mean)} means and "
                f"{len(self.std)} standard deviations"
            )
        if not all(map(is_number, (*self.mean, *self.std))) or min(self.std) <= 0:
            raise PretrainedError(
                f"pixels cannot be normalised by the mean {quoted(self.mean)} and the standard "
                f"deviation {quoted(self.std)}; allowed are finite numbers, and above 0 for the "
                f"latter"
            )

    @property
    def channels(self) -> int:
        """The number of channels: 1 for grey, 3 for colour."""
        return len(self.mean)

    def prepare(self, image: Image.Image) -> np.ndarray:
        """Return the picture as the model gets it, but not yet normalised.

        It is first brought into the form that people see: upright, on white, in 8 bits.

        Returns:
            uint8 from 0 to 255; (height, width, 3) for a colour model, (height, width) for a grey
            one.
        """
        height, width = as_pair(self.size)
        image = as_shown(image, self.channels)
        if self.middle:
            return np.asarray(middle(image, (height, width)))
        image = self.resized(image)
        left, top = crop_start(image.width, width), crop_start(image.height, height)
        return np.asarray(image.crop((left, top, left + width, top + height)))

    def resized(self, image: Image.Image) -> Image.Image:
        """Return the picture in the size that it has before the centre crop."""
        filter_ = INTERPOLATIONS[self.interpolation]
        height, width = as_pair(self.resize)
        if self.squeeze:
            return image.resize((width, height), filter_)
        image = without_ends(image, min(height, width))
        if height != width:  # as timm does for an oblong
            scale = min(image.height / height, image.width / width)
            return image.resize((round(image.width / scale), round(image.height / scale)), filter_)
        short, long = sorted(image.size)
        if short == height:
            return image
        longer = int(height * long / short)  # rounded down, as in torchvision
        across = image.width <= image.height
        return image.resize((height, longer) if across else (longer, height), filter_)

    @property
    def info(self) -> DataInfo:
        """What ``vit_core.data.normalize`` needs."""
        if self.run is not None and self.run.data is not None:
            return self.run.data
        return DataInfo(NAME, "", self.mean, self.std, self.class_names)


def crop_start(whole: int, part: int) -> int:
    """Return where a centre crop begins, rounded as in torchvision.

    Below 0 if the picture is smaller than the crop: black is added on both sides then.
    """
    return round((whole - part) / 2) if whole >= part else -((part - whole) // 2)


def without_ends(image: Image.Image, shorter: int) -> Image.Image:
    """Cut off both ends of a very long picture, which would not fit into memory once enlarged.

    What is left is much longer than the centre crop of any model.
    """
    short, long = sorted(image.size)
    most = max(short, math.floor(MOST_PIXELS * short / shorter**2))
    if long <= most:
        return image
    start = (long - most) // 2
    across = image.width == long
    box = (start, 0, start + most, short) if across else (0, start, short, start + most)
    return image.crop(box)
