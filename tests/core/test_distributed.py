"""Processes that share a run: the same curve as one alone, one that is killed, resuming."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from folder_data import make_folder

from vit_core import load_checkpoint
from vit_core.runs import train_command as command
from vit_core.runs.history import RunHistory
from vit_core.training.processes import Group, choose_device

SHAPE = [
    *("--image-size", "8", "--patch-size", "4", "--embed-dim", "12", "--depth", "2"),
    *("--num-heads", "2", "--threads", "1", "--log-every", "1", "--precision", "fp32"),
    # Muon would make a rounding visible
    *("--optimizer", "adamw", "--lr", "0.01"),
]
EVERYTHING = [
    *("--augment", "elastic", "--flip", "--patch-drop", "0.4", "--dropout", "0.1"),
    *("--randaugment", "5", "--mixup", "0.4", "--cutmix", "1", "--grad-accumulation", "2"),
    *("--clip-norm", "0.5", "--ema", "0.9", "--clean-fraction", "0.3"),
]
TRAIN = ["-m", "vit_core.train"]
KILLED = Path(__file__).with_name("killed_training.py")
PROJECT = Path(__file__).parents[2]
CROPS = ["--memory", "0", "--workers", "0", "--augment", "crop", "--mixup", "0.4"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("images") / "pets", {"train": 30, "test": 6})


@pytest.fixture(autouse=True)
def same_signals() -> Iterator[None]:
    """Leave this process's signals as they are."""
    kept = [(kind, signal.getsignal(kind)) for kind in (signal.SIGINT, signal.SIGTERM)]
    yield
    for kind, handler in kept:
        signal.signal(kind, handler)


def words(folder: Path, run: Path, *extra: str) -> list[str]:
    return ["--dataset", str(folder), "--run-dir", str(run), *SHAPE, "--batch-size", "32", *extra]


