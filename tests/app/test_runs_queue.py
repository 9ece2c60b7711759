"""Who waits keeps the place while somebody looks; who leaves gives it to others."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from fake_process import FakeProcess

from explainer import training
from explainer.training import Manager, RefusedError, RunRequest, scheduler, visitor
from explainer.training import queue as queue_module
from explainer.training.limits import load_limits
from explainer.training.presence import MAX_SESSIONS, Presence, is_session_open
from explainer.training.queue import EXPIRY_SECONDS, UNWATCHED_SECONDS, RunQueue
from explainer.training.store import hashed
from vit_core import TrainConfig, ViTConfig

MODEL = ViTConfig(patch_size=14, embed_dim=16, depth=1, num_heads=2)
REQUEST = RunRequest(MODEL, TrainConfig(epochs=3))
SCHOOL = "203.0.113.7"  # behind which all of a class are


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which a test sets."""
    clock = [1000.0]
    monkeypatch.setattr(queue_module.time, "monotonic", lambda: clock[0])
    return clock


@pytest.fixture
def here() -> set[str]:
    """The visitors whose page is open."""
    return set()


@pytest.fixture
def make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: set[str], now: list[float]
) -> Iterator[Callable[..., Manager]]:
    monkeypatch.setattr(scheduler, "CHECK_SECONDS", 3600.0)
    monkeypatch.setattr(FakeProcess, "started", [])
    made: list[Manager] = []

    def make(**limits: int) -> Manager:
        changed = dataclasses.replace(load_limits(), **{"runs_at_once": 1, "queue": 4} | limits)
        made.append(Manager(tmp_path / "runs", changed, FakeProcess, tmp_path / "recorded"))
        made[-1].has_open_page = lambda owner: owner in {hashed(name) for name in here}
        return made[-1]

    yield make
    for manager in made:
        manager.close()


def test_a_client_that_left_holds_no_place(make: Callable[..., Manager], now: list[float]) -> None:
    manager = make()
    flood = [manager.start(f"bot {number}", REQUEST).id for number in range(5)]
    with pytest.raises(RefusedError, match="Already 4 runs wait"):
        manager.start("anna", REQUEST)
    now[0] += UNWATCHED_SECONDS + 1
    assert manager.start("anna", REQUEST).queue_position == 1, "the others are passed over"
    ended = manager.find(flood[1])
    assert ended.status == "stopped" and "Nobody looked at this run" in ended.message
    assert ended.can_resume, "who comes back finds it"
    with pytest.raises(RefusedError, match="cannot be resumed"):
        manager.resume("bot 2", flood[2])


def test_who_looks_keeps_the_place(make: Callable[..., Manager], now: list[float]) -> None:
    manager = make()
    first, *others = (manager.start(name, REQUEST).id for name in ("x", "anna", "ben", "cem"))
    for _ in range(10):
        now[0] += UNWATCHED_SECONDS - 1
        manager.find(others[0])  # the page of the run
        manager.runs_of("ben")  # any page with a list of runs
    assert [manager.find(one).queue_position for one in others] == [1, 2, 3]
    assert manager.find(first).status == "running"


def test_a_page_that_is_open_counts_as_a_look(
    make: Callable[..., Manager], now: list[float], here: set[str]
) -> None:
    """Somebody reads another page of the app, or has another tab in front."""
    manager = make()
    manager.start("x", REQUEST)
    away, reader = manager.start("anna", REQUEST).id, manager.start("ben", REQUEST).id
    here.add("ben")
    now[0] += EXPIRY_SECONDS - 1
    assert [one for one in manager._queue] == [reader, away]
    FakeProcess.started[0].end_run()
    assert manager.find(reader).status == "running"


def test_a_run_that_nobody_looks_at_is_trained_if_nobody_else_waits(
    make: Callable[..., Manager], now: list[float]
) -> None:
    manager = make()
    manager.start("x", REQUEST)
    alone = manager.start("anna", REQUEST).id
    now[0] += UNWATCHED_SECONDS + 1
    manager._do_due_work(is_cleanup=False)
    FakeProcess.started[0].end_run()
    assert manager.find(alone).status == "running"


def test_after_half_an_hour_without_a_look_the_place_lapses(
    make: Callable[..., Manager], now: list[float]
) -> None:
    manager = make()
    manager.start("x", REQUEST)
    left = manager.start("anna", REQUEST).id
    now[0] += EXPIRY_SECONDS + 1
    manager._do_due_work(is_cleanup=False)
    note = manager.store.read(left)
    assert note.state == "stopped" and "Nobody looked" in note.message
    assert manager.resume("anna", left).queue_position == 1


def test_who_comes_back_in_time_has_the_old_place(
    make: Callable[..., Manager], now: list[float]
) -> None:
    manager = make()
    manager.start("x", REQUEST)
    left, other = manager.start("anna", REQUEST).id, manager.start("ben", REQUEST).id
    now[0] += UNWATCHED_SECONDS + 1
    assert manager.find(other).queue_position == 1
    manager._queue.mark_seen(other)
    assert manager.find(left).queue_position == 1, "it was there before the other one"


def test_one_address_has_half_of_the_queue(make: Callable[..., Manager]) -> None:
    manager = make(queue=8)
    manager.start("x", REQUEST)
    for number in range(4):
        assert manager.start(f"pupil {number}", REQUEST, SCHOOL).queue_position == number + 1
    with pytest.raises(RefusedError, match="Already 4 runs from your network address wait"):
        manager.start("pupil 5", REQUEST, SCHOOL)
    assert manager.start("anna", REQUEST, "198.51.100.1").queue_position == 5
    assert manager.start("local", REQUEST, None).queue_position == 6


