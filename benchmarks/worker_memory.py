"""The memory of one training process while it trains presets of the app.

    python benchmarks/worker_memory.py --presets fast default

A manager starts each run as the app does, and this stops it after some seconds.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import psutil

from explainer.training import Manager, RunRequest
from explainer.training.limits import load_limits
from vit_core import PRESETS


def most_memory(manager: Manager, name: str, seconds: float) -> tuple[float, float]:
    """Return the last and the most resident memory of the process, in MB (of 10⁶ bytes)."""
    preset = PRESETS[name]
    run = manager.start(name, RunRequest(preset.model, preset.train))
    readings: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end and manager.find(run.id).is_active:
        if process := manager.process_id_of(run.id):
            readings.append(psutil.Process(process).memory_info().rss / 1e6)
        time.sleep(0.2)
    manager.stop(name, run.id)
    while manager.find(run.id).is_active:
        time.sleep(0.1)
    return readings[-1], max(readings)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--presets", nargs="+", default=["fast", "default"])
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    print("| preset | at the end | at most |\n|---|---|---|")
    for name in options.presets:
        with tempfile.TemporaryDirectory() as folder:
            manager = Manager(Path(folder), replace(load_limits(), runs_at_once=1))
            try:
                last, most = most_memory(manager, name, options.seconds)
            finally:
                manager.close()
        print(f"| {name} | {last:.0f} MB | {most:.0f} MB |", flush=True)


if __name__ == "__main__":
    main()
