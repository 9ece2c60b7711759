"""Runs and checkpoints that a version before wrote, as the app keeps, resumes and takes them."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_process import FakeProcess
from recorded_links import FINISHED, RECORDED, RUNS, STOPPED, copy_server

from explainer.inputs.models.upload import add_upload
from explainer.training import Manager, RefusedError, load_limits
from vit_core import load_checkpoint
from vit_core.data import mnist_info, mnist_test, normalize

VISITOR, OTHER = RUNS["visitor"], "o" * 32
CHECKPOINTS = {
    f"runs/{FINISHED}/final.safetensors": RUNS["finished"]["logits"]["final"],
    f"runs/{FINISHED}/epoch-000.safetensors": RUNS["finished"]["logits"]["epoch-000"],
    "models/by-command/final.safetensors": RUNS["mistaken"]["logits"]["final"],
    "half.safetensors": RUNS["half"]["logits"],
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of runs of the version before."""
    copy_server(tmp_path)
    return tmp_path / "runs"


@pytest.fixture
def serve(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Manager]]:
    """Return what starts a server on that folder; its processes do nothing by themselves."""
    monkeypatch.setattr(FakeProcess, "started", [])
    made: list[Manager] = []

    def serve() -> Manager:
        made.append(Manager(root, load_limits(), FakeProcess, recorded=root / "none"))
        return made[-1]

    yield serve
    for manager in made:
        manager.close()


def test_runs_are_known_with_their_visitor(serve: Callable[[], Manager]) -> None:
    manager = serve()
    runs = {run.id: run for run in manager.runs_of(VISITOR)}
    assert {run.id: run.status for run in runs.values()} == {
        FINISHED: "finished",
        STOPPED: "stopped",
    }
    assert not manager.runs_of(OTHER)
    finished, stopped = runs[FINISHED], runs[STOPPED]
    assert finished.title and finished.created < stopped.created
    assert finished.history.epochs() == (0, 1, 2) and stopped.history.epochs() == (0, 1)
    assert finished.history.test_accuracy == RUNS["finished"]["epochs"][-1]["test_accuracy"]
    assert [run.can_resume for run in (finished, stopped)] == [False, True]


def test_cleaning_up_leaves_runs_that_were_just_used(
    root: Path, serve: Callable[[], Manager]
) -> None:
    before = {path: path.read_bytes() for path in root.rglob("*.safetensors")}
    manager = serve()
    manager._do_due_work(is_cleanup=True)
    manager._do_due_work(is_cleanup=True)
    assert before and before == {path: path.read_bytes() for path in root.rglob("*.safetensors")}
    assert len(manager.runs_of(VISITOR)) == 2


def test_a_stopped_run_is_resumed_by_its_visitor_alone(
    root: Path, serve: Callable[[], Manager]
) -> None:
    manager = serve()
    with pytest.raises(RefusedError):
        manager.resume(OTHER, STOPPED)
    assert manager.resume(VISITOR, STOPPED).status == "running"
    command = FakeProcess.started[0].commands[-1]
    assert (command["do"], Path(command["path"]).name) == ("run", STOPPED)
    assert Path(command["path"]).samefile(root / STOPPED)


def test_a_run_is_deleted_whole_and_by_its_visitor_alone(
    root: Path, serve: Callable[[], Manager]
) -> None:
    manager = serve()
    with pytest.raises(RefusedError):
        manager.delete(OTHER, FINISHED)
    assert (root / FINISHED / "final.safetensors").is_file()
    manager.delete(VISITOR, FINISHED)
    assert not (root / FINISHED).exists() and (root / STOPPED).is_dir()


def test_the_folder_is_still_the_apps_own(root: Path, serve: Callable[[], Manager]) -> None:
    """A copy under another name is nobody's: only the marker's key makes names of runs."""
    shutil.copytree(root / FINISHED, root / "a-copy-of-a-run-000000000")
    manager = serve()
    assert {run.id for run in manager.runs_of(VISITOR)} == {FINISHED, STOPPED}
    assert manager.store.made_ids() and set(manager.store.made_ids()) == {FINISHED, STOPPED}


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_checkpoint_of_then_can_be_brought(name: str, serve: Callable[[], Manager]) -> None:
    path = RECORDED / name
    run = add_upload(serve(), OTHER, path.read_bytes(), path.name)
    assert run.status == "uploaded"
    (epoch,) = run.history.epochs()
    model = load_checkpoint(run.history.checkpoint(epoch)).model
    logits = model(normalize(mnist_test().images[:1], mnist_info()))[0]
    assert logits.tolist() == pytest.approx(CHECKPOINTS[name], abs=1e-4)
