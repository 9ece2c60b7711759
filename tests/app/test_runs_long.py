"""Of a long run's metrics only some lines are kept in memory, and no line that counts is lost."""

import json
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from garbage import collect_all_garbage

from explainer.training import progress as progress_module
from explainer.training.progress import Progress, progress_of
from explainer.training.store import MAX_HISTORIES, RunStore
from vit_core import TrainConfig, ViTConfig
from vit_core.runs.directory import RunConfig, RunDirectory
from vit_core.runs.history import MOST_LINE, MOST_LINES, NEWEST, RunHistory

EPOCH = 1_000  # steps


def line(step: int) -> dict[str, Any]:
    """Return a line as a run writes them: means, samples, and after each epoch its result."""
    at = {"seconds": step / 4, "step": step, "epoch": (step - 1) // EPOCH + 1}
    if step % EPOCH == 0:
        return at | {"val_loss": 1.0 / step, "val_accuracy": 0.5}
    kind = "sample" if step % 2 else "train"
    return at | {f"{kind}_loss": 1.0 / step, f"{kind}_accuracy": 0.5}


def write(folder: Path, first: int, last: int) -> None:
    with (folder / "metrics.jsonl").open("a") as file:
        file.writelines(json.dumps(line(step)) + "\n" for step in range(first, last))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    config = RunConfig(None, ViTConfig(), TrainConfig(epochs=60), 1, "", "")
    RunDirectory.create(tmp_path / "run", config).close()
    return tmp_path / "run"


def test_a_long_run_is_kept_in_bounded_memory(folder: Path) -> None:
    history = RunHistory(folder)
    for first in range(1, 60_001, 6_000):
        write(folder, first, first + 6_000)
        assert len(history.metrics()) <= MOST_LINES
    lines = history.metrics()
    steps = [one["step"] for one in lines]
    assert steps == sorted(set(steps)) and steps[0] == 1
    assert steps[-NEWEST:] == list(range(60_001 - NEWEST, 60_001)), "the newest are all there"
    assert [history.epoch_line(epoch)["step"] for epoch in range(1, 61)] == list(
        range(EPOCH, 60_001, EPOCH)
    )
    kinds = [sum(f"{kind}_loss" in one for one in lines) for kind in ("train", "sample")]
    assert min(kinds) > 0.4 * sum(kinds), "no kind is thinned out more than another"
    assert (history.seconds, len(list(history.all_metrics()))) == (15_000, 60_000)


def test_a_fresh_reader_of_a_long_run_is_bounded_as_well(folder: Path) -> None:
    write(folder, 1, 20_001)
    assert len(RunHistory(folder).metrics()) <= MOST_LINES


def test_many_epochs_alone_are_bounded_too(folder: Path) -> None:
    whole = [line(EPOCH) | {"epoch": epoch, "step": epoch} for epoch in range(5_000)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(one) + "\n" for one in whole))
    assert len(RunHistory(folder).metrics()) <= MOST_LINES


def test_a_line_without_an_end_is_not_taken_into_memory(folder: Path) -> None:
    write(folder, 1, 3)
    with (folder / "metrics.jsonl").open("ab") as file:
        file.write(b'{"epoch": 1, "more": "' + b"x" * (2 * MOST_LINE) + b'"}\n')
    write(folder, 3, 5)
    assert [one["step"] for one in RunHistory(folder).metrics()] == [1, 2]


def test_progress_takes_only_lines_that_it_does_not_have(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    extended = progress_module.extended

    def counted(progress: object, lines: list) -> object:
        taken.append(len(lines))
        return extended(progress, lines)

    monkeypatch.setattr(progress_module, "extended", counted)
    history = RunHistory(folder)
    write(folder, 1, 1_001)
    first = progress_of(history)
    assert progress_of(history) is first and taken == [1_000]
    for step in range(1_001, 1_101):
        write(folder, step, step + 1)
        progress = progress_of(history)
    assert taken == [1_000, *[1] * 100]
    assert same(progress, progress_of(RunHistory(folder)))
    (folder / "anew").write_text(json.dumps(line(1)) + "\n")
    (folder / "anew").replace(folder / "metrics.jsonl")  # as a run that is resumed writes it
    assert list(progress_of(history).sample.steps) == [1]
    (folder / "metrics.jsonl").write_text(json.dumps(line(2)) + "\n")  # in the same file
    assert list(progress_of(history).train.steps) == [2] and not len(
        progress_of(history).sample.steps
    )
    (folder / "metrics.jsonl").unlink()
    assert progress_of(history).latest_accuracy is None and not len(
        progress_of(history).train.steps
    )


def test_progress_of_a_thinned_run_is_that_of_its_lines(folder: Path) -> None:
    history = RunHistory(folder)
    for first in range(1, 5_001, 100):
        write(folder, first, first + 100)
        progress = progress_of(history)
        assert sum(map(len, (progress.train.steps, progress.sample.steps))) <= MOST_LINES
    lines = history.metrics()
    for kind in ("train", "sample", "val"):
        steps = [one["step"] for one in lines if f"{kind}_loss" in one]
        assert list(getattr(progress, kind).steps) == steps


def same(progress: Progress, other: Progress) -> bool:
    return all(
        np.array_equal(getattr(getattr(progress, kind), name), getattr(getattr(other, kind), name))
        for kind in ("train", "sample", "val")
        for name in ("steps", "losses", "accuracies")
    )


def test_progress_goes_with_its_reader(folder: Path) -> None:
    history = RunHistory(folder)
    progress = weakref.ref(progress_of(history))
    del history
    collect_all_garbage()
    assert progress() is None


def test_readers_that_nobody_asks_for_go(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    first = weakref.ref(store.history("a" * 24))
    for number in range(MAX_HISTORIES):
        store.history(f"{number:024}")
    collect_all_garbage()
    assert first() is None, "as many are kept as are looked at"
    kept = store.history("b" * 24)
    store.drop_unused()
    assert store.history("b" * 24) is kept
    store.drop_unused()
    store.drop_unused()
    assert store.history("b" * 24) is not kept
