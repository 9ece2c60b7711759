"""What warm-up and decay of the learning rate do: the same run with and without them.

Trains the preset ``fast`` for three epochs, with the recipe of the recorded healthy run
(explainer/training/recorded_runs), with each of four schedules. With four times the usual learning
rates, which is where a warm-up should matter most, it trains with and without it. Writes one JSON
file, which the page "How it learns" reads. A training whose result is already in the file is left
out, so the command can be stopped and started again::

    OMP_NUM_THREADS=1 python benchmarks/schedules.py
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from data_hunger import RECORDED, about, save

from vit_core import PRESETS, TrainConfig, build
from vit_core.data import ImageData, mnist
from vit_core.training.evaluation import evaluate
from vit_core.training.events import EpochEnd, StepEnd
from vit_core.training.loop import Training

MODEL = PRESETS["fast"].model
RECIPE = replace(
    PRESETS["fast"].train, epochs=3, lr=0.003, augment_strength=0.5, clean_fraction=0.2
)
SCHEDULES = {
    "both": {},
    "no_warmup": {"warmup": 0.0},
    "no_decay": {"schedule": "constant"},
    "neither": {"warmup": 0.0, "schedule": "constant"},
}
# schedule, and by what the usual learning rates are multiplied
JOBS = (*((schedule, 1) for schedule in SCHEDULES), ("both", 4), ("no_warmup", 4))
EVERY = 33  # steps between two points of a curve; it divides the steps of an epoch
SEEN = 2_000  # validation digits of a point


def settings(schedule: str, times: int, seed: int) -> TrainConfig:
    """Return the recipe with a schedule, its learning rates multiplied."""
    config = replace(RECIPE, **SCHEDULES[schedule], seed=seed)  # type: ignore[arg-type]
    return replace(config, lr=times * config.lr, muon_lr=times * config.muon_lr)


def run(config: TrainConfig, data: ImageData, model: Any = MODEL) -> dict[str, Any]:
    """Train and return the curve: a point for each ``EVERY`` steps, and the end of the run."""
    training = Training(build(model, config.seed), data, config)
    some = data.val.first(SEEN)
    curve: list[dict[str, float]] = []
    losses: list[float] = []
    started, scoring = time.process_time(), 0.0
    final = 0.0
    for epoch in range(1, config.epochs + 1):
        for event in training.run_epoch(epoch):
            if isinstance(event, EpochEnd):
                final = event.val_accuracy
            if not isinstance(event, StepEnd):
                continue
            losses.append(event.train_loss)
            if event.step % EVERY and event.step != training.total_steps:
                continue
            before = time.process_time()
            seen = evaluate(training.eval_model, some, data.info)
            scoring += time.process_time() - before
            curve.append(
                {
                    "step": event.step,
                    "lr": round(event.lr, 8),
                    "train_loss": round(sum(losses) / len(losses), 5),
                    "val_loss": round(seen.loss, 5),
                    "val_accuracy": round(seen.accuracy, 5),
                }
            )
            losses.clear()
    seconds = time.process_time() - started - scoring
    return {"validation_accuracy": final, "seconds": round(seconds, 2), "curve": curve}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=(0,))
    parser.add_argument("--out", type=Path, default=RECORDED / "schedule.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = mnist()
    if options.out.exists():
        content = json.loads(options.out.read_text("utf-8"))
    else:
        content = about("schedules.py") | {
            "recipe": "fast, 3 epochs, lr 0.003, muon_lr 0.02, augment_strength 0.5, "
            "clean_fraction 0.2, warmup 0.1, schedule linear",
            "steps": len(data.train) // RECIPE.batch_size * RECIPE.epochs,
            "points_on": SEEN,
            "runs": [],
        }
    done = {(entry["schedule"], entry["times"], entry["seed"]) for entry in content["runs"]}
    for seed in options.seeds:
        for schedule, times in JOBS:
            if (schedule, times, seed) in done:
                continue
            entry = {"schedule": schedule, "times": times, "seed": seed}
            entry |= run(settings(schedule, times, seed), data)
            content["runs"].append(entry)
            save(options.out, content)
            print({k: v for k, v in entry.items() if k != "curve"}, flush=True)


if __name__ == "__main__":
    main()
