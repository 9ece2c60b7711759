"""How many digits do a Vision Transformer, a CNN and a linear classifier need?

Trains each of them on 100 to 55,000 digits, with and without augmentation, with several seeds, and
writes one JSON file, which the page "How it learns" reads. Every training has the same number of
steps. A training whose result is already in the file is left out, so the command can be stopped
and started again::

    OMP_NUM_THREADS=1 python benchmarks/data_hunger.py

The digits of a small set are the first of each class, as many of each, as the training command
takes them with ``--limit-per-class``. All seeds have the same digits; a seed draws the weights, the
order and the augmentation. Learning rates were chosen by ``--rates``, on the validation digits.
"""

import argparse
import datetime
import json
import math
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from small_cnn import Linear, SmallCNN
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from vit_core import TrainConfig, ViTConfig, build
from vit_core.data import DataInfo, Split, mnist, normalize
from vit_core.data.augmentation import augment
from vit_core.data.limit import first_of_each
from vit_core.storage.atomic import write_atomically
from vit_core.training.optimizers import build_optimizers, lr_factor, set_lr

RECORDED = Path(__file__).parents[1] / "explainer" / "views" / "learning" / "recorded"
SIZES = (100, 300, 1_000, 3_000, 10_000, 55_000)
MODELS = ("vit", "cnn", "linear")
STEPS = 858  # two passes over 55,000 digits
CURVE_SIZE = 300  # digits of the trainings whose curves are kept
CURVE_POINTS = 26
SCORED = 5_000  # training digits, at most, on which a trained model is scored
VIT = ViTConfig(patch_size=7, embed_dim=48, depth=3, num_heads=4, pool="mean")
# the recipe of the preset fast; other models have AdamW for all parameters
RECIPE = TrainConfig(batch_size=128, augment="affine", clean_fraction=0.1)
RATES = {"vit": 4e-3, "cnn": 4e-3, "linear": 1e-3}  # of AdamW; Muon's is ten times the ViT's
TRIED = {  # on 1,000 digits
    "vit": (1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2),
    "cnn": (1e-3, 2e-3, 4e-3, 8e-3),
    "linear": (3e-4, 1e-3, 3e-3),
}


@dataclass(frozen=True)
class Job:
    """One training.

    Attributes:
        digits: number of training digits.
        augment: whether each digit is turned, scaled, sheared and moved a little in each step.
    """

    model: str
    digits: int
    augment: bool
    seed: int

    def is_done(self, runs: list[dict[str, Any]]) -> bool:
        mine = vars(self)
        return any(all(run[key] == value for key, value in mine.items()) for run in runs)


