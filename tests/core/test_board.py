"""Metrics as TensorBoard events: the numbers of metrics.jsonl, and nothing where it is missing."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from training_data import QUICK, TINY, small_mnist

from vit_core.runs import tensorboard
from vit_core.runs.directory import RunConfig, RunDirectory
from vit_core.runs.recorder import Cadence, Recorder
from vit_core.training.events import EpochEnd


class Writer:
    """Stands for torch's SummaryWriter, which needs tensorboard to be installed."""

    made: list["Writer"]

    def __init__(self, folder: str, purge_step: int | None) -> None:
        self.folder, self.purge_step, self.scalars, self.flushed = folder, purge_step, [], 0
        Writer.made.append(self)

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.scalars.append((name, value, step))

    def flush(self) -> None:
        self.flushed += 1

    def close(self) -> None:
        self.flushed = -1


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> type[Writer]:
    fake = ModuleType("torch.utils.tensorboard")
    fake.SummaryWriter = Writer  # type: ignore[attr-defined]
    Writer.made = []
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", fake)
    monkeypatch.setattr(tensorboard, "is_installed", lambda: True)
    return Writer


def record(path: Path) -> Recorder:
    if not path.exists():
        config = RunConfig(None, TINY, QUICK, 1, small_mnist().info.fingerprint, "")
        RunDirectory.create(path, config).close()
    run = RunDirectory.open(path)
    return Recorder(run, small_mnist(), Cadence(steps=2), open_sink=tensorboard.open_tensorboard)


def test_the_events_are_the_lines_of_the_metrics(tmp_path: Path, installed: type[Writer]) -> None:
    recorder = record(tmp_path / "run")
    list(recorder.events())
    (writer,) = installed.made
    assert writer.folder == str(tmp_path / "run" / "tensorboard") and writer.purge_step is None
    lines = map(json.loads, (tmp_path / "run" / "metrics.jsonl").read_text().splitlines())
    expected: list[Any] = [
        (name, value, line["step"])
        for line in lines
        for name, value in line.items()
        if name not in ("step", "epoch") and value is not None
    ]
    assert writer.scalars == expected
    assert {"train_loss", "val_accuracy", "lr", "test_accuracy"} <= {e[0] for e in expected}
    recorder.metrics_sink.close()
    recorder.run.close()
    assert writer.flushed == -1


def test_a_resumed_run_drops_the_events_that_it_takes_again(
    tmp_path: Path, installed: type[Writer]
) -> None:
    first = record(tmp_path / "run")
    for event in first.events():
        if isinstance(event, EpochEnd):
            break
    first.run.close()
    record(tmp_path / "run").run.close()
    assert installed.made[1].purge_step == 6  # the first epoch has five steps


def test_without_tensorboard_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorboard, "is_installed", lambda: False)
    recorder = record(tmp_path / "run")
    list(recorder.events())
    recorder.metrics_sink.close()
    recorder.run.close()
    assert not (tmp_path / "run" / "tensorboard").exists()
