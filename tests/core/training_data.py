"""Small pieces of the real MNIST for tests that train."""

import pytest

from vit_core import TrainConfig, ViTConfig
from vit_core.data import ImageData, Split, mnist
from vit_core.runs import train_command
from vit_core.runs.tensorboard import no_metrics

TINY = ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2)
QUICK = TrainConfig(epochs=2, batch_size=32, augment="elastic")


def be_quiet(patch: pytest.MonkeyPatch) -> None:
    """Let the command of training open no board, and leave this process's signals as they are."""
    patch.setattr(train_command, "open_tensorboard", no_metrics)
    patch.setattr(train_command.signal, "signal", lambda *_: None)


def part(split: Split, count: int) -> Split:
    return Split(split.images[:count], split.labels[:count])


def small_mnist(train: int = 160, rest: int = 50) -> ImageData:
    data = mnist()
    return ImageData(
        part(data.train, train), part(data.val, rest), part(data.test, rest), data.info
    )