def test_where_none_may_wait_one_trains(make: Callable[..., Manager]) -> None:
    manager = make(runs_at_once=1, queue=0)
    run_id = manager.start("a", REQUEST, "203.0.113.7").id
    assert manager.find(run_id).status == "running"
    with pytest.raises(RefusedError, match="0 runs wait"):
        manager.start("b", REQUEST, "203.0.113.8")


def test_a_class_of_thirty_behind_one_address_has_room(make: Callable[..., Manager]) -> None:
    manager = make(queue=load_limits().queue)
    for number in range(30):
        assert manager.start(f"pupil {number}", REQUEST, SCHOOL).is_active


def test_an_address_gives_up_its_own_places_first(
    make: Callable[..., Manager], now: list[float]
) -> None:
    manager = make(queue=4)
    manager.start("x", REQUEST)
    stays = manager.start("other", REQUEST, "198.51.100.1").id
    flood = [manager.start(f"bot {number}", REQUEST, SCHOOL).id for number in range(2)]
    now[0] += UNWATCHED_SECONDS + 1
    assert manager.start("pupil", REQUEST, SCHOOL).is_active
    assert [manager.store.read(one).state for one in (stays, *flood)] == [
        "queued", "stopped", "queued",
    ]  # fmt: skip


def test_the_address_is_not_written_down(make: Callable[..., Manager]) -> None:
    manager = make()
    manager.start("x", REQUEST, SCHOOL)
    run = manager.start("anna", REQUEST, SCHOOL)
    for path in manager.store.root.rglob("*"):
        assert not path.is_file() or SCHOOL.encode() not in path.read_bytes()
    assert run.queue_position == 1


def test_an_order_of_turns_that_does_not_change_while_all_look(now: list[float]) -> None:
    line = RunQueue(lambda owner: False)
    for name in "abc":
        line.add(name, name)
    assert list(line) == ["a", "b", "c"] and line.index("c") == 2
    now[0] += UNWATCHED_SECONDS + 1
    assert list(line) == ["a", "b", "c"], "nobody looks at any"
    line.mark_owner_seen("c")
    assert list(line) == ["c", "a", "b"] and line.take() == "c"
    assert line.unwatched() == ["a", "b"] and "c" not in line


def test_presence_knows_open_sessions_alone() -> None:
    open_sessions = {"s1", "s2"}
    presence = Presence(open_sessions.__contains__)
    presence.register("anna", "s1")
    presence.register("anna", "gone")
    assert presence.has_open_page("anna") and not presence.has_open_page("ben")
    open_sessions.clear()
    assert not presence.has_open_page("anna")
    open_sessions.add("s1")
    assert presence.has_open_page("anna"), "the connection is back"
    for number in range(MAX_SESSIONS):
        presence.register("anna", f"later {number}")
    assert not presence.has_open_page("anna")


def test_a_session_is_open_while_a_browser_is_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    from streamlit import runtime

    assert not is_session_open("s1"), "no server runs here"
    connected = SimpleNamespace(is_active_session={"s1"}.__contains__)
    monkeypatch.setattr(runtime, "exists", lambda: True)
    monkeypatch.setattr(runtime, "get_instance", lambda: connected)
    assert is_session_open("s1") and not is_session_open("s2")


def test_the_app_asks_who_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIT_EXPLAINER_RUNS", str(tmp_path))
    manager = training.make_manager.__wrapped__()
    try:
        assert manager.has_open_page == training.presence.has_open_page
    finally:
        manager.close()


def test_a_visitor_is_known_by_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[tuple[str, str]] = []
    monkeypatch.setattr(
        training, "presence", SimpleNamespace(register=lambda *who: registered.append(who))
    )
    monkeypatch.setattr(
        visitor, "get_script_run_ctx", lambda: SimpleNamespace(session_id="session 1")
    )
    monkeypatch.setattr(st, "session_state", {visitor.KEY: "a" * 32})
    visitor.current()
    assert registered == [(hashed("a" * 32), "session 1")]


@pytest.mark.parametrize(
    ("given", "address"),
    [
        (None, None),
        ("", None),
        ("no address", None),
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:127.0.0.1", None),
        ("127.0.0.1", None),
        ("::1", None),
    ],
)
def test_an_address_is_that_of_the_connection(
    monkeypatch: pytest.MonkeyPatch, given: str | None, address: str | None
) -> None:
    monkeypatch.setattr(st, "context", SimpleNamespace(ip_address=given))
    assert visitor.address() == address


# a secret that a browser keeps beside its cookies


class State(dict):
    """A session's state, and what a component has sent."""


@pytest.mark.parametrize(
    ("sent", "taken"),
    [("b" * 32, True), ("b" * 31, False), ("../" + "b" * 29, False), (None, False), (["b"], False)],
)
def test_a_kept_secret_is_taken_if_it_is_one(
    make: Callable[..., Manager], monkeypatch: pytest.MonkeyPatch, sent: object, taken: bool
) -> None:
    manager = make()
    monkeypatch.setattr(training, "the_manager", lambda: manager)
    session = {visitor.KEY: "a" * 32, visitor.RECOVER_KEY: {"secret": sent}}
    monkeypatch.setattr(st, "session_state", session)
    visitor.adopt()
    assert (visitor.current() == "b" * 32) == taken


def test_a_session_with_runs_keeps_its_own_secret(
    make: Callable[..., Manager], monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = make()
    manager.start("a" * 32, REQUEST)
    monkeypatch.setattr(training, "the_manager", lambda: manager)
    session = {visitor.KEY: "a" * 32, visitor.RECOVER_KEY: {"secret": "b" * 32}}
    monkeypatch.setattr(st, "session_state", session)
    visitor.adopt()
    assert visitor.current() == "a" * 32
