"""The lease of a run: who has it, who takes it over, and what the former owner does then."""

import dataclasses
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Barrier, Thread

import pytest
from fake_process import FakeProcess

from explainer.training import Manager, RefusedError, RunRequest, scheduler
from explainer.training import lease as lease_module
from explainer.training.lease import Holder, Leases, name_of
from explainer.training.limits import load_limits
from explainer.training.orders import send_order, take_order
from explainer.training.servers import PREFIX, Servers
from vit_core import TrainConfig, ViTConfig
from vit_core.runs.directory import RunDirectory
from vit_core.runs.fence import Fence
from vit_core.runs.file_names import ORDER, is_run_file
from vit_core.storage.locks import take

RUN = "a-run"
SECONDS = 10.0
REQUEST = RunRequest(
    ViTConfig(patch_size=14, embed_dim=16, depth=1, num_heads=2), TrainConfig(epochs=3)
)


class Clock:
    """A clock that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "runs" / RUN).mkdir(parents=True)
    return tmp_path / "runs"


@pytest.fixture
def make(root: Path, clock: Clock) -> Callable[[], Leases]:
    def make() -> Leases:
        servers = Servers(root)
        servers.join()
        return Leases(root, servers, SECONDS, clock)

    return make


def leases_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("lease-*"))


def watch(leases: Leases, clock: Clock, seconds: float, step: float = 2.0) -> Holder:
    """Let a server look again and again, for so many seconds of its own clock."""
    holder = leases.holder(RUN)
    for _ in range(round(seconds / step)):
        clock.now += step
        holder = leases.holder(RUN)
    return holder


def test_one_server_has_a_run_until_it_gives_it_back(
    make: Callable[[], Leases], root: Path
) -> None:
    one, other = make(), make()
    assert one.holder(RUN) is Holder.NOBODY
    assert one.take(RUN) and not other.take(RUN)
    assert (one.holder(RUN), other.holder(RUN)) == (Holder.HERE, Holder.OTHER)
    assert one.take(RUN), "it is its own already"
    fence = one.fence(RUN)
    assert Fence(root / RUN / fence["file"], fence["text"]).holds()
    one.release(RUN)
    assert other.take(RUN) and not one.holds(RUN)
    assert not Fence(root / RUN / fence["file"], fence["text"]).holds(), "the same name, another"
    assert len(leases_in(root / RUN)) == 1 and is_run_file(leases_in(root / RUN)[0])


def test_a_beat_is_one_small_write_that_others_see(
    make: Callable[[], Leases], root: Path, clock: Clock
) -> None:
    one, other = make(), make()
    one.take(RUN)
    path = root / RUN / name_of(1)
    before = path.read_bytes()
    for _ in range(30):
        assert one.beat() == []
        clock.now += 5.0
        assert other.holder(RUN) is Holder.OTHER
    after = path.read_bytes()
    assert len(after) == len(before) and json.loads(after)["beat"] == f"{30:012d}"


def test_a_lease_that_stands_still_is_taken_over(
    make: Callable[[], Leases], root: Path, clock: Clock
) -> None:
    one, other = make(), make()
    one.take(RUN)
    fence = one.fence(RUN)
    assert watch(other, clock, SECONDS - 2.0) is Holder.OTHER and not other.take(RUN)
    assert watch(other, clock, 4.0) is Holder.GONE
    assert other.take(RUN) and leases_in(root / RUN) == [name_of(2)]
    assert one.holder(RUN) is Holder.OTHER and one.beat() == [RUN]
    assert not Fence(root / RUN / fence["file"], fence["text"]).holds()
    one.release(RUN)
    assert other.holds(RUN) and other.beat() == []


def test_a_server_that_slept_itself_calls_nobody_gone(
    make: Callable[[], Leases], clock: Clock
) -> None:
    one, other = make(), make()
    one.take(RUN)
    assert other.holder(RUN) is Holder.OTHER
    clock.now += 3600.0  # both were frozen
    assert other.holder(RUN) is Holder.OTHER
    one.beat()
    assert watch(other, clock, SECONDS - 2.0) is Holder.OTHER


def test_the_system_clock_has_no_say(
    make: Callable[[], Leases], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = make(), make()
    one.take(RUN)
    for hours in (-1, 1, 10_000):
        at = 1.7e9 + 3600 * hours
        monkeypatch.setattr("time.time", lambda at=at: at)
        os.utime(root / RUN / name_of(1), (at, at))
        assert other.holder(RUN) is Holder.OTHER and one.beat() == []


def test_a_server_of_this_computer_that_has_ended_is_noticed_at_once(
    make: Callable[[], Leases], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = make(), make()
    one.take(RUN)
    one._servers.leave()  # as the system does for a process that was killed
    monkeypatch.setattr(lease_module, "machine", lambda: "another one")
    assert other.holder(RUN) is Holder.OTHER, "of another computer, nothing is known of locks"
    monkeypatch.undo()
    assert other.holder(RUN) is Holder.GONE and other.take(RUN)


@pytest.mark.parametrize("begun", [True, False], ids=["taken over", "new"])
def test_exactly_one_of_several_takes_a_run(
    make: Callable[[], Leases], root: Path, clock: Clock, begun: bool
) -> None:
    servers = [make() for _ in range(6)]
    for _ in range(20):
        if begun:
            dead = make()
            assert dead.take(RUN)
            dead._servers.leave()
        start, won = Barrier(len(servers)), []

        def compete(leases: Leases, start: Barrier = start, won: list[Leases] = won) -> None:
            start.wait()
            if leases.take(RUN):
                won.append(leases)

        threads = [Thread(target=compete, args=(one,)) for one in servers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        holders = [one for one in servers if one.holds(RUN)]
        # several who begin a new one at the same moment may all draw back
        assert len(holders) <= 1 and won == holders and (holders or not begun)
        for one in servers:
            one.release(RUN)
        assert leases_in(root / RUN) == [] or not holders
        for path in (root / RUN).glob("lease-*"):
            path.unlink()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff\x00", b'{"server": 7}', b"x" * 5000])
def test_a_damaged_lease_counts_until_it_stands_still(
    make: Callable[[], Leases], root: Path, clock: Clock, damage: bytes
) -> None:
    one = make()
    (root / RUN / name_of(41)).write_bytes(damage)
    assert one.holder(RUN) is Holder.OTHER and not one.take(RUN)
    assert one.token_of_other(RUN) is None
    assert watch(one, clock, SECONDS + 2.0) is Holder.GONE
    assert one.take(RUN) and leases_in(root / RUN) == [name_of(42)]


def test_a_lease_that_is_gone_is_lost(make: Callable[[], Leases], root: Path) -> None:
    one = make()
    one.take(RUN)
    (root / RUN / name_of(1)).unlink()
    assert one.beat() == [RUN] and one.holder(RUN) is Holder.NOBODY
    one.release(RUN)
    assert one.held == []


def test_an_order_is_obeyed_once_and_only_by_whom_it_is_for(tmp_path: Path) -> None:
    send_order(tmp_path, "pause", "one")
    assert take_order(tmp_path, "one") == "pause" and take_order(tmp_path, "one") is None
    send_order(tmp_path, "stop", "one")
    assert take_order(tmp_path, "other") is None and take_order(tmp_path, "one") is None
    for damage in ("", "[]", '{"lease": "one"}', '{"lease": "one", "do": "delete all"}'):
        (tmp_path / ORDER).write_text(damage)
        assert take_order(tmp_path, "one") is None and not (tmp_path / ORDER).exists()


# managers


@pytest.fixture
def server(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Manager]]:
    monkeypatch.setattr(scheduler, "CHECK_SECONDS", 3600.0)
    monkeypatch.setattr(scheduler, "BEATS", 1e-3)  # the tests beat by themselves
    monkeypatch.setattr(FakeProcess, "started", [])
    made: list[Manager] = []

    def server() -> Manager:
        limits = dataclasses.replace(load_limits(), runs_at_once=1)
        made.append(Manager(tmp_path / "app", limits, FakeProcess, tmp_path / "recorded"))
        made[-1]._leases._clock = clock
        return made[-1]

    yield server
    for one in made:
        one.close()


def freeze(frozen: Manager, other: Manager, clock: Clock) -> None:
    """Let another server look for as long as a lease lasts, in which the first does not beat."""
    for _ in range(7):
        clock.now += 2.0
        other._do_due_work(is_cleanup=False)


def test_a_frozen_server_loses_its_runs_and_writes_nothing_more(
    server: Callable[[], Manager], clock: Clock
) -> None:
    old, new = server(), server()
    trained, waits = (old.start(name, REQUEST).id for name in ("a", "b"))
    worker = FakeProcess.started[0]
    freeze(old, new, clock)
    assert new.find(trained).status == "interrupted" and new.find(waits).status == "running"
    notes = {one: (new.store.folder(one) / "status.json").read_bytes() for one in (trained, waits)}
    old._beat()
    assert not worker.is_alive and old._leases.held == [] and len(old._queue) == 0
    worker.answer(event="ended", state="finished", message="")
    old.close()
    for one, note in notes.items():
        assert (new.store.folder(one) / "status.json").read_bytes() == note
    assert new.resume("a", trained).status == "queued"


@pytest.mark.parametrize("act", ["ended", "pause", "stop", "dispatch", "late"])
def test_whatever_a_frozen_server_does_first_it_notices(
    server: Callable[[], Manager], clock: Clock, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = server(), server()
    trained, waits = (old.start(name, REQUEST).id for name in ("a", "b"))
    worker = FakeProcess.started[0]
    if act == "late":
        with monkeypatch.context() as patched:
            patched.setattr("explainer.training.store.write_atomically", full)
            worker.end_run("failed", "why")
    freeze(old, new, clock)
    notes = {one: (new.store.folder(one) / "status.json").read_bytes() for one in (trained, waits)}
    match act:
        case "ended":
            worker.end_run()
        case "pause":
            old._obey(trained, "pause")
        case "stop":
            old._obey(waits, "stop")
        case "dispatch":
            old._running.clear()
            old._dispatch()
        case "late":
            old._do_due_work(is_cleanup=True)
    for one, note in notes.items():
        assert (new.store.folder(one) / "status.json").read_bytes() == note
    old._beat()
    trains = [one for one in FakeProcess.started if one.run_id == waits and one.is_alive]
    assert len(trains) == 1, "it trains once"


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_orders_reach_the_server_that_has_the_run(server: Callable[[], Manager]) -> None:
    one, other = server(), server()
    trained, waits = (one.start(name, REQUEST).id for name in ("a", "b"))
    worker = FakeProcess.started[0]
    with pytest.raises(RefusedError, match="Only the visitor"):
        other.stop("b", trained)
    for order, status, sent in (
        (other.pause, "paused", "pause"),
        (other.unpause, "running", "go on"),
    ):
        order("a", trained)
        one._do_due_work(is_cleanup=False)
        assert other.find(trained).status == status and worker.commands[-1] == {"do": sent}
    other.stop("b", waits)
    other.stop("a", trained)
    one._do_due_work(is_cleanup=False)
    assert other.find(waits).status == "stopped" and "out of the queue" in other.find(waits).message
    assert worker.commands[-1] == {"do": "stop"}
    worker.end_run("stopped")
    assert other.find(trained).message.startswith("You stopped")
    assert not list(other.store.root.glob(f"*/{ORDER}"))
    with pytest.raises(RefusedError, match="not under way"):
        other.stop("a", trained)


def test_a_run_that_another_server_has_is_not_cleared(
    server: Callable[[], Manager], clock: Clock
) -> None:
    """Whatever its note says, and even if it has none."""
    one, other = server(), server()
    runs = [one.store.new_id() for _ in range(2)]
    for run_id in runs:
        one.store.folder(run_id).mkdir()
        (one.store.folder(run_id) / "final.safetensors").write_bytes(bytes(1000))
        assert one._leases.take(run_id)
    (one.store.folder(runs[0]) / "status.json").write_text("{}")
    one.store.touch(runs[0], other._now() - 1e9)
    for _ in range(3):
        one._leases.beat()
        other._clean_up()
        clock.now += 60.0
    assert all((one.store.folder(run_id) / "final.safetensors").exists() for run_id in runs)
    freeze(one, other, clock)
    for _ in range(2):
        other._do_due_work(is_cleanup=True)
    assert not any(one.store.folder(run_id).exists() for run_id in runs)


def test_a_lease_that_a_server_left_prevents_nothing(
    server: Callable[[], Manager], clock: Clock
) -> None:
    """It ended after it had written that its run has ended, and before it gave the lease back."""
    one, other = server(), server()
    run_id = one.start("a", REQUEST).id
    one._leases.release = lambda run_id: None  # type: ignore[method-assign]
    FakeProcess.started[0].end_run("failed", "why")
    one._servers.leave()
    assert leases_in(one.store.folder(run_id))
    assert other.resume("a", run_id).is_active
    FakeProcess.started[-1].end_run()
    other.delete("a", run_id)
    assert not other.store.folder(run_id).exists()


def test_two_servers_resume_a_run_once(server: Callable[[], Manager]) -> None:
    one, other = server(), server()
    run_id = one.start("a", REQUEST).id
    FakeProcess.started[0].end_run("failed", "why")
    assert one.resume("a", run_id).is_active
    with pytest.raises(RefusedError):
        other.resume("a", run_id)
    FakeProcess.started[0].end_run()
    with pytest.raises(RefusedError):
        other.resume("a", run_id)


def test_a_view_on_another_server_keeps_a_place_in_the_queue(
    server: Callable[[], Manager], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = server(), server()
    one.start("a", REQUEST)
    waits = one.start("b", REQUEST).id
    monkeypatch.setattr(one._queue, "expired", lambda: [waits] if waits in one._queue else [])
    one.store.touch(waits, one._now() - 3600.0)
    other.find(waits)
    one._do_due_work(is_cleanup=False)
    assert one.find(waits).status == "queued"
    one.store.touch(waits, one._now() - 3600.0)
    one._do_due_work(is_cleanup=False)
    assert one.find(waits).status == "stopped"


def test_a_server_of_an_earlier_version_is_respected(server: Callable[[], Manager]) -> None:
    """It holds the lock of the folder, and one of its own; its runs have no lease."""
    new = server()
    runs = [new.start(name, REQUEST).id for name in ("a", "b")]
    old = "0123456789ab"
    for run_id, process in zip(runs, (FakeProcess.started[0], None), strict=True):
        new.store.change(run_id, server=old)
        if process:
            new._running.clear()
            process.run_id = None
        new._queue.remove(run_id)
    new._release_ended()
    assert not list(new.store.root.glob("*/lease-*"))
    new.store.change(runs[0], state="running")
    keeper, alive = take(new.store.root), take(new.store.root, f"{PREFIX}{old}")
    assert keeper and alive

    def seen() -> list[str]:
        new._do_due_work(is_cleanup=True)
        return [new.find(run_id).status for run_id in runs]

    assert seen() == ["running", "queued"] and len(FakeProcess.started) == 1
    with pytest.raises(RefusedError, match="Another process is busy"):
        new.stop("a", runs[0])
    alive.release()
    assert [new.store.read(run_id).state for run_id in runs] == ["running", "queued"]
    seen()
    assert new.store.read(runs[0]).state == "running", "the keeper takes it over by itself"
    keeper.release()
    assert seen() == ["interrupted", "running"]


def test_a_run_is_made_with_its_lease(server: Callable[[], Manager]) -> None:
    manager = server()
    run = manager.start("a", REQUEST)
    order = FakeProcess.started[0].commands[0]
    assert Fence(run.history.path / order["fence"]["file"], order["fence"]["text"]).holds()
    FakeProcess.started[0].end_run()
    assert leases_in(run.history.path) == []
    RunDirectory.open(run.history.path).close()
