"""Several servers on one folder, a disk that is full, and clocks that jump: nothing is lost."""

import dataclasses
import errno
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_process import FakeProcess

from explainer.training import Manager, RefusedError, RunRequest, scheduler
from explainer.training import clock as clock_module
from explainer.training.limits import load_limits
from explainer.training.ownership import MARKER
from explainer.training.servers import PREFIX, Servers
from vit_core import TrainConfig, ViTConfig
from vit_core.runs.directory import RunDirectory

MODEL = ViTConfig(patch_size=14, embed_dim=16, depth=1, num_heads=2)
REQUEST = RunRequest(MODEL, TrainConfig(epochs=3))
YEAR = 365 * 24 * 3600.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def make(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Manager]]:
    monkeypatch.setattr(scheduler, "CHECK_SECONDS", 3600.0)
    monkeypatch.setattr(FakeProcess, "started", [])
    made: list[Manager] = []

    def make(**limits: int) -> Manager:
        changed = dataclasses.replace(load_limits(), **{"runs_at_once": 1} | limits)
        made.append(Manager(root, changed, FakeProcess, root.parent / "recorded"))
        return made[-1]

    yield make
    for manager in made:
        manager.close()


def process_of(run_id: str) -> FakeProcess:
    return next(one for one in FakeProcess.started if one.run_id == run_id)


# several servers


def test_a_server_takes_over_what_another_one_leaves(make: Callable[..., Manager]) -> None:
    old, new = make(), make()
    trained, first, second = (old.start(name, REQUEST).id for name in ("a", "b", "c"))
    new._do_due_work(is_cleanup=True)
    assert [new.find(one).status for one in (trained, first, second)] == [
        "running", "queued", "queued",
    ]  # fmt: skip
    old.close()
    new._do_due_work(is_cleanup=False)
    assert [new.find(one).status for one in (trained, first, second)] == [
        "interrupted", "running", "queued",
    ]  # fmt: skip
    assert new.find(second).queue_position == 1
    assert "The server stopped" in new.find(trained).message
    assert new.resume("a", trained).queue_position == 2


def test_any_server_takes_over_what_another_one_leaves(make: Callable[..., Manager]) -> None:
    first, later = make(), make()
    trained, waits = later.start("a", REQUEST).id, later.start("b", REQUEST).id
    assert first.find(trained).status == "running" and first.find(waits).status == "queued"
    first._do_due_work(is_cleanup=True)
    assert len(FakeProcess.started) == 1, "the other one is alive"
    later.close()
    assert first.find(trained).status == "interrupted"
    first._do_due_work(is_cleanup=True)
    assert first.find(waits).status == "running"


def test_runs_of_another_server_are_neither_resumed_nor_deleted(
    make: Callable[..., Manager],
) -> None:
    one, other = make(), make(total_megabytes=0, keep_hours=0)
    trained, waits = one.start("a", REQUEST).id, one.start("b", REQUEST).id
    for run_id in (trained, waits):
        other.store.touch(run_id, one._now() - YEAR)
    for visitor, run_id in (("a", trained), ("b", waits)):
        with pytest.raises(RefusedError, match="Stop it before"):
            other.delete(visitor, run_id)
        with pytest.raises(RefusedError, match="cannot be resumed"):
            other.resume(visitor, run_id)
        with pytest.raises(RefusedError, match="already have a run"):
            other.start(visitor, REQUEST)
    with pytest.raises(RefusedError, match="space for runs"):
        make(total_megabytes=0).start("c", REQUEST)
    other._clean_up()
    assert [one.find(run_id).status for run_id in (trained, waits)] == ["running", "queued"]


@pytest.mark.parametrize(
    ("said", "becomes"),
    [("running", "interrupted"), ("paused", "interrupted"), ("queued", "running")],
)
def test_a_note_that_names_this_server_wrongly_strands_no_run(
    make: Callable[..., Manager], said: str, becomes: str
) -> None:
    manager = make()
    run_id = manager.start("a", REQUEST).id
    process_of(run_id).end_run()
    manager.store.change(run_id, state=said)
    manager._do_due_work(is_cleanup=True)
    assert manager.find(run_id).status == becomes


