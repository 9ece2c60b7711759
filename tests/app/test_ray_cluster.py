"""What a server says of a Ray cluster that cannot train, without Ray."""

import dataclasses
import errno
import json
from collections.abc import Iterator
from io import StringIO
from logging import INFO, StreamHandler
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from explainer import measuring
from explainer.content import load_texts
from explainer.training.limits import load_limits
from explainer.training.on_ray import cluster as module
from explainer.training.on_ray.bridge import kind_of, slots_of
from explainer.training.on_ray.cluster import RayCluster

TEXTS = load_texts("runs")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[RayCluster]:
    """A cluster whose connection is never tried: the test says what a bridge would."""
    monkeypatch.setattr(RayCluster, "_keep_connected", lambda self: None)
    one = RayCluster(dataclasses.replace(load_limits(), threads=2, worker_megabytes=900))
    yield one
    one.close()


@pytest.fixture
def bridge(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file of the program that connects, which a test writes."""
    path = tmp_path / "bridge.py"
    monkeypatch.setattr(module, "BRIDGE", path)
    return path


def test_visitors_read_nothing_technical(
    cluster: RayCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cluster.problem() == TEXTS["cluster_away"]
    cluster._hear({"problem": "no route to 10.0.0.5", "kind": "away"})
    assert cluster.problem() == TEXTS["cluster_away"]
    assert "10.0.0.5" in capsys.readouterr().err


def test_machines_that_are_too_small_are_told_from_full_ones(
    cluster: RayCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster._hear({"slots": 0, "most": 0})
    assert cluster.problem() == TEXTS["cluster_too_small"]
    assert "2 processors and 900 MB" in capsys.readouterr().err
    cluster._hear({"slots": 0, "most": 3})  # other servers train there
    assert cluster.problem() == ""
    assert "room for 3 runs" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["away", "token", "versions"])
def test_the_operator_reads_each_reason_once(
    cluster: RayCluster, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    for _ in range(3):
        cluster._hear({"problem": "why", "kind": kind})
    said = capsys.readouterr().err
    assert said.count("Ray says: why") == 1 and said.count("\n") == 1


def test_a_lost_connection_is_told(
    cluster: RayCluster, capsys: pytest.CaptureFixture[str], bridge: Path
) -> None:
    bridge.write_text("""print('{"slots": 1, "most": 1}')""", encoding="utf-8")
    cluster._connect()
    assert cluster.problem() == TEXTS["cluster_away"]
    assert "has ended" in capsys.readouterr().err
    assert cluster.slots == 0


def test_a_wrong_token_is_told_though_ray_only_prints_it(
    cluster: RayCluster,
    capsys: pytest.CaptureFixture[str],
    bridge: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bridge.write_text(
        """import os, sys
print("Unauthenticated: RPC error: InvalidAuthToken", file=sys.stderr, flush=True)
os.close(2)
sys.stdin.readline()
print('{"problem": "no connection", "kind": "away"}')
""",
        encoding="utf-8",
    )
    read, say = RayCluster._read_errors, RayCluster._say
    is_read = Event()
    monkeypatch.setattr(
        RayCluster, "_read_errors", lambda self, one: (read(self, one), is_read.set())
    )
    monkeypatch.setattr(
        RayCluster, "_say", lambda self, **command: (is_read.wait(60), say(self, **command))
    )
    cluster._connect()
    assert "refuses this server's token" in capsys.readouterr().err


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """The log of events, which a test reads."""
    written = StringIO()
    handler = StreamHandler(written)
    handler.setFormatter(measuring.JsonLines())
    monkeypatch.setattr(measuring.LOGGER, "handlers", [handler])
    monkeypatch.setattr(measuring.LOGGER, "propagate", False)
    level = measuring.LOGGER.level
    measuring.LOGGER.setLevel(INFO)
    yield written
    measuring.LOGGER.setLevel(level)


def events(log: StringIO) -> list[dict[str, object]]:
    """Return the events of a log without their time."""
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [{name: one[name] for name in one if name != "time"} for one in lines]


def test_a_bridge_that_ends_before_it_is_connected_is_told_once_and_without_the_token(
    cluster: RayCluster,
    capsys: pytest.CaptureFixture[str],
    bridge: Path,
    log: StringIO,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "token").write_text("Canary-8c1e\n", encoding="utf-8")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "Canary-5b2d")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "token"))
    bridge.write_text("""raise RuntimeError("Canary-5b2d, Canary-8c1e")""", encoding="utf-8")
    for _ in range(2):
        cluster._connect()
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "has ended (exit code 1)" in said
    assert "RuntimeError: …, …" in said and "Canary" not in said + log.getvalue()
    ended = {"event": "cluster", "kind": "ended", "code": 1, "error": "RuntimeError"}
    assert events(log) == [ended]
    assert cluster.problem() == TEXTS["cluster_away"]


def test_a_bridge_that_cannot_be_started_is_told_and_tried_again(
    cluster: RayCluster,
    capsys: pytest.CaptureFixture[str],
    log: StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(address: str) -> None:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(module, "start_bridge", refuse)
    for _ in range(2):
        cluster._connect()
    assert capsys.readouterr().err.count("cannot be started (Resource temporarily") == 1
    assert events(log) == [{"event": "cluster", "kind": "not_started"}]
    assert cluster.problem() == TEXTS["cluster_away"]


def test_the_log_follows_a_cluster(cluster: RayCluster, bridge: Path, log: StringIO) -> None:
    bridge.write_text(
        """for line in ('{"slots": 0, "most": 0}', '{"slots": 1, "most": 2}'): print(line)""",
        encoding="utf-8",
    )
    cluster._connect()
    bridge.write_text("""print('{"problem": "why", "kind": "versions"}')""", encoding="utf-8")
    cluster._connect()
    assert [(one["kind"], one.get("runs"), one.get("code")) for one in events(log)] == [
        *(("too_small", None, None), ("there", 2, None), ("lost", None, 0)),
        ("versions", None, None),
    ]


def test_a_missing_gpu_is_told_to_the_operator(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(RayCluster, "_keep_connected", lambda self: None)
    cluster = RayCluster(
        dataclasses.replace(load_limits(), threads=1, worker_megabytes=1500, worker_gpus=0.5)
    )
    cluster._hear({"slots": 0, "most": 0})
    assert "1 processors and 1500 MB, and 0.5 of a GPU (" in capsys.readouterr().err
    assert cluster.problem() == TEXTS["cluster_too_small"]
    cluster._hear({"slots": 2, "most": 2})
    capsys.readouterr()
    for worker in (1, 2):
        cluster._workers[worker] = SimpleNamespace(hear=lambda news: None)  # type: ignore[assignment]
        for device in ("cuda", "cpu"):
            answer = {"event": "ready", "device": device}
            cluster._hear({"worker": worker, "answer": answer})
    assert capsys.readouterr().err.count("PyTorch finds none there") == 1
    cluster.close()


@pytest.mark.parametrize(
    ("gpus", "free", "share", "runs"),
    [
        (0, 0, 0, 8),  # as the processors allow
        (0, 0, 1, 0),
        (2, 2, 1, 2),
        (2, 1, 1, 1),
        (2, 2, 0.5, 4),
        (2, 1.5, 0.5, 3),
        (3, 3, 0.4, 6),
        (3, 0.6, 0.4, 0),  # 0.2 of each
        (3, 1.8, 0.4, 3),
        (1, 0.7, 0.1, 7),
        (1, 0, 0.3, 0),
    ],
)
def test_so_many_runs_have_room_on_the_gpus_of_a_machine(
    gpus: float, free: float, share: float, runs: int
) -> None:
    has = {"CPU": 8.0, "memory": 64.0 * 1024**3, "GPU": float(gpus)}
    one = {"cpus": 1, "megabytes": 1500, "gpus": share}
    assert slots_of(has, one, has | {"GPU": float(free)}) == runs


def test_reasons_are_told_apart() -> None:
    class AuthenticationError(Exception):
        pass

    assert kind_of(AuthenticationError("no")) == "token"
    assert kind_of(RuntimeError("Version mismatch: …")) == "versions"
    assert kind_of(ConnectionError("no route")) == "away"
