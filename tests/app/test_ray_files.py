"""How the files of a run come home from another machine, without Ray."""

import importlib.util
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import explainer.training.on_ray as on_ray


@pytest.fixture(scope="module")
def node_worker() -> ModuleType:
    """The module, loaded as the bridge loads it: by its file."""
    path = Path(on_ray.__file__).parent / "node_worker.py"
    spec = importlib.util.spec_from_file_location("node_worker", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def worker(node_worker: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A worker whose training process ends at once."""
    monkeypatch.setattr(node_worker.sys, "executable", "/bin/false")
    worker = node_worker.NodeWorker([], 1, "")
    number, news = worker.news(0)
    assert (number, news) == (1, [{"exit": 1}])
    yield worker
    worker._forget_folder()
    for pipe in (worker._process.stdin, worker._process.stdout):
        with suppress(OSError):  # nobody reads what it was told
            pipe.close()


FILES = {"config.json": b'{"init": "/far/away"}', "metrics.jsonl": b"one\n"}


def home(worker: Any) -> list[dict[str, Any]]:
    return worker._changes()[0]


def test_what_came_with_the_order_does_not_go_back(worker: Any) -> None:
    worker.take({"do": "run"}, FILES)
    assert home(worker) == []


def test_only_new_lines_go_home_and_whole_ones(worker: Any) -> None:
    worker.take({"do": "run"}, FILES)
    path = worker._folder / "metrics.jsonl"
    path.write_bytes(b"one\ntwo\nthr")
    assert home(worker) == [{"file": "metrics.jsonl", "start": 4, "content": b"two\n"}]
    with path.open("ab") as file:
        file.write(b"ee\n")
    assert home(worker) == [{"file": "metrics.jsonl", "start": 8, "content": b"three\n"}]
    assert home(worker) == []


def test_lines_that_a_resumed_run_drops_are_dropped_at_home(worker: Any) -> None:
    worker.take({"do": "run"}, FILES)
    other = worker._folder / ".metrics"
    other.write_bytes(b"one\n")
    other.replace(worker._folder / "metrics.jsonl")
    assert home(worker) == [{"file": "metrics.jsonl", "start": 0, "content": b"one\n"}]


def test_the_state_goes_last(worker: Any) -> None:
    worker.take({"do": "run"}, FILES)
    for name in ("state.safetensors", "epoch-001.safetensors", ".half", "zero.json"):
        (worker._folder / name).write_bytes(b"new")
    (worker._folder / "metrics.jsonl").write_bytes(b"one\ntwo\n")
    assert [one["file"] for one in home(worker)] == [
        *("metrics.jsonl", "epoch-001.safetensors", "zero.json", "state.safetensors")
    ]


def test_files_go_before_the_answer_that_follows_them(
    worker: Any, node_worker: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_worker, "MOST_BYTES", 2)
    worker.take({"do": "run"}, FILES)
    for name in ("epoch-001.safetensors", "state.safetensors"):
        (worker._folder / name).write_bytes(b"new")
    worker._add({"answer": "ended"})
    got = [worker.news(number)[1] for number in (1, 2)]
    assert [[one.get("file", "ended") for one in news] for news in got] == [
        ["epoch-001.safetensors"],
        ["state.safetensors", "ended"],
    ]


def test_news_that_were_lost_are_sent_again(worker: Any) -> None:
    worker.take({"do": "run"}, FILES)
    (worker._folder / "final.safetensors").write_bytes(b"new")
    first = worker.news(1)
    assert first == worker.news(1) and first[0] == 2


def test_weights_to_start_from_come_with_the_order(worker: Any) -> None:
    worker.take({"do": "run"}, FILES | {"init.safetensors": b"weights"})
    folder = worker._folder
    config = json.loads((folder / "config.json").read_bytes())
    assert Path(config["init"]).read_bytes() == b"weights"
    assert home(worker) == []
    worker.take({"do": "run"})
    assert not folder.exists()


def test_what_a_machine_has_of_a_run_goes_when_all_of_it_is_home(worker: Any) -> None:
    worker.take({"do": "run"}, FILES)
    folder = worker._folder
    worker._add({"answer": {"event": "ended"}})
    number, news = worker.news(1)
    assert [one["answer"]["event"] for one in news] == ["ended"]
    assert folder.exists(), "these news may be lost on their way"
    worker._add({"answer": {"event": "measured"}})
    worker.news(number)
    assert not folder.exists()


def test_what_a_killed_worker_has_left_is_removed(worker: Any, node_worker: ModuleType) -> None:
    """A process that is killed lets its locks go."""
    left, lock = node_worker.make_locked_folder()
    worker.take({"do": "run"}, FILES)
    node_worker.remove_left_folders()
    assert left.exists() and worker._folder.exists()
    os.close(lock)
    node_worker.remove_left_folders()
    assert not left.exists() and worker._folder.exists()


def test_a_token_proves_that_the_folder_is_the_same(
    worker: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    assert not worker.sees(str(token))
    token.touch()
    monkeypatch.setenv("VIT_EXPLAINER_RAY_SHARED", "no")
    assert not worker.sees(str(token)) and token.exists()
    monkeypatch.delenv("VIT_EXPLAINER_RAY_SHARED")
    assert worker.sees(str(token)) and not token.exists()
