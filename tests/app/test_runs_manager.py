"""The manager of runs with processes that only do what a test says."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_process import FakeProcess

from explainer import measuring
from explainer.content import load_texts
from explainer.training import Manager, RefusedError, RunRequest, scheduler, workers
from explainer.training.first_point import SECONDS
from explainer.training.housekeeping import RECENT_SECONDS
from explainer.training.limits import Limits, load_limits
from explainer.training.recipes import OWN, RECIPES, flawed_recipe_of, recipe_of
from explainer.training.wording import title_of
from vit_core import PRESETS, TrainConfig, ViTConfig
from vit_core.mistakes import MISTAKES
from vit_core.runs.directory import RunDirectory

MODEL = ViTConfig(patch_size=14, embed_dim=16, depth=1, num_heads=2)
TRAIN = TrainConfig(epochs=3)
REQUEST = RunRequest(MODEL, TRAIN, "fast")
LIMITS = dataclasses.replace(load_limits(), runs_at_once=1, queue=3)


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Manager]]:
    """Make managers of one folder, which are closed at the end; nothing happens by the clock."""
    monkeypatch.setattr(scheduler, "CHECK_SECONDS", 3600.0)
    monkeypatch.setattr(FakeProcess, "started", [])
    made: list[Manager] = []

    def make(**limits: int) -> Manager:
        changed: Limits = dataclasses.replace(LIMITS, **limits)
        made.append(Manager(tmp_path / "runs", changed, FakeProcess, tmp_path / "recorded"))
        return made[-1]

    yield make
    for manager in made:
        manager.close()


def add_metrics(manager: Manager, run_id: str, **values: Any) -> None:
    path = manager.store.folder(run_id) / "metrics.jsonl"
    with path.open("a") as file:
        file.write(json.dumps({"seconds": 1.0, "step": 1, "epoch": 1} | values) + "\n")


def test_a_run_begins_at_once_and_is_told_where(make: Callable[..., Manager]) -> None:
    manager = make()
    run = manager.start("anna", REQUEST)
    assert (run.status, run.queue_position, run.title) == ("running", None, "Own, 3 epochs")
    (order,) = FakeProcess.started[0].commands
    assert order["do"] == "run"
    assert Path(order["path"]) == manager.store.folder(run.id).resolve()
    assert run.history.config.model == MODEL
    assert run.history.config.train == TRAIN


def test_ids_cannot_be_guessed(make: Callable[..., Manager]) -> None:
    manager = make(queue=10)
    ids = {manager.start(f"visitor {n}", REQUEST).id for n in range(8)}
    assert len(ids) == 8
    assert all(len(run_id) >= 20 for run_id in ids)


def test_the_wait_for_the_first_point_is_measured_with_the_queue_and_not_after_a_resume(
    make: Callable[..., Manager],
) -> None:
    def measured() -> int:
        return SECONDS.read()[0][-1][1]

    SECONDS.clear()
    manager = make()
    first, second = manager.start("a", REQUEST), manager.start("b", REQUEST)
    (process,) = FakeProcess.started
    process.answer(event="first_point")
    assert measured() == 1
    process.end_run("stopped")
    assert manager.store.read(second.id).state == "running"  # type: ignore[union-attr]
    process.answer(event="first_point")
    assert measured() == 2
    process.end_run()
    manager.resume("a", first.id)
    process.answer(event="first_point")
    manager.stop("a", first.id)
    process.end_run("stopped")
    unlucky = manager.start("c", REQUEST)
    process.end_run("failed")  # before a point
    manager.resume("c", unlucky.id)
    FakeProcess.started[-1].answer(event="first_point")
    assert measured() == 2
    SECONDS.clear()


def test_workers_and_takeovers_are_counted(make: Callable[..., Manager]) -> None:
    def number(event: str, kind: str) -> int:
        return measuring.counts(event).get(kind, 0)

    kinds = [("worker", "started"), ("worker", "killed"), ("takeover", "waiting")]
    kinds += [("takeover", "training")]
    before = [number(*one) for one in kinds]
    manager = make()
    manager.start("a", REQUEST)
    manager.start("b", REQUEST)
    FakeProcess.started[0].die(-9)
    manager.start("c", REQUEST)
    manager.close()
    make()
    after = [number(*one) for one in kinds]
    assert [new - old for new, old in zip(after, before, strict=True)] == [3, 1, 1, 1]


def test_others_wait_in_their_order(make: Callable[..., Manager]) -> None:
    manager = make()
    runs = [manager.start(name, REQUEST) for name in ("anna", "ben", "cem")]
    assert [run.queue_position for run in runs] == [None, 1, 2]
    assert [run.status for run in runs] == ["running", "queued", "queued"]
    FakeProcess.started[0].end_run()
    found = [manager.find(run.id) for run in runs]
    assert [run.status for run in found] == ["finished", "running", "queued"]
    assert found[2].queue_position == 1
    assert len(FakeProcess.started) == 1, "the process that is free takes the next run"


def test_as_many_runs_at_once_as_allowed(make: Callable[..., Manager]) -> None:
    manager = make(runs_at_once=2)
    runs = [manager.start(name, REQUEST) for name in ("anna", "ben", "cem")]
    assert [run.status for run in runs] == ["running", "running", "queued"]
    assert len(FakeProcess.started) == 2


def test_one_active_run_a_visitor(make: Callable[..., Manager]) -> None:
    manager = make()
    first = manager.start("anna", REQUEST)
    with pytest.raises(RefusedError, match="already have a run"):
        manager.start("anna", REQUEST)
    assert [run.id for run in manager.runs_of("anna")] == [first.id], "nothing is left behind"
    FakeProcess.started[0].end_run()
    second = manager.start("anna", REQUEST)
    assert manager.active_of("anna").id == second.id
    assert [run.id for run in manager.runs_of("anna")] == [second.id, first.id]


def test_a_full_queue_says_so(make: Callable[..., Manager]) -> None:
    manager = make(queue=1)
    manager.start("anna", REQUEST)
    manager.start("ben", REQUEST)
    with pytest.raises(RefusedError, match="Already 1 runs wait"):
        manager.start("cem", REQUEST)


def test_runs_that_are_too_large_are_refused_with_what_is_allowed(
    make: Callable[..., Manager],
) -> None:
    manager = make(parameters=1_000, tokens=10, batch_size=64, epochs=5, run_megabytes=1)
    small = RunRequest(MODEL, dataclasses.replace(TRAIN, batch_size=64))
    with pytest.raises(RefusedError, match="at most 1,000 are allowed"):
        manager.start("anna", small)
    roomy = make(tokens=3).limits
    with pytest.raises(RefusedError, match=r"5 tokens\. On this server at most 3"):
        roomy.check(MODEL, TRAIN)
    for values, said in (({"batch_size": 2048}, "2,048 images"), ({"epochs": 61}, "61 epochs")):
        with pytest.raises(RefusedError, match=said):
            LIMITS.check(MODEL, dataclasses.replace(TRAIN, **values))
    with pytest.raises(RefusedError, match="write 150 MB"):
        LIMITS.check(PRESETS["best"].model, dataclasses.replace(TRAIN, epochs=44))
    assert manager.runs_of("anna") == []


def test_two_visitors_are_apart(make: Callable[..., Manager]) -> None:
    manager = make()
    run = manager.start("anna", REQUEST)
    assert manager.runs_of("ben") == []
    assert manager.active_of("ben") is None
    seen = manager.find(run.id)
    assert seen.belongs_to("anna")
    assert not seen.belongs_to("ben"), "a link opens it, read-only"
    for act in (manager.pause, manager.unpause, manager.stop, manager.resume, manager.delete):
        with pytest.raises(RefusedError, match="Only the visitor who started"):
            act("ben", run.id)
    assert manager.find(run.id).status == "running"


def test_the_secret_is_not_written_down(make: Callable[..., Manager]) -> None:
    manager = make()
    run = manager.start("annas-own-secret", REQUEST)
    files = [path for path in manager.store.folder(run.id).rglob("*") if path.is_file()]
    assert files
    assert not any(b"annas-own-secret" in path.read_bytes() for path in files)


@pytest.mark.parametrize("run_id", ["", "../x", "a" * 8, "recorded-none", "/etc/passwd", "ü" * 9])
def test_what_is_no_run_is_not_found(make: Callable[..., Manager], run_id: str) -> None:
    manager = make()
    assert manager.find(run_id) is None
    with pytest.raises(RefusedError, match="There is no such run"):
        manager.stop("anna", run_id)


def test_pause_and_go_on(make: Callable[..., Manager]) -> None:
    manager = make()
    run = manager.start("anna", REQUEST)
    manager.pause("anna", run.id)
    manager.pause("anna", run.id)
    assert manager.find(run.id).status == "paused"
    manager.unpause("anna", run.id)
    assert manager.find(run.id).status == "running"
    told = [order["do"] for order in FakeProcess.started[0].commands]
    assert told == ["run", "pause", "go on"]


def test_stop_then_resume(make: Callable[..., Manager]) -> None:
    manager = make()
    run = manager.start("anna", REQUEST)
    manager.stop("anna", run.id)
    assert FakeProcess.started[0].commands[-1] == {"do": "stop"}
    FakeProcess.started[0].end_run("stopped")
    stopped = manager.find(run.id)
    assert stopped.status == "stopped"
    assert "You stopped this run" in stopped.message
    assert stopped.can_resume
    resumed = manager.resume("anna", run.id)
    assert (resumed.status, resumed.message) == ("running", "")
    with pytest.raises(RefusedError, match="cannot be resumed"):
        manager.resume("anna", run.id)


def test_a_process_that_does_not_hear_is_ended(
    make: Callable[..., Manager], monkeypatch: pytest.MonkeyPatch
) -> None:
    timers = []

    class Timer:
        def __init__(self, seconds: float, act: Callable[..., None], arguments: tuple) -> None:
            timers.append((seconds, lambda: act(*arguments)))

        def start(self) -> None:
            pass

    monkeypatch.setattr(scheduler, "Timer", Timer)
    manager = make()
    run = manager.start("anna", REQUEST)
    manager.stop("anna", run.id)
    ((seconds, act),) = timers
    assert seconds < 1
    act()
    assert not FakeProcess.started[0].is_alive
    assert manager.find(run.id).status == "stopped"
    act()  # of no process that came later
    assert manager.start("anna", REQUEST).status == "running"
    assert FakeProcess.started[1].is_alive


@pytest.mark.parametrize("state", ["stopped", "finished", "failed"])
def test_a_process_that_is_being_ended_is_given_nothing_more_to_do(
    make: Callable[..., Manager], monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """It says that its run has ended just before it dies of the signal."""
    manager = make()
    manager.estimate(MODEL, TRAIN)
    run, waiting = manager.start("anna", REQUEST), manager.start("ben", REQUEST)
    process = FakeProcess.started[0]
    monkeypatch.setattr(process, "kill", lambda: None)  # the signal is on its way
    manager.stop("anna", run.id)
    manager._kill(run.id, manager._running[run.id])
    process.end_run(state)
    process.die(-9)
    assert manager.find(run.id).status == ("finished" if state == "finished" else "stopped")
    assert manager.find(waiting.id).status == "running"
    assert "measure" not in [order["do"] for order in process.commands]
    manager.check(MODEL, TRAIN)


def test_a_process_that_is_ended_while_it_measures_says_nothing_of_the_settings(
    make: Callable[..., Manager],
) -> None:
    """A run was stopped that waited until its process had measured something."""
    manager = make()
    manager.warm_up()
    manager.estimate(MODEL, TRAIN)
    run = manager.start("anna", REQUEST)
    process = FakeProcess.started[0]
    assert [order["do"] for order in process.commands] == ["measure", "run"]
    manager.stop("anna", run.id)
    manager._kill(run.id, manager._running[run.id])
    assert manager.find(run.id).status == "stopped"
    manager.check(MODEL, TRAIN)
    manager.warm_up()
    manager.estimate(MODEL, TRAIN)
    assert [order["do"] for order in FakeProcess.started[-1].commands] == ["measure"]


def test_leaving_the_queue(make: Callable[..., Manager]) -> None:
    manager = make()
    manager.start("anna", REQUEST)
    waiting = manager.start("ben", REQUEST)
    manager.stop("ben", waiting.id)
    found = manager.find(waiting.id)
    assert (found.status, found.queue_position) == ("stopped", None)
    assert "out of the queue" in found.message
    FakeProcess.started[0].end_run()
    assert manager.find(waiting.id).status == "stopped"
    with pytest.raises(RefusedError, match="not under way"):
        manager.pause("ben", waiting.id)


def test_a_killed_process_is_told_and_replaced(make: Callable[..., Manager]) -> None:
    manager = make()
    run = manager.start("anna", REQUEST)
    waiting = manager.start("ben", REQUEST)
    FakeProcess.started[0].die(-9)
    found = manager.find(run.id)
    assert found.status == "failed"
    assert "signal 9" in found.message
    assert found.can_resume
    assert manager.find(waiting.id).status == "running"
    assert FakeProcess.started[1].commands[0]["do"] == "run"


def test_a_run_that_failed_costs_its_process(make: Callable[..., Manager]) -> None:
    manager = make()
    run = manager.start("anna", REQUEST)
    FakeProcess.started[0].end_run("failed", "The disk is full.")
    assert manager.find(run.id).message == "The disk is full."
    assert [process.is_alive for process in FakeProcess.started] == [False, True]


def test_no_process_can_be_started(
    make: Callable[..., Manager], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError("no memory")

    manager = make()
    monkeypatch.setattr(manager._workers, "_start_process", refuse)
    run = manager.start("anna", REQUEST)
    assert run.status == "failed"
    assert "No training process could be started" in run.message
    assert run.can_resume


def test_a_full_disk_leaves_nothing_behind(
    make: Callable[..., Manager], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    manager = make()
    monkeypatch.setattr(RunDirectory, "create", full)
    with pytest.raises(RefusedError, match="No space left on device"):
        manager.start("anna", REQUEST)
    assert manager.store.ids() == []
    assert manager.active_of("anna") is None


def test_the_space_of_all_runs_is_bounded(make: Callable[..., Manager]) -> None:
    manager = make(total_megabytes=1)
    run = manager.start("anna", REQUEST)
    FakeProcess.started[0].end_run()
    large = manager.store.folder(run.id) / "final.safetensors"
    large.write_bytes(bytes(2_000_000))
    with pytest.raises(RefusedError, match="space for runs"):
        manager.start("ben", REQUEST)
    manager.delete("anna", run.id)
    again = manager.start("ben", REQUEST)
    FakeProcess.started[0].end_run()
    (manager.store.folder(again.id) / "final.safetensors").write_bytes(bytes(2_000_000))
    manager.store.touch(
        again.id, manager._now() - 2 * RECENT_SECONDS
    )  # nobody looks at it any more
    assert manager.start("cem", REQUEST).status == "running"
    assert manager.store.read(again.id) is None


def test_after_a_restart_what_waited_waits_and_what_trained_can_be_resumed(
    make: Callable[..., Manager],
) -> None:
    before = make(runs_at_once=2)
    names = ("anna", "ben", "cem", "dan")
    runs = [before.start(name, REQUEST) for name in names]
    before.pause("ben", runs[1].id)
    before.close()
    after = make()
    found = [after.find(run.id) for run in runs]
    assert [run.status for run in found] == ["interrupted", "interrupted", "running", "queued"]
    assert "The server stopped" in found[0].message
    assert found[0].can_resume
    assert found[3].queue_position == 1
    assert after.resume("anna", runs[0].id).queue_position == 2


def test_a_second_server_leaves_the_first_ones_runs_alone(make: Callable[..., Manager]) -> None:
    first = make()
    run, waiting = first.start("anna", REQUEST), first.start("ben", REQUEST)
    second = make()
    assert second.find(run.id).status == "running"
    assert second.find(waiting.id).status == "queued"
    assert len(FakeProcess.started) == 1


def test_a_run_that_ended_can_be_deleted(make: Callable[..., Manager]) -> None:
    manager = make()
    run = manager.start("anna", REQUEST)
    with pytest.raises(RefusedError, match="Stop it before"):
        manager.delete("anna", run.id)
    FakeProcess.started[0].end_run()
    manager.delete("anna", run.id)
    assert manager.find(run.id) is None
    assert not manager.store.folder(run.id).exists()


def test_damage_by_hand_is_said_in_one_sentence(make: Callable[..., Manager]) -> None:
    manager = make()
    runs = [manager.start(name, REQUEST) for name in ("anna", "ben", "cem")]
    folders = [manager.store.folder(run.id) for run in runs]
    (folders[0] / "status.json").write_text("{")
    found = manager.find(runs[0].id)
    assert found.status == "failed"
    assert "damaged" in found.message
    FakeProcess.started[0].end_run()
    FakeProcess.started[0].end_run("failed", "The run cannot go on.")
    (folders[1] / "config.json").write_text("[" * 100_000)
    assert not manager.find(runs[1].id).can_resume
    with pytest.raises(RefusedError, match="cannot be resumed"):
        manager.resume("ben", runs[1].id)
    (folders[2] / "metrics.jsonl").write_bytes(b"\xff\x00 not a line")
    assert manager.find(runs[2].id).history.metrics() == []


def test_time_limits(make: Callable[..., Manager], monkeypatch: pytest.MonkeyPatch) -> None:
    manager = make(seconds=100, seconds_while_others_wait=60)
    run = manager.start("anna", REQUEST)
    add_metrics(manager, run.id, seconds=90.0)
    manager._stop_over_time()
    assert len(FakeProcess.started[0].commands) == 1
    manager.start("ben", REQUEST)
    manager._stop_over_time()
    assert FakeProcess.started[0].commands[-1] == {"do": "stop"}
    FakeProcess.started[0].end_run("stopped")
    stopped = manager.find(run.id)
    assert "was stopped after 1 minutes" in stopped.message
    assert stopped.can_resume


def test_a_resumed_run_has_its_time_anew(make: Callable[..., Manager]) -> None:
    manager = make(seconds=100)
    run = manager.start("anna", REQUEST)
    add_metrics(manager, run.id, seconds=101.0)
    manager._stop_over_time()
    FakeProcess.started[0].end_run("stopped")
    assert "limit of 2 minutes" in manager.find(run.id).message
    manager.resume("anna", run.id)
    manager._stop_over_time()
    assert FakeProcess.started[0].commands[-1]["do"] == "run"


def test_a_pause_ends_when_others_wait_for_it(
    make: Callable[..., Manager], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(scheduler.time, "monotonic", lambda: now[0])
    manager = make(paused_seconds=900, paused_seconds_while_others_wait=30)
    run = manager.start("anna", REQUEST)
    manager.pause("anna", run.id)
    now[0] += 60
    manager._stop_over_time()
    assert FakeProcess.started[0].commands[-1] == {"do": "pause"}
    manager.start("ben", REQUEST)
    manager._stop_over_time()
    assert FakeProcess.started[0].commands[-1] == {"do": "stop"}


def test_speeds_are_measured_once_and_fit_all_lengths(make: Callable[..., Manager]) -> None:
    manager = make()
    assert manager.estimate(MODEL, TRAIN) is None
    manager.warm_up()
    assert manager.estimate(MODEL, TRAIN) is None
    process = FakeProcess.started[0]
    assert [order["do"] for order in process.commands] == ["measure"]
    assert manager.estimate(MODEL, dataclasses.replace(TRAIN, epochs=7, seed=5)) is None
    speed = {"epoch_seconds": 10.0, "test_seconds": 2.0, "images_per_second": 5_000.0}
    process.answer(event="measured", speed=speed, message="")
    assert manager.estimate(MODEL, TRAIN).seconds == 32.0
    assert manager.estimate(MODEL, dataclasses.replace(TRAIN, epochs=7, seed=5)).seconds == 72.0
    assert len(process.commands) == 1
    assert manager.start("anna", REQUEST).estimate == 32.0
    waiting = manager.start("ben", REQUEST)
    assert waiting.wait_seconds == 32.0


def test_a_speed_is_measured_again_after_a_while(
    make: Callable[..., Manager], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was measured while others used the machine does not stay for ever."""
    manager = make()
    manager.warm_up()
    process = FakeProcess.started[0]
    for epoch_seconds in (100.0, 10.0):
        manager.estimate(MODEL, TRAIN)
        process.answer(event="measured", speed=speed_of(epoch_seconds), message="")
        assert manager.estimate(MODEL, TRAIN).least == pytest.approx(3 * epoch_seconds + 2.0, 0.1)
        monkeypatch.setattr(workers, "SPEED_LIFETIME", -1.0)
    assert [order["do"] for order in process.commands] == ["measure"] * 3


