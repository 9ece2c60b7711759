"""Measure the share of the machine's matrix-product peak that ``fast``'s training step reaches.

    python benchmarks/matmul_peak.py [--threads 2] [--rounds 15]

Peak: the fastest of several sizes of square float32 products, 2·n³ operations each, timed in the
same rounds as the step. Step: a real one of the preset — indexing, augmentation, forward, loss,
backward and optimizer — of which the model's matrix products alone are counted:

    forward, an image = 2·P·A·D + L·(2·N·D·3D + 4·N²·D + 2·N·D² + 4·N·D·M) + 2·D·C
    step              = B · (3 · forward − 2·P·A·D)

with P patches of A values, N tokens, width D, MLP width M, L blocks, C classes, B images. Backward
costs two products for each forward one, but the pixels need no gradient. The optimizer's own
products (Muon's), recomputed attention and everything elementwise count as time, not as work.
"""

import dataclasses
import statistics
from collections.abc import Callable

import torch
import torch.nn.functional as F
from timing import Times, milliseconds, parse_arguments, print_table, side_by_side
from torch import Tensor

from vit_core import PRESETS, ViTConfig, build
from vit_core.data import Batch, mnist, normalize
from vit_core.data.augmentation import augment
from vit_core.training.loop import Training

PRODUCT_SIZES = (512, 1024, 2048)


def forward_flops(config: ViTConfig) -> int:
    """Count the multiplications and additions of one image's matrix products."""
    P, A, N, D, M = (
        config.num_patches,
        config.patch_dim,
        config.num_tokens,
        config.embed_dim,
        config.mlp_dim,
    )
    block = 2 * N * D * 3 * D + 4 * N * N * D + 2 * N * D * D + 4 * N * D * M
    return 2 * P * A * D + config.depth * block + 2 * D * config.num_classes


def step_flops(config: ViTConfig, batch: int) -> int:
    """Count the operations of a training step's matrix products."""
    embedding = 2 * config.num_patches * config.patch_dim * config.embed_dim
    return batch * (3 * forward_flops(config) - embedding)


class Step:
    """A preset's training step, whole and in parts, on a fixed batch."""

    def __init__(self, preset: str) -> None:
        self.config = PRESETS[preset].train
        self.data = mnist()
        self.model = build(PRESETS[preset].model).train()
        self.training = Training(self.model, self.data, self.config)
        self.indices = torch.arange(self.config.batch_size)
        self.generator = torch.Generator().manual_seed(0)
        self.images = self.prepare()
        self.labels = self.data.train.labels[self.indices]

    def whole(self) -> None:
        batch = Batch(self.data.train.images[self.indices], self.indices)
        self.training.run_step(0, batch, self.generator)

    def prepare(self) -> Tensor:
        images = self.data.train.images[self.indices]
        config = self.config
        images = augment(images, config.augment, config.augment_strength, self.generator)
        return normalize(images, self.data.info)

    def forward(self) -> Tensor:
        return F.cross_entropy(self.model(self.images), self.labels)

    def forward_and_backward(self) -> None:
        for parameter in self.model.parameters():
            parameter.grad = None
        self.forward().backward()

    def optimize(self) -> None:
        """Step on the gradients that are there."""
        for optimizer in self.training.optimizers:
            optimizer.step()


def product(size: int) -> Callable[[], Tensor]:
    """Return a function that multiplies two square matrices."""
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(size, size, generator=generator) for _ in range(2))
    out = torch.empty(size, size)
    return lambda: torch.mm(a, b, out=out)


def rates(times: Times, name: str, flops: int) -> list[float]:
    """Return the GFLOP/s of each round."""
    return [flops / seconds / 1e9 for seconds in times[name]]


def main() -> None:
    options = parse_arguments(__doc__, rounds=15)
    step = Step("fast")
    step.forward_and_backward()
    candidates: dict[str, Callable[[], object]] = {
        **{f"product {size}": product(size) for size in PRODUCT_SIZES},
        "step": step.whole,
        "prepare": step.prepare,
        "forward": step.forward,
        "forward and backward": step.forward_and_backward,
        "optimizer": step.optimize,
    }
    times = side_by_side(candidates, options.rounds, least_seconds=0.1)

    peaks = {size: rates(times, f"product {size}", 2 * size**3) for size in PRODUCT_SIZES}
    best = max(peaks, key=lambda size: statistics.median(peaks[size]))
    flops = step_flops(step.model.config, step.config.batch_size)

    def row(name: str) -> list[str]:
        achieved = rates(times, name, flops)
        share = statistics.median(a / p for a, p in zip(achieved, peaks[best], strict=True))
        return [
            name,
            milliseconds(times[name]),
            f"{statistics.median(achieved):.0f}",
            f"{share:.0%}",
        ]

    peak = statistics.median(peaks[best])
    rows = [
        [
            f"peak: product of {best} x {best}",
            milliseconds(times[f"product {best}"]),
            f"{peak:.0f}",
            "100%",
        ],
        row("step"),
        row("forward and backward"),
        *(
            [name, milliseconds(times[name]), "", ""]
            for name in ("prepare", "forward", "optimizer")
        ),
    ]
    print(f"fast: {dataclasses.asdict(step.model.config)}")
    print(
        f"a step of {step.config.batch_size} images: {flops / 1e9:.3f} GFLOP in matrix products\n"
    )
    print_table(["what", "ms", "GFLOP/s", "of the peak"], rows)


if __name__ == "__main__":
    main()
