"""Whether runs survive ``kill -9``: a worker dies in random moments, and the run is resumed.

    python benchmarks/kills.py

Each run is killed once, somewhere between its start and its end, and then resumed after its last
whole epoch. It counts only if the resumed run ends with exactly the weights and the test accuracy
of the run that nobody killed.
"""

import argparse
import random
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import psutil
import torch

from explainer.training import Manager, Run, RunRequest
from explainer.training.limits import load_limits
from vit_core import TrainConfig, ViTConfig, load_checkpoint

REQUEST = RunRequest(
    ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2, pool="mean"),
    TrainConfig(epochs=3, batch_size=512, augment="affine"),
)


def wait(manager: Manager, run: Run) -> Run:
    while (found := manager.find(run.id)).is_active:
        time.sleep(0.05)
    return found


def weights(run: Run) -> dict[str, torch.Tensor]:
    return load_checkpoint(run.history.checkpoint()).model.state_dict()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    moments = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        manager = Manager(Path(folder), replace(load_limits(), runs_at_once=1))
        try:
            survived = measure(manager, moments, options.kills)
        finally:
            manager.close()
    print(f"\n{survived} of {options.kills} runs ended as the run that nobody killed")


def measure(manager: Manager, moments: random.Random, kills: int) -> int:
    began = time.monotonic()
    whole = wait(manager, manager.start("nobody", REQUEST))
    length = time.monotonic() - began
    expected, accuracy = weights(whole), whole.history.test_accuracy
    print(f"undisturbed: {length:.1f} s, test accuracy {accuracy:.2%}")
    print("| killed after | whole epochs then | resumed to | equal |\n|---|---|---|---|")
    survived = 0
    for number in range(kills):
        name, after = f"visitor {number}", moments.uniform(0.0, length)
        run = manager.start(name, REQUEST)
        time.sleep(after)
        if manager.find(run.id).is_active:
            psutil.Process(manager.process_id_of(run.id)).kill()
        found = wait(manager, run)
        kept = len(found.history.epochs()) - 1
        if found.status != "finished":
            manager.resume(name, run.id)
            found = wait(manager, run)
        done = found.status == "finished"
        equal = done and all(
            torch.equal(value, expected[key]) for key, value in weights(found).items()
        )
        equal = equal and found.history.test_accuracy == accuracy
        survived += equal
        print(
            f"| {after:.2f} s | {kept} | {found.status} | {'yes' if equal else 'NO'} |", flush=True
        )
    return survived


if __name__ == "__main__":
    main()