def test_a_run_whose_lock_somebody_has_is_left_alone(make: Callable[..., Manager]) -> None:
    """The command line goes on with a run that the app has ended."""
    manager = make()
    run = manager.start("a", REQUEST)
    process_of(run.id).end_run("failed", "why")
    manager.store.touch(run.id, manager._now() - YEAR)
    directory = RunDirectory.open(manager.store.folder(run.id))
    for act in (manager.delete, manager.resume):
        with pytest.raises(RefusedError, match="Another process is busy"):
            act("a", run.id)
    manager._do_due_work(is_cleanup=True)
    assert manager.find(run.id).status == "failed"
    directory.close()
    manager.delete("a", run.id)
    assert manager.find(run.id) is None


def test_a_folder_that_was_deleted_is_kept_anew(make: Callable[..., Manager], root: Path) -> None:
    manager = make()
    manager.start("a", REQUEST)
    root.rename(root.parent / "moved")
    manager._do_due_work(is_cleanup=True)
    assert manager.active_of("a") is None
    assert manager.start("b", REQUEST).is_active


def test_a_server_is_alive_until_it_leaves(tmp_path: Path) -> None:
    one, other = Servers(tmp_path), Servers(tmp_path)
    name = one.join()
    assert other.is_alive(name) and one.is_alive(name) and one.join() == name
    one.leave()
    assert not other.is_alive(name) and not list(tmp_path.glob(f"{PREFIX}*"))
    assert not other.is_alive("") and not other.is_alive("0" * 12)
    assert not Servers(tmp_path / "gone").is_alive(name)


# a disk that is full


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("state", "said"),
    [("failed", "The disk is full, so the run could not write on."), ("finished", "")],
)
def test_how_a_run_ended_is_kept_until_the_disk_has_room(
    make: Callable[..., Manager], monkeypatch: pytest.MonkeyPatch, state: str, said: str
) -> None:
    manager = make()
    run_id = manager.start("a", REQUEST).id
    with monkeypatch.context() as patched:
        patched.setattr("explainer.training.store.write_atomically", full)
        process_of(run_id).end_run(state, said)
        manager._do_due_work(is_cleanup=True)
        assert (manager.find(run_id).status, manager.find(run_id).message) == (state, said)
        assert [run.status for run in manager.runs_of("a")] == [state]
    manager._do_due_work(is_cleanup=False)
    manager.close()
    again = make()
    assert (again.find(run_id).status, again.find(run_id).message) == (state, said)


