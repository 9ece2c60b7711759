"""What the app did not make in its folder of runs is never changed, counted, listed or deleted."""

import dataclasses
import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_process import FakeProcess

from explainer.training import Manager, RefusedError, RunRequest, scheduler
from explainer.training.housekeeping import Usage, usage_of
from explainer.training.limits import load_limits
from explainer.training.note import hashed
from explainer.training.ownership import MARKER, Ownership
from vit_core import TrainConfig, ViTConfig
from vit_core.runs.directory import RunConfig, RunDirectory

MODEL = ViTConfig(patch_size=14, embed_dim=16, depth=1, num_heads=2)
REQUEST = RunRequest(MODEL, TrainConfig(epochs=3))
# everything that may be cleared is, at once
STRICT = dataclasses.replace(load_limits(), runs_at_once=1, total_megabytes=0, keep_hours=0)
LONG = 10 * 24 * 3600.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def make(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Manager]]:
    monkeypatch.setattr(scheduler, "CHECK_SECONDS", 3600.0)
    monkeypatch.setattr(FakeProcess, "started", [])
    made: list[Manager] = []

    def make() -> Manager:
        made.append(Manager(root, STRICT, FakeProcess, root.parent / "recorded"))
        return made[-1]

    yield make
    for manager in made:
        manager.close()


def trained(manager: Manager, visitor: str = "anna") -> str:
    """Return a finished run that nobody has looked at for long."""
    manager.limits = dataclasses.replace(manager.limits, total_megabytes=1000)
    run = manager.start(visitor, REQUEST)
    process = next(one for one in FakeProcess.started if one.run_id == run.id)
    process.end_run()
    manager.limits = STRICT
    (manager.store.folder(run.id) / "final.safetensors").write_bytes(bytes(1000))
    manager.store.touch(run.id, manager._now() - LONG)
    return run.id


def clean(manager: Manager) -> None:
    """Clean up twice, as what is half made goes at the second time."""
    manager._do_due_work(is_cleanup=True)
    manager._do_due_work(is_cleanup=True)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_app_clears_what_it_made(make: Callable[[], Manager], root: Path) -> None:
    manager = make()
    run_id = trained(manager)
    clean(manager)
    assert manager.find(run_id) is None and not (root / run_id).exists()


OTHERS = [
    "imagenet-vit-tiny", "mine-224px", "Documents", "cifar10_seed_0", "a" * 20, "a" * 24,
    "0123456789abcdef01234567", ".hidden-folder", "short", "ein Ordner mit Ä",
]  # fmt: skip


@pytest.mark.parametrize("before", [True, False], ids=["lay there before", "came later"])
def test_folders_of_others_stay_as_they_are(
    make: Callable[[], Manager], root: Path, before: bool
) -> None:
    if not before:
        earlier = make()
        trained(earlier)
        earlier.close()
    for name in OTHERS:
        (root / name / "deeper").mkdir(parents=True)
        (root / name / "deeper" / "file").write_text(name)
        (root / name / "final.safetensors").write_bytes(b"weeks of work")
        os.utime(root / name, (0, 0))
    (root / "notes.txt").write_text("mine")
    (root / "empty-folder").mkdir()
    kept = {name: contents(root / name) for name in OTHERS}
    manager = make()
    trained(manager)
    clean(manager)
    assert {name: contents(root / name) for name in OTHERS} == kept
    assert (root / "notes.txt").read_text() == "mine" and (root / "empty-folder").is_dir()
    assert all(manager.find(name) is None for name in OTHERS)
    assert usage_of(manager.store) == Usage({}, set())


