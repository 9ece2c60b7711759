"""Compare a traced forward pass, which keeps every intermediate tensor, with a plain one.

    python benchmarks/trace_cost.py [--threads 1] [--rounds 25]

Both run without gradients on one image. A ratio is the trace's time divided by the plain one's.
What a trace costs is mostly the memory that it keeps, which the operating system hands out page by
page at the first touch; a column has the time to do just that. It is measured again in a process
that keeps what it frees (``vit_core.kept_memory``).

The times are those of the processor, since a machine with other work lets the longer of two passes
wait more often. With more than one thread they are the sum over all threads.
"""

import time

import torch
from timing import milliseconds, parse_arguments, print_table, ratio, side_by_side
from torch import Tensor

from vit_core import PRESETS, ViTConfig, build, trace
from vit_core.kept_memory import keep_freed_memory

IMAGENET = dict(image_size=224, in_channels=3, num_classes=1000, patch_size=16, depth=12)
SHAPES = {
    "28 px default": PRESETS["default"].model,
    "ViT-Ti/16 at 224 px": ViTConfig(embed_dim=192, num_heads=3, **IMAGENET),
    "ViT-B/16 at 224 px": ViTConfig(embed_dim=768, num_heads=12, **IMAGENET),
}


def compare(name: str, config: ViTConfig, rounds: int, is_kept: bool) -> list[str]:
    """Time a shape and return its row.

    Args:
        is_kept: whether the process keeps what it frees, which is said in the row.
    """
    model = build(config).eval()
    shape = (1, config.in_channels, *config.image_hw)
    images = torch.randn(shape, generator=torch.Generator().manual_seed(0))

    def plain() -> Tensor:
        with torch.no_grad():
            return model(images)

    kept = trace(model, images)
    storages = [tensor.untyped_storage() for tensor in kept.values()]
    # the same tensor may stand under two names, and queries, keys and values share one memory
    sizes = list({storage.data_ptr(): storage.nbytes() for storage in storages}.values())

    def touch() -> list[Tensor]:
        return [torch.zeros(size, dtype=torch.uint8) for size in sizes]

    candidates = {"plain": plain, "trace": lambda: trace(model, images), "touch": touch}
    times = side_by_side(candidates, rounds, least_seconds=0.2, clock=time.process_time)
    return [
        name,
        "kept" if is_kept else "returned",
        milliseconds(times["plain"]),
        milliseconds(times["trace"]),
        f"{ratio(times, 'trace', 'plain'):.2f}",
        f"{sum(sizes) / 1e6:.3g}",
        milliseconds(times["touch"]),
    ]


def main() -> None:
    options = parse_arguments(__doc__, rounds=25)
    rows = [compare(name, config, options.rounds, False) for name, config in SHAPES.items()]
    if keep_freed_memory():
        rows += [compare(name, config, options.rounds, True) for name, config in SHAPES.items()]
    header = [
        "shape, batch 1",
        "freed memory is",
        "plain, ms",
        "trace, ms",
        "trace ÷ plain",
        "kept, MB",
        "touch, ms",
    ]
    print_table(header, rows)


if __name__ == "__main__":
    main()
