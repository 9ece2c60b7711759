"""The command line: what a run writes, stopping, resuming, and every mistake's sentence."""

import dataclasses
import errno
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from training_data import be_quiet, small_mnist

import vit_core.storage.atomic
from vit_core import PRESETS, load_checkpoint
from vit_core.data import open
from vit_core.runs import train_command as command
from vit_core.runs import train_options
from vit_core.runs.command import command_line
from vit_core.runs.evaluate_command import main as evaluate_main
from vit_core.training.evaluation import evaluate
from vit_core.training.loop import Training

SHAPE = ["--patch-size", "14", "--embed-dim", "16", "--depth", "1", "--num-heads", "2"]
RUN = [*SHAPE, "--epochs", "3", "--batch-size", "32", "--threads", "1", "--log-every", "2"]


def be_quick(patch: pytest.MonkeyPatch) -> None:
    """Train on a small part of MNIST, and leave the process's signals alone."""
    patch.setattr(open, "mnist", small_mnist)
    be_quiet(patch)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    be_quick(monkeypatch)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that came to its end, which no test changes."""
    path = tmp_path_factory.mktemp("whole") / "x"
    with pytest.MonkeyPatch.context() as patch:
        be_quick(patch)
        assert run(path) == 0
    return path


@pytest.fixture
def done(whole: Path, tmp_path: Path) -> Path:
    """A copy of that run, for one test to change."""
    return shutil.copytree(whole, tmp_path / "x")


def run(path: Path, *extra: str) -> int:
    return command.main([*RUN, "--run-dir", str(path), *extra])


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]


def without_seconds(path: Path) -> list[dict[str, Any]]:
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines(path)]


def test_what_a_run_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "runs" / "x"
    assert run(path) == 0
    names = sorted(file.name for file in path.iterdir())
    epochs = [f"epoch-{n:03d}.safetensors" for n in range(4)]
    whole = ["config.json", "metrics.jsonl", "hardest.json"]
    assert names == sorted([*whole, "final.safetensors", "state.safetensors", *epochs])
    written = lines(path)
    assert all(
        {"step", "epoch", "train_loss", "val_loss", "val_accuracy"} <= set(w) for w in written
    )
    # 5 steps an epoch, a line for each second one, a line for each epoch, the last line
    assert [w["step"] for w in written] == [2, 4, 5, 6, 8, 10, 10, 12, 14, 15, 15]
    assert [w["val_accuracy"] is None for w in written[:3]] == [True, True, False]
    assert [i for i, w in enumerate(written) if "test_accuracy" in w] == [10]
    final = load_checkpoint(path / "final.safetensors")
    data = small_mnist()
    assert written[-1]["test_accuracy"] == evaluate(final.model, data.test, data.info).accuracy
    assert final.metrics["test_accuracy"] == written[-1]["test_accuracy"]
    assert final.command is not None and "--patch-size 14" in final.command
    assert final.preset == "default" and final.train_config.epochs == 3
    assert load_checkpoint(path / "epoch-000.safetensors").metrics == {"epoch": 0, "step": 0}
    assert "test accuracy" in capsys.readouterr().out


@pytest.mark.parametrize("stop_at_step", [0, 3, 5, 9])
def test_a_run_stopped_anywhere_resumes_to_the_identical_result(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_at_step: int
) -> None:
    stopped = tmp_path / "stopped"
    run_step = Training.run_step

    def interrupt(self: Training, step: int, *rest: Any) -> float:
        if step == stop_at_step:
            raise KeyboardInterrupt
        return run_step(self, step, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "run_step", interrupt)
        assert run(stopped) == 130
    assert command.main(["--run-dir", str(stopped), "--resume", "--log-every", "2"]) == 0
    assert without_seconds(stopped) == without_seconds(whole)
    for name in ("final", "epoch-001", "epoch-002", "epoch-003"):
        first, second = (
            load_checkpoint(path / f"{name}.safetensors").model.state_dict()
            for path in (whole, stopped)
        )
        assert all(torch.equal(first[key], second[key]) for key in first)


def test_a_complete_run_is_not_run_again(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (done / "metrics.jsonl").read_bytes()
    assert run(done, "--resume") == 0
    assert "is complete: test accuracy" in capsys.readouterr().out
    assert (done / "metrics.jsonl").read_bytes() == before


def fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run, expect exit code 2 and one sentence, and return it."""
    assert command.main(list(arguments)) == 2
    # before the sentence there may be the progress bar, which writes over its own line
    *before, message = capsys.readouterr().err.rstrip("\n").splitlines()
    assert message.startswith("error: ")
    assert all("images/s" in line or not line for line in before)
    return message


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--num-heads", "3"], ["not divisible", "15", "18"]),
        (["--patch-size", "5"], ["patch", "4", "7"]),
        (["--lr", "-1"], ["lr", "above 0"]),
        (["--epochs", "0"], ["epochs", "from 1"]),
        (["--image-size", "56"], ["28", "image-size"]),
        (["--num-classes", "5"], ["10 classes", "num-classes"]),
        (["--threads", "0"], ["threads", "from 1"]),
        (["--log-every", "0"], ["log-every", "at least 1"]),
    ],
)
def test_a_setting_that_is_not_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: list[str], words: list[str]
) -> None:
    message = fails(capsys, *RUN, "--run-dir", str(tmp_path / "x"), *extra)
    assert all(word in message for word in words), message
    assert not (tmp_path / "x").exists()


