"""How many images are evaluated at once: few enough for a processor's caches and its memory."""

from types import SimpleNamespace

import pytest
import torch

from vit_core.training.evaluation import eval_batch_size


@pytest.mark.parametrize(
    ("side", "device", "size"),
    [
        (28, "cpu", 100),
        (32, "cpu", 100),
        (224, "cpu", 10),
        (28, "cuda", 500),
        (224, "cuda", 10),
        (4096, "cuda", 1),
    ],
)
def test_small_images_come_in_hundreds_and_large_ones_alone(
    side: int, device: str, size: int
) -> None:
    labels = SimpleNamespace(device=torch.device(device))
    split = SimpleNamespace(image_shape=(1, side, side), labels=labels)
    assert eval_batch_size(split) == size
