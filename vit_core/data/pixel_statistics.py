"""The mean and the standard deviation of pixels."""

import torch
from torch import Tensor

MeanAndStd = tuple[tuple[float, ...], tuple[float, ...]]

IMAGENET: MeanAndStd = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SMALLEST_STD = 1e-3  # images of one colour have a deviation of 0, by which nothing can be divided
AT_ONCE = 1_000  # images


def mean_and_std(images: Tensor) -> MeanAndStd:
    """Return the mean and the standard deviation of each channel, rounded to four digits.

    Args:
        images: (n, channels, height, width) uint8.

    Returns:
        Both for pixels scaled to 0..1, each (channels).
    """
    channels = images.shape[1]
    counts = torch.zeros(channels, 256, dtype=torch.float64)
    for part in torch.split(images, AT_ONCE):
        for channel in range(channels):
            pixels = part[:, channel].flatten().int()
            counts[channel] += torch.bincount(pixels, minlength=256).to("cpu")
    values = torch.arange(256, dtype=torch.float64) / 255
    shares = counts / counts.sum(dim=1, keepdim=True)
    mean = shares @ values
    std = (shares @ values.square() - mean.square()).clamp(min=0).sqrt()
    return (
        tuple(round(value, 4) for value in mean.tolist()),
        tuple(max(round(value, 4), SMALLEST_STD) for value in std.tolist()),
    )