def speed_of(epoch_seconds: float, slowdown: float = 1.0) -> dict[str, float]:
    numbers = {"epoch_seconds": epoch_seconds, "test_seconds": 0.0, "images_per_second": 5_000.0}
    return numbers | {"slowdown": slowdown}


def test_an_estimate_does_not_jump_when_the_machine_is_busy_for_a_moment(
    make: Callable[..., Manager], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The processor's time tells what a run takes, however long it waited for the processor."""
    monkeypatch.setattr(workers, "SPEED_LIFETIME", -1.0)
    manager = make()
    manager.warm_up()
    process, seen = FakeProcess.started[0], []
    manager.estimate(MODEL, TRAIN)
    for epoch_seconds, slowdown in ((40.0, 1.0), (360.0, 9.0), (44.0, 1.1), (400.0, 9.0)):
        process.answer(event="measured", speed=speed_of(epoch_seconds, slowdown), message="")
        seen.append(manager.estimate(MODEL, TRAIN))
    assert [estimate.least for estimate in seen] == pytest.approx([120.0] * 4)
    assert all(149.9 < estimate.most < 360.1 for estimate in seen)
    busy = make()
    busy.warm_up()
    busy.estimate(MODEL, TRAIN)
    FakeProcess.started[-1].answer(event="measured", speed=speed_of(360.0, 9.0), message="")
    found = busy.estimate(MODEL, TRAIN)
    assert (found.least, found.most) == (120.0, 360.0), "the first measurement is bounded as well"


@pytest.mark.parametrize("name", RECIPES)
def test_a_run_has_the_name_of_its_recipe(name: str) -> None:
    model, train = RECIPES[name]
    label = load_texts("train")["recipes"][name]["label"]
    train = dataclasses.replace(train, seed=5)
    assert title_of(RunRequest(model, train)) == f"{label}, {train.epochs} epochs"
    assert (recipe_of(model, train), flawed_recipe_of(model, train)) == (name, (name, ()))
    model, train = MISTAKES["no_position"].apply(model, train)
    assert title_of(RunRequest(model, train)) == f"{label}, {train.epochs} epochs, no position"
    assert (recipe_of(model, train), flawed_recipe_of(model, train)) == (
        OWN,
        (name, ("no_position",)),
    )


def test_nothing_is_measured_while_somebody_waits(make: Callable[..., Manager]) -> None:
    manager = make()
    manager.start("anna", REQUEST)
    assert manager.estimate(MODEL, TRAIN) is None
    assert [order["do"] for order in FakeProcess.started[0].commands] == ["run"]
    FakeProcess.started[0].end_run()
    assert [order["do"] for order in FakeProcess.started[0].commands] == ["run", "measure"]


def test_settings_that_took_too_much_memory_are_refused(make: Callable[..., Manager]) -> None:
    manager = make()
    manager.warm_up()
    manager.estimate(MODEL, TRAIN)
    said = "The run needed more memory than it may have."
    FakeProcess.started[0].answer(event="measured", speed=None, message=said)
    assert manager.estimate(MODEL, TRAIN) is None
    with pytest.raises(RefusedError, match="more memory"):
        manager.start("anna", REQUEST)
    assert [process.is_alive for process in FakeProcess.started] == [False, True]


def test_idle_processes_go(make: Callable[..., Manager]) -> None:
    manager = make(worker_idle_seconds=0)
    manager.warm_up()
    assert FakeProcess.started[0].is_alive
    manager._workers.end_idle()
    assert not FakeProcess.started[0].is_alive
    assert manager.start("anna", REQUEST).status == "running"
    manager._workers.end_idle()
    assert FakeProcess.started[1].is_alive


def test_recorded_runs_are_found_and_nobodys(tmp_path: Path, make: Callable[..., Manager]) -> None:
    donor = make()
    run = donor.start("anna", REQUEST)
    folder = tmp_path / "recorded" / "healthy"
    folder.parent.mkdir()
    donor.store.folder(run.id).rename(folder)
    manager = make()
    (recorded,) = manager.recorded()
    assert (recorded.id, recorded.status) == ("recorded-healthy", "recorded")
    assert manager.find("recorded-healthy") == recorded
    assert not recorded.belongs_to("anna")
    with pytest.raises(RefusedError):
        manager.delete("anna", "recorded-healthy")
