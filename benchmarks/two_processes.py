"""Two processes under torchrun with one thread each against one process with two threads.

Both train the same epochs of MNIST by the command line, in turns; throughput is that of the steps,
without start and validation, and the losses of all steps are compared. It needs two idle cores.

The optimizer is AdamW: Muon magnifies a rounding to what another number of threads makes of it as
well.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from timing import hardware, print_table

from vit_core.runs.history import RunHistory

ALONE = [sys.executable, "-m", "vit_core.train", "--threads", "2"]
BOTH = [
    *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
    *("-m", "vit_core.train", "--threads", "1"),
]


def train(command: list[str], run: Path, settings: list[str]) -> RunHistory:
    done = subprocess.run(
        [*command, "--run-dir", str(run), "--log-every", "1", *settings],
        capture_output=True,
        encoding="utf-8",
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return RunHistory(run)


def steps(history: RunHistory) -> list[dict]:
    return [line for line in history.metrics() if line.get("lr") is not None]


def throughput(history: RunHistory) -> float:
    """Return images a second between the tenth step of an epoch and its last, over all epochs."""
    images = seconds = 0.0
    for epoch in history.epochs()[1:]:
        lines = [line for line in steps(history) if line["epoch"] == epoch][9:]
        images += (lines[-1]["step"] - lines[0]["step"]) * history.config.train.batch_size
        seconds += lines[-1]["seconds"] - lines[0]["seconds"]
    return images / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--preset", default="best")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=128)
    options = parser.parse_args()
    settings = ["--preset", options.preset, "--epochs", str(options.epochs)]
    settings += ["--batch-size", str(options.batch_size), "--optimizer", "adamw"]
    root = Path(tempfile.mkdtemp(prefix="two-processes-"))
    rows = []
    ratios = []
    try:
        for turn in range(options.rounds):
            order = [("alone", ALONE), ("both", BOTH)][:: 1 if turn % 2 == 0 else -1]
            found = {
                name: train(command, root / f"{name}-{turn}", settings) for name, command in order
            }
            alone, both = throughput(found["alone"]), throughput(found["both"])
            ratios.append(both / alone)
            apart = [
                abs(one["train_loss"] - two["train_loss"])
                for one, two in zip(steps(found["alone"]), steps(found["both"]), strict=True)
            ]
            rows.append(
                (
                    f"{alone:,.0f}",
                    f"{both:,.0f}",
                    f"{both / alone:.2f} ×",
                    f"{max(apart[:50]):.1e}",
                    f"{max(apart):.1e}",
                )
            )
    finally:
        shutil.rmtree(root)
    print_table(
        (
            "one process, 2 threads: images a second",
            "two processes",
            "ratio",
            "losses apart, 50 steps",
            "all steps",
        ),
        rows,
    )
    print(f"\n{options.preset}: median ratio {statistics.median(ratios):.2f} ×; {hardware()}")


if __name__ == "__main__":
    main()
