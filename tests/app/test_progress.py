"""A run's progress is read as far as it makes sense."""

import json
from pathlib import Path

import numpy as np
import pytest

from explainer.training.progress import progress_of
from vit_core import TrainConfig, ViTConfig
from vit_core.runs.directory import RunConfig, RunDirectory, RunError
from vit_core.runs.history import RunHistory

STEP = {"seconds": 1.0, "step": 100, "epoch": 1, "train_loss": 2.0, "train_accuracy": 0.3}
SAMPLE = {"seconds": 2.0, "step": 200, "epoch": 1, "sample_loss": 1.0, "sample_accuracy": 0.5}
EPOCH = STEP | {"seconds": 3.0, "step": 429, "val_loss": 0.5, "val_accuracy": 0.8}


@pytest.fixture
def history(tmp_path: Path) -> RunHistory:
    settings = RunConfig(None, ViTConfig(), TrainConfig(epochs=2), 1, "", "")
    RunDirectory.create(tmp_path / "run", settings).close()
    return RunHistory(tmp_path / "run")


def write(history: RunHistory, *lines: dict) -> None:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    anew = history.path / "anew"  # as a run that was resumed writes it
    anew.write_text(text)
    anew.replace(history.path / "metrics.jsonl")


def test_each_kind_of_line_is_its_own_curve(history: RunHistory) -> None:
    write(history, STEP | {"val_loss": None, "val_accuracy": None}, SAMPLE, EPOCH)
    progress = progress_of(history)
    assert [list(getattr(progress, kind).steps) for kind in ("train", "sample", "val")] == [
        [100], [200], [429],
    ]  # fmt: skip
    assert progress.val.losses[0] == 0.5 and progress.sample.accuracies[0] == 0.5
    assert (progress.steps_per_epoch, progress.epochs) == (429, 2)


def test_the_last_line_repeats_the_last_epoch_and_is_no_point(history: RunHistory) -> None:
    write(history, EPOCH, EPOCH | {"test_loss": 0.4, "test_accuracy": 0.81})
    assert len(progress_of(history).val.steps) == 1


def test_the_newest_accuracy_is_of_digits_it_does_not_learn_from(history: RunHistory) -> None:
    assert progress_of(history).latest_accuracy is None
    write(history, STEP, SAMPLE)
    assert progress_of(history).latest_accuracy == 0.5
    write(history, SAMPLE, EPOCH, SAMPLE | {"step": 500, "sample_accuracy": 0.85})
    assert progress_of(history).latest_accuracy == 0.85


@pytest.mark.parametrize("value", [None, "0.5", float("nan"), float("inf"), [1], True])
def test_what_is_no_number_is_left_out(history: RunHistory, value: object) -> None:
    write(history, STEP, STEP | {"train_loss": value})
    assert len(progress_of(history).train.steps) == 1
    assert np.isfinite(progress_of(history).train.losses).all()


def test_damaged_settings_are_said(history: RunHistory) -> None:
    (history.path / "config.json").write_text("{")
    with pytest.raises(RunError, match="damaged"):
        progress_of(history)
