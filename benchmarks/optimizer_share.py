"""Measure the optimizers' share of a training step, and our Muon beside PyTorch's.

    python benchmarks/optimizer_share.py [--threads 1] [--rounds 9]

The steps are those of the presets with their own batch sizes, on random images. What a processor
without AVX-512 would do is measured with

    ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 MKL_ENABLE_INSTRUCTIONS=AVX2 python …

PyTorch asks three libraries for its products, and each of them has its own switch.
"""

import statistics
from collections.abc import Callable

import torch
from precision import Steps
from timing import Times, milliseconds, parse_arguments, print_table, ratio, side_by_side

from vit_core import PRESETS
from vit_core.training.muon import product_dtype

NAMES = ("fast", "best")


def with_torchs_muon(steps: Steps) -> Steps:
    """Let steps be taken with PyTorch's Muon in place of ours."""
    ours = steps.training.optimizers[1]
    settings = ours.param_groups[0]
    theirs = torch.optim.Muon(
        settings["params"],
        lr=settings["lr"],
        weight_decay=settings["weight_decay"],
        momentum=settings["momentum"],
        adjust_lr_fn="original",
    )
    theirs.param_groups[0]["peak_lr"] = settings["peak_lr"]
    steps.training.optimizers[1] = theirs
    return steps


def optimizers_alone(steps: Steps) -> list[Callable[[], object]]:
    """Return what takes the step of AdamW and that of Muon, always on the same gradients."""
    generator = torch.Generator().manual_seed(0)
    for parameter in steps.training.model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    return [optimizer.step for optimizer in steps.training.optimizers]


def share(times: Times, muon: str, step: str) -> str:
    """Return the share of both optimizers in a step: the median over the rounds."""
    rounds = zip(times["adamw"], times[muon], times[step], strict=True)
    return f"{statistics.median((a + m) / s for a, m, s in rounds):.1%}"


def main() -> None:
    options = parse_arguments(__doc__, rounds=9)
    rows = []
    for name in NAMES:
        preset = PRESETS[name]
        adamw, ours = optimizers_alone(Steps(preset, {}))
        _, theirs = optimizers_alone(with_torchs_muon(Steps(preset, {})))
        candidates: dict[str, Callable[[], object]] = {
            "step": Steps(preset, {}),
            "step with theirs": with_torchs_muon(Steps(preset, {})),
            "adamw": adamw,
            "ours": ours,
            "theirs": theirs,
        }
        times = side_by_side(candidates, options.rounds)
        rows.append(
            (
                f"{name}, batch {preset.train.batch_size}",
                f"{milliseconds(times['ours'])} ms",
                f"{ratio(times, 'ours', 'theirs'):.2f} ×",
                share(times, "ours", "step"),
                share(times, "theirs", "step with theirs"),
                f"{ratio(times, 'step', 'step with theirs'):.2f} ×",
            )
        )
    header = (
        "preset",
        "our Muon",
        "÷ PyTorch's",
        "share of both optimizers in a step",
        "the same with PyTorch's Muon",
        "whole step ÷ with PyTorch's",
    )
    print_table(header, rows)
    capability = torch.backends.cpu.get_cpu_capability()
    print(f"ours in {product_dtype(torch.device('cpu'))}, PyTorch with {capability}")


if __name__ == "__main__":
    main()