def torchrun(*arguments: str) -> subprocess.Popen[str]:
    """Start two processes; torchrun finds a free port by itself."""
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return subprocess.Popen(
        [sys.executable, *start, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
    )


def finish(process: subprocess.Popen[str], code: int = 0) -> tuple[str, str]:
    """Wait for the end, expect an exit code, and return what was said without the bar."""
    out, error = process.communicate(timeout=120)
    assert process.returncode == code, error
    kept = [line for line in re.split(r"[\r\n]", error) if line and "images/s" not in line]
    return out, "\n".join(kept)


def metrics(run: Path) -> list[dict[str, Any]]:
    return RunHistory(run).metrics()


def assert_same_curve(first: Path, second: Path) -> None:
    one, two = metrics(first), metrics(second)
    assert [line["step"] for line in one] == [line["step"] for line in two]
    for name in ("train_loss", "train_accuracy", "val_loss", "test_loss", "test_accuracy", "lr"):
        found, expected = ([line.get(name) for line in lines] for lines in (two, one))
        assert found == [pytest.approx(value, abs=2e-4) for value in expected], name


def test_two_processes_have_the_curve_of_one(folder: Path, tmp_path: Path) -> None:
    both = torchrun(*TRAIN, *words(folder, tmp_path / "two", *EVERYTHING, "--epochs", "2"))
    assert command.main(words(folder, tmp_path / "one", *EVERYTHING, "--epochs", "2")) == 0
    out, said = finish(both)
    assert out.count("test accuracy") == 1, "one process speaks for all"
    assert "warn" not in said.lower()
    assert_same_curve(tmp_path / "one", tmp_path / "two")
    losses = [line["train_loss"] for line in metrics(tmp_path / "one")]
    assert len(set(losses)) > 4
    names = [sorted(file.name for file in (tmp_path / n).iterdir()) for n in ("one", "two")]
    assert names[0] == names[1]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system kills in another way")
@pytest.mark.parametrize(
    ("killed", "begun_by", "settings"),
    # each process is killed once; either two begin, reading files, or they take over from one
    [(0, 2, CROPS), (1, 1, ["--ema", "0.9"])],
    ids=["main", "other"],
)
def test_one_process_killed_stops_all_and_the_run_goes_on(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    killed: int,
    begun_by: int,
    settings: list[str],
) -> None:
    """One, two or one process again: whoever takes the steps, the curve is that of one alone."""
    run, settings = tmp_path / "run", [*settings, "--epochs", "4"]
    begin = words(folder, run, *settings)
    resume = ["--run-dir", str(run), "--resume", "--log-every", "1"]
    if begun_by == 1:
        with monkeypatch.context() as patch:
            stop_at(patch, step=3)
            assert command.main(begin) == 130
    both = torchrun(str(KILLED), str(killed), "5", *(begin if begun_by == 2 else resume))
    assert command.main(words(folder, tmp_path / "whole", *settings)) == 0
    _, said = finish(both, code=1)
    ours = said.split("torch/distributed/")[0]
    assert "--resume" in said and "torchrun --nproc-per-node 2" in said
    assert "Traceback" not in ours, ours
    last = metrics(run)[-1]  # the main one may be stopped before it writes about step 5
    assert last["step"] in ((5,) if killed == 0 else (4, 5)) and "test_accuracy" not in last

    assert command.main(resume) == 0
    assert_same_curve(tmp_path / "whole", run)
    assert load_checkpoint(run / "final.safetensors").metrics["epoch"] == 4


def stop_at(patch: pytest.MonkeyPatch, step: int) -> None:
    """Let Ctrl-C come before a step, which counts from 0."""
    run_step = command.Training.run_step

    def interrupt(self: Any, at: int, *rest: Any) -> Any:
        if at == step:
            raise KeyboardInterrupt
        return run_step(self, at, *rest)

    patch.setattr(command.Training, "run_step", interrupt)


def test_a_mistake_is_said_once_and_ends_all(folder: Path, tmp_path: Path) -> None:
    wrong = words(folder, tmp_path / "run", "--epochs", "1", "--batch-size", "33")
    _, said = finish(torchrun(*TRAIN, *wrong), code=1)
    assert said.count("error: a batch of 33 cannot be divided evenly among 2 processes") == 1
    assert "nearest batch-size that can: 32 and 34" in said
    assert not (tmp_path / "run").exists()


def test_a_process_knows_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Group.from_environment() == Group(0, 1, 0, 1)
    for name, value in (("RANK", 5), ("WORLD_SIZE", 8), ("LOCAL_RANK", 1), ("LOCAL_WORLD_SIZE", 4)):
        monkeypatch.setenv(name, str(value))
    assert Group.from_environment() == Group(5, 8, 1, 4)


def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert choose_device("auto", 0).type == choose_device("cpu", 3).type == "cpu"
    with pytest.raises(ValueError, match="PyTorch finds no GPU here"):
        choose_device("cuda", 0)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    with pytest.raises(ValueError, match="process 3 of this machine has no GPU, there are 2"):
        choose_device("auto", 2)


def test_one_torchrun_process_is_a_process_alone(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = {"RANK": 0, "WORLD_SIZE": 1, "LOCAL_RANK": 0, "LOCAL_WORLD_SIZE": 1}
    # an address where nobody answers: there is nobody to join
    for name, value in (alone | {"MASTER_ADDR": "localhost", "MASTER_PORT": 1}).items():
        monkeypatch.setenv(name, str(value))
    assert command.main(words(folder, tmp_path / "run", "--epochs", "1")) == 0
    assert not torch.distributed.is_initialized()
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["images"] == 87 and config["is_streamed"] is False
    assert RunHistory(tmp_path / "run").steps_per_epoch == 2


LAST_STEPS = """
import atexit, multiprocessing, time
from vit_core.training.processes import leave

atexit.register(print, "Python's last steps")
reader = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,), daemon=True)
reader.start()
print(reader.pid)
leave(3)
"""


def test_one_process_of_several_ends_without_pythons_last_steps():
    """In those, a thread of gloo's that still holds a tensor would abort it, now and then."""
    several = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}
    for names, expected in (({}, ["Python's last steps"]), (several, [])):
        ended = subprocess.run(
            [sys.executable, "-c", LAST_STEPS],
            env=os.environ | names,
            stdout=subprocess.PIPE,
            text=True,
            timeout=50,  # the reader holds the output open as long as it lives
        )
        assert ended.returncode == 3
        assert ended.stdout.splitlines()[1:] == expected