def test_a_start_that_fails_before_it_has_a_folder_removes_nothing(
    make: Callable[[], Manager], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the app's folder is itself a run of the command line, it has files of such names."""
    root.mkdir(parents=True, exist_ok=True)
    for name in ("status.json", "config.json", "final.safetensors"):
        (root / name).write_text("weeks of work")
    manager = make()

    def full() -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(manager.store, "new_id", full)
    with pytest.raises(RefusedError, match="No space left"):
        manager.start("anna", REQUEST)
    for run_id in ("", ".", ".."):
        with pytest.raises(OSError):
            manager.store.delete(run_id)
    for name in ("status.json", "config.json", "final.safetensors"):
        assert (root / name).read_text() == "weeks of work"


def test_runs_of_the_command_line_stay(make: Callable[[], Manager], root: Path) -> None:
    config = RunConfig("fast", MODEL, TrainConfig(), 1, "", "a command")
    RunDirectory.create(root / "imagenet-vit-tiny", config).close()
    kept = contents(root)
    manager = make()
    clean(manager)
    manager.close()
    assert contents(root) == kept, "not even a marker is added before the first run"
    with pytest.raises(RefusedError, match="no such run"):
        manager.delete("anna", "imagenet-vit-tiny")
    assert (root / "imagenet-vit-tiny" / "config.json").exists()


def test_a_copied_note_makes_no_folder_the_apps(make: Callable[[], Manager], root: Path) -> None:
    manager = make()
    run_id = trained(manager)
    for name in ("my-own-folder", "b" * 20, "b" * 24):
        (root / name).mkdir()
        (root / name / "final.safetensors").write_bytes(b"weeks of work")
        shutil.copy2(root / run_id / "status.json", root / name)
    clean(manager)
    for name in ("my-own-folder", "b" * 20, "b" * 24):
        assert (root / name / "final.safetensors").read_bytes() == b"weeks of work"
        assert manager.find(name) is None
        with pytest.raises(RefusedError):
            manager.delete("anna", name)
    assert manager.runs_of("anna") == []


def test_a_copied_or_renamed_run_is_its_owners_alone(
    make: Callable[[], Manager], root: Path
) -> None:
    manager = make()
    first, second = trained(manager), trained(manager)
    shutil.copytree(root / first, root / f"{first}-copy")
    (root / second).rename(root / "my-best-run")
    kept = contents(root / "my-best-run")
    clean(manager)
    assert (root / f"{first}-copy" / "final.safetensors").exists()
    assert contents(root / "my-best-run") == kept
    assert manager.runs_of("anna") == []


def test_a_run_from_another_folder_is_shown_but_never_cleared(
    make: Callable[[], Manager], root: Path, tmp_path: Path
) -> None:
    manager = make()
    other = Manager(tmp_path / "other", STRICT, FakeProcess, tmp_path / "recorded")
    run_id = trained(other)
    other.close()
    shutil.copytree(tmp_path / "other" / run_id, root / run_id)
    clean(manager)
    assert manager.find(run_id).status == "finished"
    assert usage_of(manager.store) == Usage({}, set())
    with pytest.raises(RefusedError, match="did not make"):
        manager.delete("anna", run_id)


def old_run(root: Path, run_id: str, state: str = "finished") -> None:
    """Write a run as the app's first versions did, without any mark."""
    config = RunConfig("fast", MODEL, TrainConfig(epochs=3), 1, "", "a command")
    RunDirectory.create(root / run_id, config).close()
    owner = hashed("anna")
    note = {"owner": owner, "state": state, "said": "", "title": "old", "created": 1.7e9}
    (root / run_id / "status.json").write_text(json.dumps(note | {"estimate": None}))
    os.utime(root / run_id / "status.json", (1.7e9, 1.7e9))


@pytest.mark.parametrize("state", ["finished", "stopped", "queued", "running", "paused"])
def test_runs_of_earlier_versions_stay_and_are_their_owners(
    make: Callable[[], Manager], root: Path, state: str
) -> None:
    run_id = "AbCdEfGhIjKlMnOpQr-_"
    old_run(root, run_id, state)
    manager = make()
    clean(manager)
    found = manager.find(run_id)
    assert [run.id for run in manager.runs_of("anna")] == [run_id]
    assert found.title == "old" and not found.is_active
    if state == "finished":
        manager.delete("anna", run_id)
        assert not (root / run_id).exists()
    else:
        manager.limits = load_limits()
        assert found.can_resume and manager.resume("anna", run_id).status == "running"


@pytest.mark.skipif(os.name == "nt", reason="links need a right that few have there")
def test_links_are_never_followed(make: Callable[[], Manager], root: Path, tmp_path: Path) -> None:
    manager = make()
    linked, inside = trained(manager), trained(manager)
    outside = tmp_path / "outside"
    (root / linked).rename(outside)
    (root / linked).symlink_to(outside, target_is_directory=True)
    (root / "a-link-to-others").symlink_to(outside, target_is_directory=True)
    (root / "a-dangling-link").symlink_to(tmp_path / "nowhere")
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(bytes(5_000_000))
    (root / inside / "epoch-001.safetensors").symlink_to(weights)
    assert manager.store.size(inside) < 10_000
    kept = contents(outside)
    clean(manager)
    assert contents(outside) == kept and weights.stat().st_size == 5_000_000
    assert (root / linked).is_symlink() and manager.find(linked) is None
    assert (root / inside / "epoch-001.safetensors").is_symlink(), "somebody else made it"


def test_what_is_mounted_in_the_folder_is_not_entered(
    make: Callable[[], Manager], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = make()
    run_id = trained(manager)
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path).name == run_id)
    clean(manager)
    assert manager.store.size(run_id) == 0
    with pytest.raises(RefusedError, match="cannot be deleted"):
        manager.delete("anna", run_id)
    assert (root / run_id / "final.safetensors").exists()


