"""Runs on a Ray cluster of two nodes, of which both are lost in the middle."""

import dataclasses
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from ray_nodes import QUICK, Cluster, two_nodes
from waiting import until

from explainer.training import RefusedError, Run, RunRequest
from explainer.training.first_point import SECONDS
from explainer.training.limits import load_limits
from explainer.training.on_ray.cluster import RayCluster
from explainer.training.on_ray.manager import RayManager
from vit_core import TrainConfig, ViTConfig, load_checkpoint
from vit_core.data import mnist
from vit_core.data.limit import limited
from vit_core.runs.directory import RunDirectory
from vit_core.runs.recorder import Cadence, Recorder

MODEL = ViTConfig(patch_size=14, embed_dim=8, depth=1, num_heads=1, pool="mean")
TRAIN = TrainConfig(epochs=5, batch_size=256, optimizer="adamw", lr=0.01, augment="none")
PER_CLASS = 100
REQUEST = RunRequest(MODEL, TRAIN, limit_per_class=PER_CLASS)
LIMITS = dataclasses.replace(
    load_limits(),
    engine="ray",
    runs_at_once=0,
    threads=1,
    paused_seconds_while_others_wait=600,
)
RUNS = 12


def weights(run: Run) -> dict[str, torch.Tensor]:
    return load_checkpoint(run.history.checkpoint()).model.state_dict()


def undisturbed(like: Run, folder: Path) -> dict[str, torch.Tensor]:
    """Train with the settings of a run, in this process."""
    folder.mkdir()
    shutil.copy(like.history.path / "config.json", folder)
    directory = RunDirectory.open(folder)
    try:
        for _ in Recorder(directory, limited(mnist(), PER_CLASS), Cadence()).events():
            pass
    finally:
        directory.close()
    return load_checkpoint(folder / "final.safetensors").model.state_dict()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with pytest.MonkeyPatch.context() as patched, two_nodes() as made:
        for name, value in QUICK.items():
            patched.setenv(name, value)
        yield made


def four_are_paused(manager: RayManager, runs: list[Run]) -> bool:
    """Pause what trains and has a whole epoch; return whether all four places are taken so."""
    for number, run in enumerate(runs):
        if run.status == "running" and 1 in run.history.epochs():
            with suppress(RefusedError):  # it has just ended
                manager.pause(f"visitor {number}", run.id)
    return [run.status for run in runs].count("paused") == 4


def test_a_part_of_a_gpu_decides_where_and_how_many(
    cluster: Cluster, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    limits = dataclasses.replace(LIMITS, ray_address=cluster.address, worker_gpus=0.5)
    manager = RayManager(tmp_path / "runs", limits)
    try:
        until(lambda: manager._cluster.slots == 2)
        started = [manager.start(f"visitor {n}", REQUEST) for n in range(3)]

        assert [manager.find(run.id).status for run in started] == ["running"] * 2 + ["queued"]
        until(lambda: len(cluster.second.training()) == 2)
        assert not cluster.first.training()
        given = [one.environ()["CUDA_VISIBLE_DEVICES"] for one in cluster.second.training()]
        assert given == ["0", "0"]
        # the GPU is a pretended one, so the run falls back to the processor
        until(lambda: manager.find(started[0].id).history.epochs() or torch.cuda.is_available())
        if not torch.cuda.is_available():
            assert capfd.readouterr().err.count("PyTorch finds none there") == 1
    finally:
        manager.close()
    until(lambda: not cluster.second.training())


def test_twelve_runs_on_two_nodes_survive_the_loss_of_one_and_then_of_the_head(
    cluster: Cluster, tmp_path: Path
) -> None:
    SECONDS.clear()
    limits = dataclasses.replace(LIMITS, ray_address=cluster.address)
    manager = RayManager(tmp_path / "runs", limits)
    first, second = cluster.first, cluster.second
    try:
        until(lambda: manager._cluster.slots == 4)
        started = [manager.start(f"visitor {n}", REQUEST) for n in range(RUNS)]

        def runs() -> list[Run]:
            return [manager.find(run.id) for run in started]

        until(lambda: four_are_paused(manager, runs()))
        # two on each node: in the run's folder here, and on copies there
        assert len(first.training()) == len(second.training()) == 2
        assert not list(first.temporary.glob("vit-run-*"))
        assert len(list(second.temporary.glob("vit-run-*/metrics.jsonl"))) == 2
        waiting = [run.status for run in runs()].count("queued")
        second.kill()
        # what trained there waits again, behind the others
        until(lambda: [run.status for run in runs()].count("queued") == waiting + 2)
        for number, run in enumerate(runs()):
            if run.status == "paused":
                manager.unpause(f"visitor {number}", run.id)
        until(lambda: [run.status for run in runs()].count("finished") == 2)
        first.kill()
        cluster.start_head()
        until(lambda: {run.waits_for for run in runs() if run.is_active} == {"cluster"})
        poor = RayCluster(dataclasses.replace(limits, worker_gpus=1))
        until(lambda: not any(run.is_active for run in runs()))
        until(lambda: poor.most == 0)  # the GPU was lost with its machine
        poor.close()
        ended = runs()
    finally:
        manager.close()
    until(lambda: not cluster.first.training())
    assert [run.status for run in ended] == ["finished"] * RUNS
    assert SECONDS.read()[0][-1][1] == RUNS, "each wait for a first point was measured once"
    expected = undisturbed(ended[0], tmp_path / "undisturbed")
    for run in ended:
        got = weights(run)
        assert all(torch.equal(got[name], expected[name]) for name in expected)
        assert run.history.epochs() == tuple(range(TRAIN.epochs + 1))
        whole = [line["epoch"] for line in run.history.metrics() if line.get("val_accuracy")]
        assert whole == [*range(1, TRAIN.epochs + 1), TRAIN.epochs]
    assert "ray" not in sys.modules, "the server has no Ray in it"
