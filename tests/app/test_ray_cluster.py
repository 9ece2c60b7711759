"""What a server says of a Ray cluster that cannot train, without Ray."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from explainer.content import load_texts
from explainer.training.limits import load_limits
from explainer.training.on_ray import cluster as module
from explainer.training.on_ray.bridge import kind_of
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
    look, say = RayCluster._look_for_refusal, RayCluster._say
    is_read = Event()
    monkeypatch.setattr(
        RayCluster, "_look_for_refusal", lambda self, one: (look(self, one), is_read.set())
    )
    monkeypatch.setattr(
        RayCluster, "_say", lambda self, **command: (is_read.wait(60), say(self, **command))
    )
    cluster._connect()
    assert "refuses this server's token" in capsys.readouterr().err


def test_reasons_are_told_apart() -> None:
    class AuthenticationError(Exception):
        pass

    assert kind_of(AuthenticationError("no")) == "token"
    assert kind_of(RuntimeError("Version mismatch: …")) == "versions"
    assert kind_of(ConnectionError("no route")) == "away"
