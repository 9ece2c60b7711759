"""A process that lost its right to write a run writes nothing more, and says so."""

import io
import json
from pathlib import Path

import pytest
from training_data import QUICK, TINY, small_mnist

from vit_core.runs import fence as fence_module
from vit_core.runs.directory import RunConfig, RunDirectory
from vit_core.runs.fence import Fence, FencedError
from vit_core.runs.recorder import Cadence, Recorder
from vit_core.runs.worker import Worker

FILE = "lease-000001"
CONFIG = RunConfig(None, TINY, QUICK, 1, small_mnist().info.fingerprint, "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a run directory with the file that lets its holder write."""
    RunDirectory.create(tmp_path / "run", CONFIG).close()
    (tmp_path / "run" / FILE).write_text('{"token": "mine"}')
    return tmp_path / "run"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("taken", ["removed", "replaced"])
def test_without_the_right_nothing_more_is_written(folder: Path, taken: str) -> None:
    run = RunDirectory.open(folder, Fence(folder / FILE, "mine"))
    recorder = Recorder(run, small_mnist(), Cadence(steps=1, snapshot_seconds=0.0))
    events = recorder.events()
    next(events)
    if taken == "removed":
        (folder / FILE).unlink()
    else:
        (folder / FILE).write_text('{"token": "yours"}')
    before = contents(folder)
    with pytest.raises(FencedError, match="another server"):
        list(events)
    for write in (
        lambda: run.append_metrics({}),
        lambda: run.save_state({}, 1),
        lambda: run.save_epoch("final", recorder.training.model, {}, small_mnist().info),
        lambda: run.save_hardest([]),
        lambda: run.keep_metrics_up_to(0),
        run.save_config,
    ):
        with pytest.raises(FencedError):
            write()
    assert contents(folder) == before
    run.close()
    with pytest.raises(FencedError):
        RunDirectory.open(folder, Fence(folder / FILE, "mine"))
    RunDirectory.open(folder).close()  # it is free for others


def ended(folder: Path, monkeypatch: pytest.MonkeyPatch, before: str = "") -> dict[str, str]:
    """Return what a worker answers that has a fence, and meets ``before`` on the way."""
    monkeypatch.setattr("vit_core.runs.worker.packed_mnist", small_mnist)
    monkeypatch.setattr("vit_core.runs.worker.PAUSE_CHECK_SECONDS", 0.01)
    monkeypatch.setattr(fence_module, "CHECK_SECONDS", 0.0)
    answers = io.StringIO()
    worker = Worker(io.StringIO(), answers)
    if before == "paused":
        answer = worker.answer

        def lose_it(**said: str) -> None:
            answer(**said)
            if said["event"] == "paused":
                (folder / FILE).unlink()

        monkeypatch.setattr(worker, "answer", lose_it)
        worker.may_go_on.clear()
    worker.run(folder, 1, {"file": FILE, "text": "mine"})
    return json.loads(answers.getvalue().splitlines()[-1])


def test_a_worker_with_the_right_trains_to_the_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ended(folder, monkeypatch)["state"] == "finished"


def test_a_worker_that_pauses_notices_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = ended(folder, monkeypatch, "paused")
    assert answer["state"] == "failed" and "taken it over" in answer["message"]


def test_a_worker_without_the_right_does_not_begin(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / FILE).unlink()
    before = contents(folder)
    assert "taken it over" in ended(folder, monkeypatch)["message"]
    assert contents(folder) == before
