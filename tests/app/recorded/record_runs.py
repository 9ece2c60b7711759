"""Writes the run folders beside this file, and what they must give for ever.

    PYTHONPATH=CHECKOUT python tests/app/recorded/record_runs.py

CHECKOUT is the version that writes them. The folders in the repository were written by version
0.1.0, at the commit before the rooms of ``explainer`` and ``vit_core``; the tests open them with
today's version. Record again only when a change is meant to end what older versions wrote, and
say so in the changelog. The imports below are today's; the version of then had ``Manager`` in
``explainer.runs``. ``tests/app/recorded_links.py`` comes next, since its links open these runs.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors.torch import save_file

from explainer.training import Manager, RunRequest, load_limits
from vit_core import TrainConfig, ViTConfig, load_checkpoint, save_checkpoint
from vit_core.data import mnist_info, mnist_test, normalize

HERE = Path(__file__).parent
APP = HERE / "runs"  # as the app keeps its runs
COMMAND = HERE / "models"  # as somebody keeps runs of the command line
EXPECTED = HERE / "runs.json"
RESUMED = HERE / "resumed.safetensors"
HALF = HERE / "half.safetensors"
VISITOR = "visitor-of-the-recorded-runs-000"  # the secret that the notes have the hash of
PATIENCE = 300.0  # seconds

MODEL = ViTConfig(patch_size=14, embed_dim=8, depth=1, num_heads=2)
TRAIN = TrainConfig(epochs=2, batch_size=512)
MISTAKEN = (
    *("--preset", "fast", "--patch-size", "14", "--embed-dim", "8", "--depth", "1"),
    *("--num-heads", "2", "--epochs", "1", "--batch-size", "1024", "--no-scale-scores"),
    *("--threads", "1"),
)


def logits_of(path: Path) -> list[float]:
    """Return what a checkpoint says of the first test digit."""
    with torch.no_grad():
        logits = load_checkpoint(path).model(normalize(mnist_test().images[:1], mnist_info()))
    return [round(logit, 6) for logit in logits[0].tolist()]


def measured(folder: Path) -> dict[str, Any]:
    """Return the lines of whole epochs without times, and what each checkpoint says."""
    lines = map(json.loads, (folder / "metrics.jsonl").read_text("utf-8").splitlines())
    return {
        "epochs": [
            {name: value for name, value in line.items() if name != "seconds"}
            for line in lines
            if line.get("val_accuracy") is not None
        ],
        "logits": {
            path.stem: logits_of(path)
            for pattern in ("epoch-*", "final.*")
            for path in sorted(folder.glob(pattern))
        },
    }


def wait_until(is_true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_true():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.002)


def train(*arguments: str) -> None:
    """Train from here: the command is written down with the run, folders and all."""
    subprocess.run([sys.executable, "-m", "vit_core.train", *arguments], check=True, cwd=HERE)


def record_app() -> tuple[str, str]:
    """Let the app train one run to its end and stop one after an epoch; return their ids."""
    manager = Manager(APP, load_limits(), recorded=APP / "none")
    request = RunRequest(MODEL, TRAIN)
    finished = manager.start(VISITOR, request).id
    wait_until(lambda: not manager.find(finished).is_active)
    stopped = manager.start(VISITOR, request).id
    state = manager.store.folder(stopped) / "state.safetensors"
    wait_until(state.exists)
    manager.stop(VISITOR, stopped)
    wait_until(lambda: not manager.find(stopped).is_active)
    manager.close()
    found = [manager.find(finished).status, manager.find(stopped).status]
    if found != ["finished", "stopped"] or manager.find(stopped).history.epochs() != (0, 1):
        raise RuntimeError(f"{found}: the second run was not stopped after its first epoch")
    return finished, stopped


def main() -> None:
    for folder in (APP, COMMAND):
        shutil.rmtree(folder, ignore_errors=True)
    finished, stopped = record_app()
    mistaken = COMMAND / "by-command"
    train(*MISTAKEN, "--run-dir", f"{COMMAND.name}/{mistaken.name}")
    with TemporaryDirectory() as place:
        resumed = Path(place) / "resumed"
        shutil.copytree(APP / stopped, resumed)
        train("--run-dir", str(resumed), "--resume")
        model = load_checkpoint(resumed / "final.safetensors").model
        save_file(model.state_dict(), RESUMED)
        after = measured(resumed)
    first = load_checkpoint(APP / finished / "final.safetensors")
    save_checkpoint(first.model, HALF, train_config=first.train_config, data=first.data, half=True)
    expected = {
        "visitor": VISITOR,
        "finished": {"id": finished, **measured(APP / finished)},
        "stopped": {"id": stopped, **measured(APP / stopped)},
        "resumed": after,
        "mistaken": {"id": mistaken.name, **measured(mistaken)},
        "half": {"logits": logits_of(HALF)},
    }
    EXPECTED.write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