def test_a_run_that_is_deleted_is_not_written_late(
    make: Callable[..., Manager], monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = make()
    run_id = manager.start("a", REQUEST).id
    with monkeypatch.context() as patched:
        patched.setattr("explainer.training.store.write_atomically", full)
        process_of(run_id).end_run("failed", "why")
        manager.delete("a", run_id)
    manager._do_due_work(is_cleanup=False)
    assert manager.find(run_id) is None and not manager.store.folder(run_id).exists()


def test_a_start_on_a_full_disk_is_refused_and_leaves_nothing(
    make: Callable[..., Manager], monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = make()
    for place in (
        "vit_core.runs.directory.write_atomically",
        "explainer.training.store.write_atomically",
    ):
        with monkeypatch.context() as patched:
            patched.setattr(place, full)
            with pytest.raises(RefusedError, match="No space left on device"):
                manager.start("a", REQUEST)
        assert manager.store.ids() == [] and manager.active_of("a") is None


def test_a_folder_that_cannot_be_written_refuses_every_change(
    make: Callable[..., Manager], monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = make()
    run_id = manager.start("a", REQUEST).id
    process_of(run_id).end_run("failed", "why")

    def refuse(*_: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    for place in ("explainer.training.admission.take", "explainer.training.run_folder.take"):
        monkeypatch.setattr(place, refuse)
    with pytest.raises(RefusedError, match=r"cannot be deleted, .* Permission denied"):
        manager.delete("a", run_id)
    with pytest.raises(RefusedError, match=r"cannot be changed, .* Permission denied"):
        manager.resume("a", run_id)
    manager.store.touch(run_id, manager._now() - YEAR)
    manager._clean_up()
    assert manager.find(run_id).status == "failed"


@pytest.mark.parametrize("kind", ["file", "dangling link", "link to itself"])
def test_a_place_that_is_no_folder_is_said_before_anybody_starts(
    make: Callable[..., Manager], root: Path, kind: str
) -> None:
    if kind == "file":
        root.write_text("mine")
    else:
        root.symlink_to(root if kind == "link to itself" else root.parent / "gone")
    manager = make()
    assert "not a folder" in manager.storage_problem()
    with pytest.raises(RefusedError, match="cannot be written"):
        manager.start("a", REQUEST)


def test_a_file_that_cannot_be_removed_now_goes_later(
    make: Callable[..., Manager], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows removes no file that somebody has open."""
    manager = make()
    run_id = manager.start("a", REQUEST).id
    process_of(run_id).end_run()
    unlink = os.unlink

    def busy(path: Any, **where: Any) -> None:
        if str(path).endswith("config.json"):
            raise PermissionError(errno.EACCES, "another program has it open")
        unlink(path, **where)

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", busy)
        with pytest.raises(RefusedError, match="folder stays: 1 files"):
            manager.delete("a", run_id)
    assert manager.find(run_id) is None
    manager._clean_up()
    manager._clean_up()
    assert not manager.store.folder(run_id).exists()


# clocks


@pytest.mark.parametrize("wrong", [-50 * YEAR, -YEAR, YEAR, 50 * YEAR])
def test_a_clock_that_is_set_right_makes_no_run_old(
    make: Callable[..., Manager], monkeypatch: pytest.MonkeyPatch, wrong: float
) -> None:
    true = time.time()
    with monkeypatch.context() as patched:
        patched.setattr(clock_module.time, "time", lambda: true + wrong)
        manager = make()
        early = manager.start("a", REQUEST).id
        process_of(early).end_run()
    late = manager.start("b", REQUEST).id
    process_of(late).end_run()
    manager._clean_up()
    manager.close()
    after = make()
    after._clean_up()
    assert after.find(early).status == after.find(late).status == "finished"


@pytest.mark.parametrize("wrong", [-50 * YEAR, YEAR])
def test_two_servers_with_unlike_clocks_make_no_run_of_each_other_old(
    make: Callable[..., Manager], monkeypatch: pytest.MonkeyPatch, wrong: float
) -> None:
    true = time.time()
    with monkeypatch.context() as patched:
        patched.setattr(clock_module.time, "time", lambda: true + wrong)
        one = make()
        early = one.start("a", REQUEST).id
        process_of(early).end_run()
    other = make()  # before the first one has cleaned up
    late = other.start("b", REQUEST).id
    process_of(late).end_run()
    one._clean_up()
    one.close()
    other._do_due_work(is_cleanup=True)
    assert other.find(early).status == other.find(late).status == "finished"


def test_time_without_a_server_makes_no_run_old(
    make: Callable[..., Manager], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = make(keep_hours=1)
    run_id = manager.start("a", REQUEST).id
    process_of(run_id).end_run()
    manager._clean_up()
    manager.close()
    true = time.time()
    monkeypatch.setattr(clock_module.time, "time", lambda: true + YEAR)
    after = make(keep_hours=1)
    after._clean_up()
    assert after.find(run_id) is not None
    # but with a server it does
    monkeypatch.setattr(after._clock, "_offset", after._clock._offset + 2 * 3600)
    after._clean_up()
    assert after.store.read(run_id) is None
    after.close()
    assert make()._now() == pytest.approx(after._now(), abs=60)
    assert (root / MARKER).exists()
