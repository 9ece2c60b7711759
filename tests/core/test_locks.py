"""Locks on folders: who gets them, when they are free again, and where a file system has none."""

import errno
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest
from bare_package import start_bare
from filelock import FileLock
from garbage import collect_all_garbage

from vit_core.config import TrainConfig, ViTConfig
from vit_core.runs.directory import RunConfig, RunDirectory, RunError
from vit_core.storage import locks

HOLDER = """
import sys, multiprocessing
from pathlib import Path
from vit_core.storage import locks
if {no_locks}:
    from tests_no_locks import refuse
    refuse(locks)
held = locks.take(Path(sys.argv[1]))
if {forks}:
    context = multiprocessing.get_context("fork")
    runs = context.Event()  # a copy gives the lock up when it first runs, not when it is made
    def read():
        runs.set()
        sys.stdin.read()
    context.Process(target=read).start()
    runs.wait()
print("held" if held else "refused", flush=True)
sys.stdin.read()
"""
NO_LOCKS = """
import errno, os
def refuse(locks):
    def acquire(self):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
    locks.FileLock = type("FileLock", (locks.FileLock,), {"acquire": acquire})
"""
CONFIG = RunConfig(None, ViTConfig(), TrainConfig(), 1, "data", "command")


@pytest.fixture(params=["locks of the system", "none"])
def has_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Try both: a file system with locks, and one that answers that it has none."""
    if request.param == "none":

        class NoLocks(FileLock):
            def acquire(self, *_: object, **__: object) -> None:
                raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

        monkeypatch.setattr(locks, "FileLock", NoLocks)
    return request.param != "none"


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Return what starts a process that takes a folder's lock and keeps it."""
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "tests_no_locks.py").write_text(NO_LOCKS, encoding="utf-8")

    def start_holder(folder: Path, has_locks: bool, forks: bool = False) -> subprocess.Popen[str]:
        return start_bare(
            HOLDER.format(no_locks=not has_locks, forks=forks),
            str(folder),
            env={"PYTHONPATH": str(modules)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    return start_holder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "ü folder"
    folder.mkdir()
    return folder


def test_one_at_a_time_within_a_process(folder: Path, has_locks: bool) -> None:
    first = locks.take(folder)
    assert first is not None
    assert locks.take(folder) is None, "neither in the same thread"
    others = []
    thread = Thread(target=lambda: others.append(locks.take(folder)))
    thread.start()
    thread.join()
    assert others == [None], "nor in another one"
    thread = Thread(target=first.release)
    thread.start()
    thread.join()
    with locks.take(folder) as again:
        assert again is not None, "any thread may release it"
        first.release()
        assert locks.take(folder) is None, "what was released once releases no other's lock"
    with locks.take(folder) as last:
        assert last is not None
    assert not list(folder.iterdir()), "nothing is left behind"


def test_many_that_come_and_go_are_never_two(folder: Path, has_locks: bool) -> None:
    """The file goes with the lock: one that had opened the old file must not get it."""
    inside, most, takes = 0, 0, 0
    pause = Event()

    def come_and_go() -> None:
        nonlocal inside, most, takes
        for _ in range(150):
            if held := locks.take(folder):
                inside += 1
                most = max(most, inside)
                takes += 1
                pause.wait(0.0002)
                inside -= 1
                held.release()

    threads = [Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert takes > 0


def test_the_lock_of_a_folder_in_the_place_of_ours_stays(folder: Path) -> None:
    old = locks.take(folder)
    folder.rename(folder.with_name("moved"))
    folder.mkdir()
    with locks.take(folder) as new:
        assert new is not None
        old.release()
        assert locks.take(folder) is None


def test_two_folders_have_two_locks(folder: Path, has_locks: bool) -> None:
    other = folder.parent / "other"
    other.mkdir()
    with locks.take(folder), locks.take(other) as second:
        assert second is not None


def test_a_lock_that_nobody_holds_any_more_is_free(folder: Path, has_locks: bool) -> None:
    held = locks.take(folder)
    assert locks.take(folder) is None
    del held
    collect_all_garbage()
    with locks.take(folder) as again:
        assert again is not None


def test_between_processes_and_free_after_a_kill(
    folder: Path, has_locks: bool, start: Callable[..., subprocess.Popen[str]]
) -> None:
    with start(folder, has_locks) as process:
        assert process.stdout.readline() == "held\n"
        assert locks.take(folder) is None
        process.kill()
    assert list(folder.iterdir()), "its file is still there, and holds nothing"
    with locks.take(folder) as mine:
        assert mine is not None
        with start(folder, has_locks) as process:
            assert process.stdout.readline() == "refused\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_what_a_killed_process_had_started_holds_nothing(
    folder: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    """Readers of images are copies of the training process and may outlive it."""
    process = start(folder, has_locks=True, forks=True)
    assert process.stdout.readline() == "held\n"
    process.kill()
    process.wait()
    with locks.take(folder) as mine:
        assert mine is not None
    process.communicate()


def test_a_folder_that_is_missing_or_read_only_is_no_others(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        locks.take(folder / "missing")
    (folder / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        locks.take(folder / "file")
    folder.chmod(0o500)
    try:
        if not os.access(folder, os.W_OK):  # root may write anywhere
            with pytest.raises(PermissionError):
                locks.take(folder)
    finally:
        folder.chmod(0o700)


@pytest.mark.parametrize("name", [locks.LOCK, locks.MARKER])
def test_the_file_of_a_lock_is_no_content(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"")
    assert locks.is_unused(folder)
    RunDirectory.create(folder, CONFIG).close()
    assert not locks.is_unused(folder)


def test_a_run_is_written_by_one_process_and_found_free_when_it_is_closed(
    folder: Path, has_locks: bool
) -> None:
    run = RunDirectory.create(folder, CONFIG)
    with pytest.raises(RunError, match="in use by another training process"):
        RunDirectory.open(folder)
    with pytest.raises(RunError, match="already used"):
        RunDirectory.create(folder, CONFIG)
    run.close()
    RunDirectory.open(folder).close()


def test_nothing_is_left_in_a_folder_of_others(folder: Path) -> None:
    (folder / "photos").mkdir()
    with pytest.raises(RunError, match="already used"):
        RunDirectory.create(folder, CONFIG)
    with pytest.raises(RunError, match="holds no run"):
        RunDirectory.open(folder)
    assert [entry.name for entry in folder.iterdir()] == ["photos"]


def test_of_two_that_begin_a_run_at_once_one_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process begins its run between the look at the folder and the lock."""
    real = locks.take

    def late(path: Path) -> locks.Lock | None:
        monkeypatch.setattr("vit_core.runs.directory.take", real)
        RunDirectory.create(path, CONFIG).close()
        return real(path)

    monkeypatch.setattr("vit_core.runs.directory.take", late)
    with pytest.raises(RunError, match="already used"):
        RunDirectory.create(folder, CONFIG)
    RunDirectory.open(folder).close()
