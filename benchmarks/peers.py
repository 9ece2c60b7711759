"""Compare training steps and inference with torchvision's and timm's Vision Transformer.

    python benchmarks/peers.py [--threads 2] [--rounds 15]

All three have the same configuration and the same weights, which is checked by comparing their
logits. A training step is forward, cross-entropy, backward and AdamW, the same code for all. A
ratio is their time divided by ours: above 1, ours is faster.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from peer_models import timm_twin, torchvision_twin
from timing import milliseconds, parse_arguments, print_table, ratio, side_by_side
from torch import Tensor, nn

from vit_core import PRESETS, ViTConfig, build

SMALL = PRESETS["default"].model
BASE = ViTConfig(
    image_size=224,
    in_channels=3,
    num_classes=1000,
    patch_size=16,
    embed_dim=768,
    depth=12,
    num_heads=12,
)


@dataclass(frozen=True)
class Case:
    """One comparison. ``seconds`` is what a small candidate's turn should at least take."""

    name: str
    config: ViTConfig
    batch: int
    training: bool
    seconds: float = 0.0


CASES = (
    Case("28 px default, training, batch 128", SMALL, 128, True, 0.2),
    Case("28 px default, inference, batch 1", SMALL, 1, False, 0.2),
    Case("28 px default, inference, batch 128", SMALL, 128, False, 0.2),
    Case("ViT-B/16 at 224 px, training, batch 2", BASE, 2, True),
    Case("ViT-B/16 at 224 px, inference, batch 1", BASE, 1, False),
)


class TrainingStep:
    """One optimizer step of a model on one fixed batch."""

    def __init__(self, model: nn.Module, images: Tensor, labels: Tensor) -> None:
        self.model, self.images, self.labels = model, images, labels
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)

    def __call__(self) -> None:
        loss = F.cross_entropy(self.model(self.images), self.labels)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()


class Inference:
    """One forward pass without gradients."""

    def __init__(self, model: nn.Module, images: Tensor) -> None:
        self.model, self.images = model, images

    def __call__(self) -> Tensor:
        with torch.inference_mode():
            return self.model(self.images)


def compare(case: Case, rounds: int) -> list[str]:
    """Time a case and return its row."""
    model = build(case.config).train(case.training)
    models = {"ours": model, "torchvision": torchvision_twin(model), "timm": timm_twin(model)}
    generator = torch.Generator().manual_seed(0)
    shape = (case.batch, case.config.in_channels, *case.config.image_hw)
    images = torch.randn(shape, generator=generator)
    labels = torch.arange(case.batch) % case.config.num_classes
    with torch.no_grad():
        expected = model(images)
        for twin in models.values():
            torch.testing.assert_close(twin(images), expected, rtol=1e-3, atol=1e-4)
    candidates = {
        name: TrainingStep(twin, images, labels) if case.training else Inference(twin, images)
        for name, twin in models.items()
    }
    times = side_by_side(candidates, rounds, least_seconds=case.seconds)
    peers = (f"{ratio(times, name, 'ours'):.2f}" for name in ("torchvision", "timm"))
    return [case.name, milliseconds(times["ours"]), *peers]


def main() -> None:
    options = parse_arguments(__doc__, rounds=15)
    rows = [compare(case, options.rounds) for case in CASES]
    print_table(["case", "ours, ms", "torchvision ÷ ours", "timm ÷ ours"], rows)


if __name__ == "__main__":
    main()
