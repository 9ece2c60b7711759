"""How much a choice that is made on test digits flatters the chosen model.

Trains thirty small Vision Transformers, which differ only in their seed, and finds which test
digits each reads right. Then, 2,000 times, some of the models and some of the test digits are drawn
at random; the model with the most right answers on these digits is chosen. Its accuracy there is
compared with its accuracy on all other test digits, which nobody looked at. Writes one JSON file,
which the gallery of mistakes reads::

    OMP_NUM_THREADS=1 python benchmarks/chosen_on_test.py
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from data_hunger import Job, about, new_network, train
from torch import Tensor, nn

from vit_core import ViTConfig
from vit_core.data import DataInfo, Split, mnist, normalize
from vit_core.storage.atomic import write_atomically

RECORDED_RUNS = Path(__file__).parents[1] / "explainer" / "training" / "recorded_runs"
SHAPE = ViTConfig(patch_size=7, embed_dim=32, depth=2, num_heads=4, pool="mean")
DIGITS, STEPS, RATE = 10_000, 300, 4e-3
CANDIDATES = (1, 3, 10, 30)  # models to choose from
SEEN = (100, 300, 1_000, 3_000)  # test digits by which the choice is made
DRAWS = 2_000


@torch.no_grad()
def right_answers(network: nn.Module, split: Split, info: DataInfo) -> Tensor:
    """Return for each image whether the network reads it right, (n,) bool."""
    network.eval()
    return torch.cat(
        [
            network(normalize(batch.images, info)).argmax(dim=1) == split.labels[batch.indices]
            for batch in split.in_order(500)
        ]
    )


def flattery(
    right: Tensor, models: int, seen: int, draws: int, generator: torch.Generator
) -> dict[str, float]:
    """Choose among ``models`` by ``seen`` images, ``draws`` times, and return mean accuracies.

    Args:
        right: (models, n) bool, whether each of all models reads each image right.

    Returns:
        "on_seen" and "on_fresh": the chosen model's accuracy on the images that chose it and on all
        others. "spread": the standard deviation of their difference over the draws.
    """
    count, images = right.shape
    differences, on_seen = [], []
    for _ in range(draws):
        some = right[torch.randperm(count, generator=generator)[:models]]
        order = torch.randperm(images, generator=generator)
        sums = some[:, order[:seen]].sum(dim=1)
        chosen = int(sums.argmax())
        fresh = (some[chosen].sum() - sums[chosen]) / (images - seen)
        on_seen.append(float(sums[chosen] / seen))
        differences.append(on_seen[-1] - float(fresh))
    mean, gap = sum(on_seen) / draws, torch.tensor(differences, dtype=torch.float64)
    return {
        "on_seen": round(mean, 5),
        "on_fresh": round(mean - gap.mean().item(), 5),
        "spread": round(gap.std().item(), 5),
    }


def table(right: Tensor, draws: int = DRAWS) -> list[dict[str, Any]]:
    """Return ``flattery`` for each number of models and of images."""
    generator = torch.Generator().manual_seed(0)
    return [
        {"models": models, "seen": seen} | flattery(right, models, seen, draws, generator)
        for models in CANDIDATES
        for seen in SEEN
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=RECORDED_RUNS / "chosen-on-test.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    data, rows = mnist(), []
    for seed in range(max(CANDIDATES)):
        network = new_network("vit", seed, SHAPE)
        train(Job("vit", DIGITS, False, seed), data, STEPS, RATE, network, keep_curve=False)
        rows.append(right_answers(network, data.test, data.info))
        print(seed, f"{rows[-1].float().mean().item():.4f}", flush=True)
    right = torch.stack(rows)
    content = about("chosen_on_test.py") | {
        "digits": DIGITS,
        "steps": STEPS,
        "parameters": SHAPE.num_parameters,
        "draws": DRAWS,
        "accuracies": [round(value, 4) for value in right.double().mean(dim=1).tolist()],
        "table": table(right),
    }
    write_atomically(options.out, (json.dumps(content, indent=2) + "\n").encode())


if __name__ == "__main__":
    main()
