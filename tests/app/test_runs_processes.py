"""Runs with real training processes: a small model on all of MNIST."""

import dataclasses
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import psutil
import pytest
import torch
from waiting import until

from explainer.training import Manager, Run, RunRequest
from explainer.training.first_point import SECONDS
from explainer.training.limits import load_limits
from vit_core import TrainConfig, ViTConfig, load_checkpoint

MODEL = ViTConfig(patch_size=14, embed_dim=8, depth=1, num_heads=1, pool="mean")
TRAIN = TrainConfig(epochs=3, batch_size=1024, optimizer="adamw", lr=0.01, augment="none")
LIMITS = dataclasses.replace(load_limits(), runs_at_once=1, threads=1)


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Manager]:
    manager = Manager(tmp_path_factory.mktemp("runs"), LIMITS)
    manager.warm_up()
    yield manager
    manager.close()


def ended(manager: Manager, run: Run) -> Run:
    until(lambda: not manager.find(run.id).is_active)
    return manager.find(run.id)


def weights(run: Run) -> dict[str, torch.Tensor]:
    return load_checkpoint(run.history.checkpoint()).model.state_dict()


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def whole(manager: Manager) -> Run:
    """A run that nothing happened to."""
    return ended(manager, manager.start("whole", RunRequest(MODEL, TRAIN)))


def test_a_run_to_its_end(whole: Run) -> None:
    assert whole.status == "finished"
    assert whole.history.epochs() == (0, 1, 2, 3)
    assert whole.history.test_accuracy > 0.5
    assert whole.history.metrics()[0]["step"] == 0, "the untrained model comes first"
    assert SECONDS.read()[0][-1][1] >= 1, "the wait for its first point was measured"
    assert whole.history.snapshot().step == whole.history.total_steps


