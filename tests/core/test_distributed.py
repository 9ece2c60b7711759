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
from folder_data import make_folder

from vit_core import load_checkpoint
from vit_core.runs import train_command as command
from vit_core.runs.history import RunHistory
from vit_core.training.processes import Group, choose_device

SHAPE = [
    *("--image-size", "8", "--patch-size", "4", "--embed-dim", "12", "--depth", "2"),
    *("--num-heads", "2", "--threads", "1", "--log-every", "1", "--precision", "fp32"),
    # Muon computes in bfloat16 and would make a rounding visible
    *("--optimizer", "adamw", "--lr", "0.01"),
]
EVERYTHING = [
    *("--augment", "elastic", "--flip", "--patch-drop", "0.4", "--dropout", "0.1"),
    *("--randaugment", "5", "--mixup", "0.4", "--cutmix", "1", "--grad-accumulation", "2"),
    *("--clip-norm", "0.5", "--ema", "0.9", "--clean-fraction", "0.3"),
]
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


def torchrun(*arguments: str, processes: int = 2) -> subprocess.Popen[str]:
    """Start processes that train; torchrun finds a free port by itself."""
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    return subprocess.Popen(
        [sys.executable, *start, "-m", "vit_core.train", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
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


@pytest.mark.parametrize("settings", [EVERYTHING, CROPS], ids=["everything", "crops"])
def test_two_processes_have_the_curve_of_one(
    folder: Path, tmp_path: Path, settings: list[str]
) -> None:
    both = torchrun(*words(folder, tmp_path / "two", *settings, "--epochs", "2"))
    assert command.main(words(folder, tmp_path / "one", *settings, "--epochs", "2")) == 0
    out, said = finish(both)
    assert out.count("test accuracy") == 1, "one process speaks for all"
    assert "warn" not in said.lower()
    assert_same_curve(tmp_path / "one", tmp_path / "two")
    losses = [line["train_loss"] for line in metrics(tmp_path / "one")]
    assert len(set(losses)) > 4
    names = [sorted(file.name for file in (tmp_path / n).iterdir()) for n in ("one", "two")]
    assert names[0] == names[1]


def rank_of(process: int) -> str | None:
    entries = Path(f"/proc/{process}/environ").read_text().split("\0")
    return dict(entry.split("=", 1) for entry in entries if "=" in entry).get("RANK")


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds processes in /proc")
@pytest.mark.parametrize("killed", ["0", "1"])
def test_one_process_killed_stops_all_and_the_run_goes_on(
    folder: Path, tmp_path: Path, killed: str
) -> None:
    # slow enough for a rounding to stay one over all these steps
    epochs = ["--epochs", "60", "--lr", "0.001"]
    run = tmp_path / "run"
    both = torchrun(*words(folder, run, *epochs))
    assert both.stderr is not None
    while len(metrics(run)) < 4:  # each read waits for the bar to move
        assert both.stderr.read(20), "it ended too soon"
    children = Path(f"/proc/{both.pid}/task/{both.pid}/children").read_text().split()
    (victim,) = [int(child) for child in children if rank_of(int(child)) == killed]
    os.kill(victim, signal.SIGKILL)
    _, said = finish(both, code=1)
    ours = said.split("torch/distributed/")[0]
    assert "--resume" in said and "torchrun --nproc-per-node 2" in said
    assert "Traceback" not in ours, ours
    assert "test_accuracy" not in metrics(run)[-1]

    assert command.main(["--run-dir", str(run), "--resume", "--log-every", "1"]) == 0
    assert command.main(words(folder, tmp_path / "whole", *epochs)) == 0
    assert_same_curve(tmp_path / "whole", run)
    assert load_checkpoint(run / "final.safetensors").metrics["epoch"] == 60


def test_two_processes_go_on_where_one_was_stopped(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ["--epochs", "2", "--ema", "0.9"]
    run_step = command.Training.run_step

    def interrupt(self: Any, step: int, *rest: Any) -> Any:
        if step == 3:
            raise KeyboardInterrupt
        return run_step(self, step, *rest)

    assert command.main(words(folder, tmp_path / "whole", *settings)) == 0
    with monkeypatch.context() as patch:
        patch.setattr(command.Training, "run_step", interrupt)
        assert command.main(words(folder, tmp_path / "run", *settings)) == 130
    finish(torchrun("--run-dir", str(tmp_path / "run"), "--resume", "--log-every", "1"))
    assert_same_curve(tmp_path / "whole", tmp_path / "run")


def test_a_mistake_is_said_once_and_ends_all(folder: Path, tmp_path: Path) -> None:
    wrong = words(folder, tmp_path / "run", "--epochs", "1", "--batch-size", "33")
    _, said = finish(torchrun(*wrong), code=1)
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


def test_one_torchrun_process_is_a_process_alone(folder: Path, tmp_path: Path) -> None:
    settings = words(folder, tmp_path / "run", "--epochs", "1")
    finish(torchrun(*settings, processes=1))
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
