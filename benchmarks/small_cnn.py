"""A small convolutional network and a linear classifier, to compare the Vision Transformer with.

They are no part of the package: nobody should need them to use it.
"""

from torch import Tensor, nn

CHANNELS = (16, 32, 64)
HIDDEN = 64


class SmallCNN(nn.Module):
    """Three convolutions, each followed by max pooling, and two linear layers.

    A convolution looks only at 5 × 5 or 3 × 3 neighbours (locality), and has the same weights
    everywhere (translation). The network is built as the first ones were (LeCun et al. 1998,
    "Gradient-based learning applied to document recognition"), with ReLU and no normalisation.
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        first, second, third = CHANNELS
        self.features = nn.Sequential(
            *stage(1, first, kernel=5),  # 28 × 28 → 14 × 14
            *stage(first, second, kernel=3),  # → 7 × 7
            *stage(second, third, kernel=3),  # → 4 × 4
        )
        self.hidden = nn.Linear(third * 4 * 4, HIDDEN)
        self.head = nn.Linear(HIDDEN, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, 1, 28, 28), normalised → logits (B, classes)."""
        hidden = self.hidden(self.features(images).flatten(1)).relu()
        logits: Tensor = self.head(hidden)
        return logits


def stage(channels: int, out: int, kernel: int) -> tuple[nn.Module, ...]:
    """Return the layers of one stage, which halves height and width."""
    convolution = nn.Conv2d(channels, out, kernel, padding=kernel // 2)
    return convolution, nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)


class Linear(nn.Module):
    """Softmax regression: each logit is a weighted sum of all pixels, and nothing more."""

    def __init__(self, pixels: int = 28 * 28, classes: int = 10) -> None:
        super().__init__()
        self.head = nn.Linear(pixels, classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, 1, height, width), normalised → logits (B, classes)."""
        logits: Tensor = self.head(images.flatten(1))
        return logits