def test_ones_own_files_in_a_run_stay(make: Callable[[], Manager], root: Path) -> None:
    manager = make()
    cleared, deleted = trained(manager), trained(manager)
    for run_id in (cleared, deleted):
        (root / run_id / "thesis.txt").write_text("mine")
        (root / run_id / "figures").mkdir()
        (root / run_id / "figures" / "final.safetensors").write_text("mine")
    with pytest.raises(RefusedError, match=r"folder stays: 2 files"):
        manager.delete("anna", deleted)
    clean(manager)
    for run_id in (cleared, deleted):
        assert contents(root / run_id) == {
            "thesis.txt": b"mine",
            str(Path("figures") / "final.safetensors"): b"mine",
        }
        assert manager.find(run_id) is None


def test_half_made_and_half_written_files_of_the_app_go(
    make: Callable[[], Manager], root: Path
) -> None:
    """A server was killed while it made a run, a process while it wrote a model."""
    manager = make()
    run_id, half = trained(manager), manager.store.new_id()
    config = RunConfig("fast", MODEL, TrainConfig(), 1, "", "")
    RunDirectory.create(root / half, config).close()
    others = root / "a-run-of-others"
    others.mkdir()
    for folder in (root / run_id, others):
        (folder / ".epoch-001.safetensors.k3j_x9ab").write_bytes(bytes(1000))
        (folder / ".final.safetensors.backup").write_bytes(b"mine")
    manager.store.touch(run_id, manager._now())
    manager._do_due_work(is_cleanup=True)
    assert (root / half).exists(), "another server may be making it just now"
    manager._do_due_work(is_cleanup=True)
    assert not (root / half).exists()
    assert not (root / run_id / ".epoch-001.safetensors.k3j_x9ab").exists()
    assert (root / run_id / ".final.safetensors.backup").exists()
    assert len(contents(others)) == 2


def test_the_marker_says_in_words_what_it_is(make: Callable[[], Manager], root: Path) -> None:
    make()
    text = (root / MARKER).read_text()
    assert "ViT Explainer made this file" in text and "deletes only folders that it made" in text


@pytest.mark.parametrize("damage", [b"", b"key: nothing\n", b"\xff\xfe", b"key: 12\n" * 1000])
def test_with_a_damaged_marker_nothing_is_cleared_and_the_app_works(
    make: Callable[[], Manager], root: Path, damage: bytes
) -> None:
    before = make()
    run_id = trained(before)
    before.close()
    (root / MARKER).write_bytes(damage)
    after = make()
    clean(after)
    assert after.find(run_id).status == "finished"
    new = trained(after)
    clean(after)
    assert after.find(new) is None and after.find(run_id) is not None


def test_two_servers_at_once_have_one_key(root: Path) -> None:
    one, other = Ownership(root), Ownership(root)
    assert one.key is None and other.key is None
    run_id = one.new_id()
    assert other.new_id() and other.has_made(run_id)
    assert not other.has_made(run_id[:-1] + ("0" if run_id[-1] != "0" else "1"))
    assert not Ownership(root.parent / "elsewhere").has_made(run_id)
