"""A training step in parts against the whole batch at once: processor time, on images of noise.

    python benchmarks/step_parts.py --preset default --parts 1 4 6

The parts take turns in one process, so that all see the same other work.
"""

import argparse
import statistics
import time

import torch

from vit_core import PRESETS
from vit_core.data import Batch
from vit_core.mistakes import build_with
from vit_core.training.loop import Training
from vit_core.training.measure_speed import stand_in


class InParts(Training):
    """A training whose steps have a given number of parts."""

    count = 1

    def part_count(self, kept: int) -> int:
        return self.count


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--preset", default="default", choices=PRESETS)
    parser.add_argument("--parts", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    preset = PRESETS[options.preset]
    data = stand_in(preset.model, (preset.train.batch_size, 1, 1))
    training = InParts(build_with(preset.model, preset.train, 0), data, preset.train)
    training.model.train()
    indices = torch.arange(training.batch_size)
    batch = Batch(data.train.at(indices.tolist()), indices)
    generator = torch.Generator().manual_seed(0)
    seconds: dict[int, list[float]] = {count: [] for count in options.parts}
    for _ in range(1 + options.rounds):
        for count in seconds:
            training.count = count
            began = time.process_time()
            training.run_step(0, batch, generator)
            seconds[count].append(time.process_time() - began)
    first, *_ = (times[1:] for times in seconds.values())  # the first round warms up
    print("| parts | a step, median | ÷ the first, median of the rounds |\n|---|---|---|")
    for count, times in seconds.items():
        ratios = [a / b for a, b in zip(times[1:], first, strict=True)]
        middle = statistics.median(times[1:])
        print(f"| {count} | {1000 * middle:.0f} ms | {statistics.median(ratios):.2f} × |")


if __name__ == "__main__":
    main()