def test_a_used_run_directory_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    assert "already used" in fails(capsys, *RUN, "--run-dir", str(tmp_path))
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
    message = fails(capsys, *RUN, "--run-dir", str(tmp_path / "mine.txt"))
    assert "is a file" in message


def test_a_directory_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    fails(capsys, *RUN, "--run-dir", str(tmp_path / "file" / "x"))


def test_a_full_disk_keeps_what_was_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, replace = tmp_path / "x", os.replace

    def full(source: str, target: Path) -> None:
        if Path(target).name == "epoch-002.safetensors":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(vit_core.storage.atomic.os, "replace", full)
        assert "No space left" in fails(capsys, *RUN, "--run-dir", str(path))
    assert load_checkpoint(path / "epoch-001.safetensors").metrics["epoch"] == 1
    assert not [file for file in path.iterdir() if file.name.startswith(".")]
    assert run(path, "--resume") == 0
    assert len([line for line in lines(path) if "test_accuracy" in line]) == 1


def test_resuming_where_there_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        assert "holds no run" in fails(capsys, "--run-dir", str(path), "--resume")


@pytest.mark.parametrize(
    ("extra", "words"),
    [(["--lr", "0.5"], "lr"), (["--preset", "fast"], "preset"), (["--threads", "2"], "threads")],
)
def test_resuming_with_other_settings(
    done: Path, capsys: pytest.CaptureFixture[str], extra: list[str], words: str
) -> None:
    message = fails(capsys, "--run-dir", str(done), "--resume", *extra)
    assert f"was started with {words}" in message


@pytest.mark.parametrize("name", ["config.json", "state.safetensors"])
@pytest.mark.parametrize("content", [b"", b"{}", b"\x80\x04K\x01.", b"[1]", b"null"])
def test_resuming_a_damaged_run(
    done: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes
) -> None:
    (done / name).write_bytes(content)
    assert "damaged" in fails(capsys, "--run-dir", str(done), "--resume")


def test_a_state_of_another_model(
    done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([*RUN, "--depth", "2", "--run-dir", str(tmp_path / "y")]) == 0
    shutil.copy(tmp_path / "y" / "state.safetensors", done)
    capsys.readouterr()
    message = fails(capsys, "--run-dir", str(done), "--resume")
    assert "of another model" in message


def test_two_processes_cannot_write_one_run(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    holder = command.RunDirectory.open(done)
    assert "in use" in fails(capsys, "--run-dir", str(done), "--resume")
    holder.close()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_real_command_stopped_by_a_signal_can_be_resumed(
    tmp_path: Path, how: signal.Signals
) -> None:
    path = tmp_path / "x"
    process = subprocess.Popen(
        [sys.executable, "-m", "vit_core.train", *RUN, "--run-dir", str(path)],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    # the bar's first characters appear after the first step
    seen = process.stderr.read(60)
    process.send_signal(how)
    rest = process.communicate(timeout=60)[1]
    assert process.returncode == 130, seen + rest
    assert "--resume" in rest and "Traceback" not in rest
    assert load_checkpoint(path / "epoch-000.safetensors").metrics["epoch"] == 0


def test_the_evaluation_command(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate_main([str(whole / "final.safetensors")]) == 0
    text = capsys.readouterr().out
    assert "accuracy" in text and "confusion matrix" in text and "of 10000" in text
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"not a checkpoint")
    for path in (bad, tmp_path / "missing.safetensors"):
        assert evaluate_main([str(path)]) == 2
        assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("name", [None, *PRESETS])
def test_a_run_can_be_said_as_a_command(name: str | None, tmp_path: Path) -> None:
    base = PRESETS[name or "default"]
    model = dataclasses.replace(base.model, depth=3, qkv_bias=False, patch_size=(4, 2))
    train = dataclasses.replace(
        base.train,
        **{"epochs": 9, "lr": 3e-5, "residual": False, "shuffled_labels": True, "randaugment": 7},
        **{"mixup": 0.8, "cutmix": 1.0, "grad_accumulation": 4, "clip_norm": 1.0, "ema": 0.99},
        compile=True,
    )
    words = shlex.split(command_line(name, model, train, threads=2))
    assert words[:3] == ["python", "-m", "vit_core.train"]
    options = train_options.build_parser().parse_args(words[3:])
    found = PRESETS[options.preset]
    assert train_options.pick(found.model, vars(options)) == model
    assert train_options.pick(found.train, vars(options)) == train
    assert options.threads == 2
