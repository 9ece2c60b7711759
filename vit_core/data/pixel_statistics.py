"""The mean and the standard deviation of pixels."""

import torch
from torch import Tensor

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SMALLEST_STD = 1e-3  # images of one single colour deviate by nothing, and are divided by it
AT_ONCE = 1_000  # images


def mean_and_std(images: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return both of each channel, for pixels scaled to 0..1, to four places.

    Args:
        images: (n, channels, height, width) uint8.
    """
    channels = images.shape[1]
    counts = torch.zeros(channels, 256, dtype=torch.float64)
    for some in images.split(AT_ONCE):
        for channel in range(channels):
            pixels = some[:, channel].flatten().int()
            counts[channel] += torch.bincount(pixels, minlength=256).to("cpu")
    values = torch.arange(256, dtype=torch.float64) / 255
    shares = counts / counts.sum(dim=1, keepdim=True)
    mean = shares @ values
    std = (shares @ values.square() - mean.square()).clamp(min=0).sqrt()
    return (
        tuple(round(value, 4) for value in mean.tolist()),
        tuple(max(round(value, 4), SMALLEST_STD) for value in std.tolist()),
    )