def test_the_command_line_trains_the_same(
    whole: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command that the run names, in a process of its own, gives the same weights."""
    command = whole.history.config.command.split()
    assert command[:3] == ["python", "-m", "vit_core.train"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run(
        [sys.executable, *command[1:]], cwd=tmp_path, env=environment, check=True, stderr=-3
    )
    here = load_checkpoint(tmp_path / "runs" / "own" / "final.safetensors")
    assert equal(here.model.state_dict(), weights(whole))
    assert here.metrics["test_accuracy"] == whole.history.test_accuracy


def test_pause_holds_it_and_does_not_count(manager: Manager) -> None:
    run = manager.start("pausing", RunRequest(MODEL, dataclasses.replace(TRAIN, epochs=20)))
    until(lambda: len(run.history.metrics()) > 2)
    manager.pause("pausing", run.id)
    lines = []

    def is_still() -> bool:
        lines.append(len(run.history.metrics()))
        return len(lines) > 100 and len(set(lines[-100:])) == 1

    until(is_still)
    before = run.history.seconds
    Event().wait(0.5)
    assert len(run.history.metrics()) == lines[-1]
    assert manager.find(run.id).status == "paused"
    manager.unpause("pausing", run.id)
    until(lambda: len(run.history.metrics()) > lines[-1])
    assert run.history.metrics()[lines[-1]]["seconds"] < before + 0.5
    manager.stop("pausing", run.id)
    assert ended(manager, run).status == "stopped"


def test_a_paused_run_can_be_stopped(manager: Manager) -> None:
    run = manager.start("still", RunRequest(MODEL, TRAIN))
    until(lambda: run.history.metrics())
    manager.pause("still", run.id)
    manager.stop("still", run.id)
    assert ended(manager, run).status == "stopped"


def test_stop_at_once_then_resume_to_the_same_result(manager: Manager, whole: Run) -> None:
    run = manager.start("stopping", RunRequest(MODEL, TRAIN))
    manager.stop("stopping", run.id)
    assert ended(manager, run).status == "stopped"
    manager.resume("stopping", run.id)
    until(lambda: 1 in run.history.epochs())
    manager.stop("stopping", run.id)
    assert ended(manager, run).status == "stopped"
    manager.resume("stopping", run.id)
    assert ended(manager, run).status == "finished"
    assert equal(weights(run), weights(whole))


@pytest.mark.parametrize("after", [0, 1, 2])
def test_killed_then_resumed_to_the_same_result(manager: Manager, whole: Run, after: int) -> None:
    name = f"killed {after}"
    run = manager.start(name, RunRequest(MODEL, TRAIN))
    lines = random.Random(after).randrange(1, 4)
    until(lambda: after in run.history.epochs() and len(run.history.metrics()) >= lines)
    psutil.Process(manager.process_id_of(run.id)).kill()
    found = ended(manager, run)
    assert found.status == "failed"
    assert ("signal 9" if psutil.POSIX else "exit code") in found.message
    manager.resume(name, run.id)
    assert ended(manager, run).status == "finished"
    assert equal(weights(run), weights(whole))


def test_a_server_that_is_gone_takes_its_processes_along(tmp_path: Path, whole: Run) -> None:
    """A server is killed in the middle; the next one finds the run, and can resume it."""
    script = f"""
import dataclasses, sys, time
from pathlib import Path
from explainer.training import Manager, RunRequest
from explainer.training.limits import load_limits
from vit_core import TrainConfig, ViTConfig
limits = dataclasses.replace(load_limits(), runs_at_once=1, threads=1)
manager = Manager(Path({str(tmp_path)!r}), limits)
run = manager.start("anna", RunRequest({MODEL!r}, {TRAIN!r}))
while 1 not in run.history.epochs():
    time.sleep(0.01)
print(run.id, manager.process_id_of(run.id), flush=True)
sys.stdin.read()
"""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    server = subprocess.Popen(
        [sys.executable, "-c", script], stdin=-1, stdout=-1, env=environment, text=True
    )
    run_id, pid = server.stdout.readline().split()
    server.kill()
    server.communicate()
    until(lambda: not is_running(int(pid)))
    manager = Manager(tmp_path, LIMITS)
    try:
        found = manager.find(run_id)
        assert found.status == "interrupted"
        assert found.belongs_to("anna")
        manager.resume("anna", run_id)
        assert ended(manager, found).status == "finished"
        assert equal(weights(found), weights(whole))
    finally:
        manager.close()


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def idle_megabytes() -> int:
    """Return what a training process takes that has nothing to do: thrice as much with CUDA."""
    code = (
        "import vit_core.runs.worker, vit_core.data.packed; vit_core.data.packed.packed_mnist();"
        "print(open('/proc/self/status', encoding='utf-8').read())"
    )
    status = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    ).stdout
    (line,) = (line for line in status.splitlines() if line.startswith("VmData:"))
    return int(line.split()[1]) // 1024


@pytest.mark.skipif(not psutil.LINUX, reason="other systems have no limit on memory")
def test_too_little_memory_is_said_and_the_next_run_works(tmp_path: Path) -> None:
    manager = Manager(
        tmp_path, dataclasses.replace(LIMITS, worker_megabytes=idle_megabytes() + 450)
    )
    # with dropout a batch is not computed in parts
    large = ViTConfig(patch_size=2, embed_dim=64, depth=4, num_heads=8, dropout=0.1)
    try:
        run = ended(manager, manager.start("anna", RunRequest(large, TRAIN)))
        assert run.status == "failed"
        assert "more memory" in run.message
        small = dataclasses.replace(TRAIN, epochs=1)
        assert ended(manager, manager.start("anna", RunRequest(MODEL, small))).status == "finished"
    finally:
        manager.close()


def test_a_diverging_run_says_so(manager: Manager) -> None:
    """Without a LayerNorm nothing holds what steps of such a length make of the numbers."""
    wild = dataclasses.replace(
        TRAIN, lr=100.0, warmup=0.0, schedule="constant", optimizer="adam", layer_norm=False
    )
    deep = dataclasses.replace(MODEL, depth=8, embed_dim=32)
    run = ended(manager, manager.start("wild", RunRequest(deep, wild)))
    assert run.status == "failed"
    assert "loss became" in run.message
    assert run.message.endswith(".")


def test_a_damaged_state_is_said(manager: Manager) -> None:
    run = manager.start("damaged", RunRequest(MODEL, TRAIN))
    until(lambda: 1 in run.history.epochs() and (run.history.path / "state.safetensors").exists())
    manager.stop("damaged", run.id)
    ended(manager, run)
    (run.history.path / "state.safetensors").write_bytes(b"nothing")
    manager.resume("damaged", run.id)
    found = ended(manager, run)
    assert found.status == "failed"
    assert "damaged" in found.message
    assert str(run.history.path) not in found.message, (
        "no visitor needs to know the server's folders"
    )


def test_speeds_are_measured(manager: Manager) -> None:
    until(lambda: manager.estimate(MODEL, TRAIN))
    short, long = (
        manager.estimate(MODEL, dataclasses.replace(TRAIN, epochs=epochs)) for epochs in (1, 2)
    )
    assert 0 < short.seconds < long.seconds < 2 * short.seconds
    assert short.images_per_second > 0


def test_settings_damaged_while_it_waits_are_said_and_the_next_run_works(manager: Manager) -> None:
    short = RunRequest(MODEL, dataclasses.replace(TRAIN, epochs=1))
    runs = [manager.start(name, short) for name in ("one", "two", "three")]
    (runs[1].history.path / "config.json").write_text(json.dumps({"preset": None}))
    found = [ended(manager, run) for run in runs]
    assert [run.status for run in found] == ["finished", "failed", "finished"]
    assert "config.json is damaged" in found[1].message
    assert not found[1].can_resume


def test_the_manager_imports_no_streamlit() -> None:
    """The command-line benchmarks and the workers' tests use it without a server."""
    code = "import sys, explainer.training; sys.exit('streamlit' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0
