"""How a pretrained model's pictures are prepared: its source's own steps, on Pillow's images."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from vit_core.data import DataInfo

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)
INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
NAME = "photographs"  # as the data's name, since nobody but the source knows the data


@dataclass(frozen=True)
class Preprocessing:
    """From a picture to what the model gets.

    Attributes:
        size: height and width of the model's images in pixels.
        resize: pixels of the shorter side before the middle is cut out.
        squeeze: whether the picture is first squeezed into a square of ``resize`` pixels, whatever
            its proportions.
        interpolation: "nearest" | "bilinear" | "bicubic" | "lanczos"; Pillow's are antialiased.
        mean, std: of each channel, for pixels scaled to 0..1.
        class_names: index 0 names the first logit; empty for a backbone.
        source: where the weights come from, for people.
        learned_grid: rows and columns of patches that the positions were learned for, where they
            were resampled for this model; None where they were learned as they are.
    """

    size: int
    resize: int
    interpolation: str = "bicubic"
    squeeze: bool = False
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    class_names: tuple[str, ...] = ()
    source: str = ""
    learned_grid: tuple[int, int] | None = None

    def prepare(self, image: Image.Image) -> np.ndarray:
        """Return the picture as the model gets it, (size, size, 3) uint8, not yet normalised."""
        image, filter_ = image.convert("RGB"), INTERPOLATIONS[self.interpolation]
        short, long = sorted(image.size)
        if self.squeeze:
            image = image.resize((self.resize, self.resize), filter_)
        elif short != self.resize:
            longer = int(self.resize * long / short)  # cut off, as torchvision does
            across = image.width <= image.height
            image = image.resize(
                (self.resize, longer) if across else (longer, self.resize), filter_
            )
        left = round((image.width - self.size) / 2)
        top = round((image.height - self.size) / 2)
        return np.asarray(image.crop((left, top, left + self.size, top + self.size)))

    @property
    def info(self) -> DataInfo:
        """What ``vit_core.data.normalize`` has to know."""
        return DataInfo(NAME, "", self.mean, self.std, self.class_names)
