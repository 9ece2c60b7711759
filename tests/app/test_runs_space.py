"""Uploads have a share of the space and keep nobody from training."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_process import FakeProcess

from explainer.inputs.models.upload import add_upload
from explainer.training import Manager, RefusedError, RunRequest, scheduler
from explainer.training.admission import UPLOAD_IN_USE_SECONDS
from explainer.training.housekeeping import RECENT_SECONDS, UPLOAD_SHARE, clear_old
from explainer.training.limits import MEGABYTE, load_limits
from explainer.training.note import Note, hashed
from vit_core import TrainConfig, ViTConfig, build, save_checkpoint
from vit_core.data import mnist_info

SMALL = ViTConfig(patch_size=7, embed_dim=64, depth=2, num_heads=2)
REQUEST = RunRequest(SMALL, TrainConfig(epochs=1))
DAY = 24 * 3600.0


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("made") / "model.safetensors"
    save_checkpoint(build(SMALL, seed=0), path, data=mnist_info(), half=True)
    return path.read_bytes()


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Manager]]:
    monkeypatch.setattr(scheduler, "CHECK_SECONDS", 3600.0)
    monkeypatch.setattr(FakeProcess, "started", [])
    made: list[Manager] = []

    def make(total: int) -> Manager:
        limits = dataclasses.replace(load_limits(), total_megabytes=total)
        made.append(Manager(tmp_path / "runs", limits, FakeProcess, tmp_path / "recorded"))
        return made[-1]

    yield make
    for manager in made:
        manager.close()


def put(manager: Manager, state: str, megabytes: float, age: float, owner: str = "x") -> str:
    """Put a run into the folder that was used so long ago."""
    store = manager.store
    run_id = store.new_id()
    store.folder(run_id).mkdir()
    (store.folder(run_id) / "final.safetensors").write_bytes(bytes(round(megabytes * MEGABYTE)))
    store.write(run_id, Note(hashed(owner), state, "", "title", 1.0))
    store.touch(run_id, manager._now() - age)
    return run_id


def size_of(manager: Manager) -> float:
    store = manager.store
    return sum(map(store.size, store.ids())) / MEGABYTE


def test_many_uploads_keep_to_their_share_and_keep_nobody_from_training(
    make: Callable[..., Manager], content: bytes
) -> None:
    manager = make(8)
    refused = 0
    for number in range(24):
        try:
            add_upload(manager, f"visitor {number}", content, "a.safetensors")
        except RefusedError as refusal:
            assert "space for uploaded models" in str(refusal)
            refused += 1
    assert refused < 24 and size_of(manager) <= UPLOAD_SHARE * 8
    assert manager.start("pupil", REQUEST).is_active


def test_training_may_go_on_though_uploads_and_runs_are_too_large_together(
    make: Callable[..., Manager],
) -> None:
    manager = make(8)
    put(manager, "uploaded", 3.0, age=0)  # of a server with other limits
    trained = put(manager, "finished", 5.5, age=0)
    assert manager.start("pupil", REQUEST).is_active
    assert manager.find(trained) is not None
    put(manager, "finished", 1.0, age=0)
    with pytest.raises(RefusedError, match="space for runs"):
        manager.start("other", REQUEST)


def test_the_oldest_uploads_that_nobody_uses_go_first(
    make: Callable[..., Manager], content: bytes
) -> None:
    manager = make(8)
    old, older = (put(manager, "uploaded", 0.9, age, owner=f"{age}") for age in (500.0, 900.0))
    add_upload(manager, "new", content, "a.safetensors")
    assert manager.store.read(older) is None and manager.store.read(old) is not None


@pytest.mark.parametrize("use", ["just uploaded", "looked at", "page open"])
def test_uploads_in_use_stay(make: Callable[..., Manager], content: bytes, use: str) -> None:
    manager = make(8)
    age = 1.0 if use == "just uploaded" else 2 * UPLOAD_IN_USE_SECONDS
    used = put(manager, "uploaded", 1.9, age, owner="anna")
    if use == "looked at":
        manager.find(used)
    if use == "page open":
        manager.has_open_page = lambda owner: owner == hashed("anna")
    with pytest.raises(RefusedError, match="space for uploaded models"):
        add_upload(manager, "new", content, "a.safetensors")
    assert manager.store.read(used) is not None


def test_uploads_that_are_being_written_count(make: Callable[..., Manager]) -> None:
    manager = make(8)
    with (
        manager.reserve_upload_space(MEGABYTE),
        pytest.raises(RefusedError, match="space for uploaded models"),
        manager.reserve_upload_space(1.5 * MEGABYTE),
    ):
        raise AssertionError("there is no room")
    with manager.reserve_upload_space(1.5 * MEGABYTE):
        pass


def test_a_file_that_is_refused_clears_nothing_away(make: Callable[..., Manager]) -> None:
    manager = make(8)
    old = put(manager, "uploaded", 1.9, age=DAY)
    for content in (b"", b"nothing", b"x" * (3 * MEGABYTE)):
        with pytest.raises(RefusedError):
            add_upload(manager, "new", content, "a.safetensors")
    assert manager.store.read(old) is not None


def test_no_trained_run_goes_for_the_sake_of_uploads(make: Callable[..., Manager]) -> None:
    manager = make(8)
    trained = put(manager, "finished", 5.5, age=DAY)
    upload = put(manager, "uploaded", 3.0, age=2 * RECENT_SECONDS)
    deleted = clear_old(manager.store, manager.limits, manager._now(), lambda run_id: False)
    assert deleted == [upload] and manager.store.read(trained) is not None