def subset(train: Split, digits: int) -> Split:
    """Return ``digits`` training images, as many of each of the ten classes."""
    if digits >= len(train):
        return train
    chosen = first_of_each(train, digits // 10)
    assert isinstance(chosen, Split), "these images are in memory"
    return chosen


def new_network(model: str, seed: int, vit: ViTConfig = VIT) -> nn.Module:
    """Return a new network; the caller's random state stays as it was."""
    if model == "vit":
        return build(vit, seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SmallCNN() if model == "cnn" else Linear()


def optimizers_of(model: str, network: nn.Module, rate: float) -> list[Optimizer]:
    config = replace(RECIPE, lr=rate, muon_lr=10 * rate)
    if model == "vit":
        return build_optimizers(network, config)  # type: ignore[arg-type]
    matrices = [p for p in network.parameters() if p.ndim >= 2]
    rest = [p for p in network.parameters() if p.ndim < 2]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": rest, "weight_decay": 0.0},
    ]
    optimizer = AdamW(groups, lr=rate, betas=(0.9, config.beta2), fused=True)
    for group in optimizer.param_groups:
        group["peak_lr"] = rate
    return [optimizer]


def batches(count: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield indices for step after step without end; each pass over the images is shuffled anew."""
    size = min(size, count)
    while True:
        order = torch.randperm(count, generator=generator)
        yield from order[: count // size * size].split(size)


def curve_steps(steps: int, points: int = CURVE_POINTS) -> set[int]:
    """Return the steps after which a curve has a point: close at first, then wide apart."""
    return {round(math.exp(math.log(steps) * i / (points - 1))) for i in range(points)}


@torch.no_grad()
def score(network: nn.Module, split: Split, info: DataInfo) -> tuple[float, float]:
    """Return the mean loss in nats and the accuracy, in evaluation mode."""
    was_training = network.training
    network.eval()
    total = right = 0.0
    for batch in split.in_order(500):
        labels = split.labels[batch.indices]
        logits = network(normalize(batch.images, info))
        total += F.cross_entropy(logits, labels, reduction="sum").item()
        right += (logits.argmax(dim=1) == labels).sum().item()
    network.train(was_training)
    return total / len(split), right / len(split)


def train(
    job: Job, data: Any, steps: int, rate: float, network: nn.Module, keep_curve: bool
) -> dict[str, Any]:
    """Train ``network`` in place and return the curve and the seconds.

    Args:
        data: as ``vit_core.data.mnist`` returns it.
        keep_curve: whether to score the model on the way, on its digits and the validation digits.
    """
    digits = subset(data.train, job.digits)
    optimizers = optimizers_of(job.model, network, rate)
    generator = torch.Generator().manual_seed(1_000_003 * job.seed + 1)
    order = batches(len(digits), RECIPE.batch_size, generator)
    points = curve_steps(steps) if keep_curve else set()
    curve: list[dict[str, float]] = []
    size = min(RECIPE.batch_size, len(digits))
    seconds = 0.0
    network.train()
    for step in range(steps):
        started = time.process_time()
        indices = next(order)
        images, labels = digits.images[indices], digits.labels[indices]
        if job.augment and step < (1 - RECIPE.clean_fraction) * steps:
            images = augment(images, RECIPE.augment, RECIPE.augment_strength, generator)
        loss = F.cross_entropy(network(normalize(images, data.info)), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        set_lr(optimizers, lr_factor(step, steps, RECIPE))
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        seconds += time.process_time() - started
        if step + 1 in points:
            train_loss, train_accuracy = score(network, digits.first(SCORED), data.info)
            val_loss, val_accuracy = score(network, data.val, data.info)
            curve.append(
                {
                    "step": step + 1,
                    "epoch": round((step + 1) / (len(digits) // size), 2),
                    "train_loss": round(train_loss, 5),
                    "train_accuracy": round(train_accuracy, 5),
                    "val_loss": round(val_loss, 5),
                    "val_accuracy": round(val_accuracy, 5),
                }
            )
    return {"curve": curve, "seconds": round(seconds, 4)}


def run(job: Job, data: Any, steps: int = STEPS, vit: ViTConfig = VIT) -> dict[str, Any]:
    """Return one training's entry in the file; the test digits are seen once, at its end."""
    network = new_network(job.model, job.seed, vit)
    trained = train(job, data, steps, RATES[job.model], network, job.digits == CURVE_SIZE)
    digits = subset(data.train, job.digits)
    entry = vars(job) | {"steps": steps, "seconds": trained["seconds"]}
    for name, split in (
        ("train", digits.first(SCORED)),
        ("validation", data.val),
        ("test", data.test),
    ):
        loss, accuracy = score(network, split, data.info)
        entry |= {f"{name}_loss": round(loss, 5), f"{name}_accuracy": round(accuracy, 5)}
    return entry | ({"curve": trained["curve"]} if trained["curve"] else {})


def try_rates(data: Any, digits: int = 1_000, seed: int = 100) -> list[dict[str, Any]]:
    """Train each model with each of its learning rates; return the validation accuracies."""
    found = []
    for model, rates in TRIED.items():
        for rate in rates:
            network = new_network(model, seed)
            train(Job(model, digits, False, seed), data, STEPS, rate, network, False)
            _, accuracy = score(network, data.val, data.info)
            found.append({"model": model, "rate": rate, "validation_accuracy": round(accuracy, 5)})
            print(found[-1], flush=True)
    return found


def about(script: str) -> dict[str, Any]:
    """Return what a recorded file says first: how, when and where it was made."""
    return {
        "command": f"OMP_NUM_THREADS=1 python benchmarks/{script}",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "hardware": hardware(),
        "torch": torch.__version__.split("+")[0],
        "threads": torch.get_num_threads(),
    }


def header() -> dict[str, Any]:
    """Return what the file says of all its runs."""
    return about("data_hunger.py") | {
        "steps": STEPS,
        "batch_size": RECIPE.batch_size,
        "parameters": {
            model: sum(p.numel() for p in new_network(model, 0).parameters()) for model in MODELS
        },
        "rates": RATES,
        "rates_tried": [],
        "runs": [],
    }


def hardware() -> str:
    """Return the processor's name, where Linux says it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return name


def all_jobs(
    seeds: Sequence[int], models: Sequence[str] = MODELS, sizes: Sequence[int] = SIZES
) -> list[Job]:
    """Return all trainings; every seed's are done before the next seed's begin."""
    return [
        Job(model, digits, augmented, seed)
        for seed in seeds
        for digits in sizes
        for augmented in (False, True)
        for model in models
    ]


def save(path: Path, content: dict[str, Any]) -> None:
    """Write the file whole or not at all; each run is one line."""
    head = {key: value for key, value in content.items() if key != "runs"}
    text = json.dumps(head, indent=2)[:-2] + ',\n  "runs": [\n'
    text += ",\n".join("    " + json.dumps(entry) for entry in content["runs"])
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (text + "\n  ]\n}\n").encode())


def kept(path: Path) -> dict[str, Any]:
    """Return what the file has so far."""
    if not path.exists():
        return header()
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=(0, 1))
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--sizes", nargs="+", type=int, choices=SIZES, default=SIZES)
    parser.add_argument("--out", type=Path, default=RECORDED / "data_hunger.json")
    parser.add_argument("--rates", action="store_true", help="only try learning rates")
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = mnist()
    if options.rates:
        save(options.out, kept(options.out) | {"rates_tried": try_rates(data)})
        return
    for job in all_jobs(options.seeds, options.models, options.sizes):
        if job.is_done(kept(options.out)["runs"]):
            continue
        entry = run(job, data)
        content = kept(options.out)  # another process may train the other models
        content["runs"].append(entry)
        save(options.out, content)
        print({k: v for k, v in entry.items() if k != "curve"}, flush=True)


if __name__ == "__main__":
    main()
