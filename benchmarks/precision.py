"""Training steps of each preset in float32 and bfloat16, compiled and not, side by side.

A number above 1 is how many times faster than plain float32 a way is; the data are random, since
only their shape matters. Compiling itself takes 10 to 60 seconds for each line and is not counted.
"""

import dataclasses

import torch
from timing import parse_arguments, print_table, ratio, side_by_side

from vit_core import PRESETS, Preset, build
from vit_core.data import Batch, DataInfo, ImageData, Split
from vit_core.training.loop import Training

WAYS = {
    "float32": {"precision": "fp32", "compile": False},
    "bfloat16": {"precision": "bf16", "compile": False},
    "float32, compiled": {"precision": "fp32", "compile": True},
    "bfloat16, compiled": {"precision": "bf16", "compile": True},
}
NAMES = ("fast", "default", "best", "cifar10")


class Steps:
    """A training that takes the same step again and again."""

    def __init__(self, preset: Preset, way: dict[str, object]) -> None:
        config = dataclasses.replace(preset.train, **way)
        count, generator = config.batch_size, torch.Generator().manual_seed(0)
        shape = (count, preset.model.in_channels, *preset.model.image_hw)
        split = Split(
            torch.randint(256, shape, dtype=torch.uint8, generator=generator),
            torch.randint(preset.model.num_classes, (count,), generator=generator),
        )
        ones = (1.0,) * preset.model.in_channels
        names = tuple(map(str, range(preset.model.num_classes)))
        info = DataInfo("random", "", tuple(one / 2 for one in ones), ones, names)
        self.training = Training(
            build(preset.model).train(), ImageData(split, split, split, info), config
        )
        self.batch = Batch(split.images, torch.arange(count))
        self.generator = generator

    def __call__(self) -> None:
        self.training.run_step(0, self.batch, self.generator)


def main() -> None:
    options = parse_arguments(__doc__, rounds=7)
    rows = []
    for name in NAMES:
        preset = PRESETS[name]
        candidates = {way: Steps(preset, settings) for way, settings in WAYS.items()}
        times = side_by_side(candidates, options.rounds)
        step = sorted(times["float32"])[options.rounds // 2]
        gains = [f"{ratio(times, 'float32', way):.2f} ×" for way in list(WAYS)[1:]]
        rows.append((name, str(preset.model.embed_dim), f"{step * 1000:.0f} ms", *gains))
        torch.compiler.reset()
    print_table(("preset", "width", "float32 step", *list(WAYS)[1:]), rows)


if __name__ == "__main__":
    main()
