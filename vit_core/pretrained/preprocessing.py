"""How a pretrained model's pictures are prepared: its source's own steps, on Pillow's images."""

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
from vit_core.pretrained.fields import LARGEST_SIDE, as_whole, is_number

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
NAME = "photographs"  # as the data's name, where nobody but the source knows the data


@dataclass(frozen=True)
class Preprocessing:
    """From a picture to what the model gets.

    Attributes:
        size: height and width of the model's images in pixels, one number for a square.
        resize: pixels of the shorter side before the middle is cut out; a pair is covered.
        squeeze: whether the picture is first squeezed into ``resize`` pixels, whatever its
            proportions.
        middle: whether the middle of the picture, as large as the proportions of ``size`` allow, is
            resized to ``size``, as this project's own training does; ``resize`` is not used then.
        interpolation: a key of ``INTERPOLATIONS``; Pillow's are antialiased.
        mean, std: of each channel, for pixels scaled to 0..1; one number for a model of grey.
        class_names: index 0 names the first logit; empty for a backbone.
        source: where the weights come from, for people.
        learned_grid: rows and columns of patches that the positions were learned for, where they
            were resampled for this model; None where they were learned as they are.
        notes: what the reader took for granted or left out, each a sentence for people.
        run: the checkpoint of a model that this project trained.

    Raises:
        PretrainedError: a value is not allowed; the message says what is.
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
            if as_whole(side, 1, LARGEST_SIDE) is None:
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
        """1 for grey, 3 for colour."""
        return len(self.mean)

    def prepare(self, image: Image.Image) -> np.ndarray:
        """Return the picture as the model gets it, uint8, not yet normalised.

        It is seen as people see it first: upright, on white, in 8 bit.

        Returns:
            (height, width, 3) of a model of colour, (height, width) of one of grey.
        """
        height, width = as_pair(self.size)
        image = as_shown(image, self.channels)
        if self.middle:
            return np.asarray(middle(image, (height, width)))
        image = self.resized(image)
        left, top = start_of(image.width, width), start_of(image.height, height)
        return np.asarray(image.crop((left, top, left + width, top + height)))

    def resized(self, image: Image.Image) -> Image.Image:
        """Return the picture in the size that it has before the middle is cut out."""
        filter_ = INTERPOLATIONS[self.interpolation]
        height, width = as_pair(self.resize)
        if self.squeeze:
            return image.resize((width, height), filter_)
        image = without_ends(image, min(height, width))
        if height != width:  # as timm covers an oblong
            scale = min(image.height / height, image.width / width)
            return image.resize((round(image.width / scale), round(image.height / scale)), filter_)
        short, long = sorted(image.size)
        if short == height:
            return image
        longer = int(height * long / short)  # cut off, as torchvision does
        across = image.width <= image.height
        return image.resize((height, longer) if across else (longer, height), filter_)

    @property
    def info(self) -> DataInfo:
        """What ``vit_core.data.normalize`` has to know."""
        if self.run is not None and self.run.data is not None:
            return self.run.data
        return DataInfo(NAME, "", self.mean, self.std, self.class_names)


def start_of(whole: int, part: int) -> int:
    """Return where the middle begins; below 0 where black is added, as torchvision rounds it."""
    return round((whole - part) / 2) if whole >= part else -((part - whole) // 2)


def without_ends(image: Image.Image, shorter: int) -> Image.Image:
    """Cut off the ends of a picture so long that it would not fit into memory once enlarged.

    What is left is far longer than what any model is shown of it.
    """
    short, long = sorted(image.size)
    most = max(short, math.floor(MOST_PIXELS * short / shorter**2))
    if long <= most:
        return image
    start = (long - most) // 2
    across = image.width == long
    box = (start, 0, start + most, short) if across else (0, start, short, start + most)
    return image.crop(box)
