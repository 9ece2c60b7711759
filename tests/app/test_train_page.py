"""The training page in every state that a run can be in, and for everybody who may look at it."""

import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
import torch
from fake_process import FakeProcess
from reading import curves_of, refusals_of, state_of
from stated import equations
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from explainer import training
from explainer.inputs.models.upload import add_upload
from explainer.state import session
from explainer.state.choice import RUN
from explainer.state.second import second
from explainer.training import Manager, Run, RunRequest, scheduler
from explainer.training.limits import load_limits
from explainer.training.on_ray.cluster import RayCluster
from explainer.training.on_ray.manager import RayManager
from explainer.training.recipes import ACCURACIES, RECIPES
from explainer.training.recorded import HEALTHY, recorded
from explainer.views.train import asked, setup, start, wording
from explainer.views.train.live import WORDS
from explainer.views.train.of_data import texts_about
from vit_core import PRESETS, TrainConfig, ViTConfig, build, load_checkpoint, save_checkpoint
from vit_core.checkpoint import SHIPPED_DIR
from vit_core.data import DataInfo, mnist, mnist_info
from vit_core.mistakes import MISTAKES, mistakes_of
from vit_core.runs.directory import RunDirectory
from vit_core.runs.snapshot import STRIP_INDICES, TEST_STRIP_INDICES, take_snapshot

HOME = Path(__file__).parents[2] / "explainer" / "Home.py"
ANNA, BEN = "a" * 32, "b" * 32
SMALL = ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2)
TRAIN = TrainConfig(epochs=3)
STEPS = 429  # of an epoch
HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture
def manager(shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    """A manager whose processes do only what a test says; one run at once."""
    monkeypatch.setattr(scheduler, "CHECK_SECONDS", 3600.0)
    monkeypatch.setattr(FakeProcess, "started", [])
    limits = dataclasses.replace(load_limits(), runs_at_once=1, queue=3)
    made = Manager(tmp_path / "runs", limits, FakeProcess)
    monkeypatch.setattr(training, "the_manager", lambda: made)
    yield made
    made.close()


@pytest.fixture
def open_train(manager: Manager) -> Callable[..., AppTest]:
    """Return an opener of the page: visitor and the link's parameters → the app after its run."""

    def open_train(visitor: str = ANNA, **params: Any) -> AppTest:
        app = AppTest.from_file(HOME, default_timeout=60)
        app.session_state["visitor"] = visitor
        for name, value in params.items():
            app.query_params[name] = str(value)
        app._page_hash = calc_hash("train")
        return checked(app.run())

    return open_train


@pytest.fixture
def begin(manager: Manager) -> Callable[..., Run]:
    """Return what begins a run as a visitor does."""

    def begin(visitor: str = ANNA, model: ViTConfig = SMALL, train: TrainConfig = TRAIN) -> Run:
        return manager.start(visitor, RunRequest(model, train))

    return begin


def checked(app: AppTest) -> AppTest:
    assert not app.exception, app.exception[0].message
    return app


def advance(run: Run, epochs: int, *, done: bool = False, watched: bool = True) -> None:
    """Write what a process writes while it trains so many epochs."""
    directory, model = RunDirectory.open(run.history.path), build(run.history.config.model)
    directory.save_epoch("epoch-000", model, {"epoch": 0, "step": 0}, mnist_info())
    line: dict[str, Any] = {}
    for epoch in range(1, epochs + 1):
        at = {"seconds": 30.0 * epoch, "step": STEPS * epoch, "epoch": epoch}
        loss, share = 1.0 / epoch, 0.9 + epoch / 100
        half = at | {"step": STEPS * epoch - 200, "seconds": at["seconds"] - 15}
        means = {"train_loss": loss, "train_accuracy": share}
        directory.append_metrics(half | means | {"val_loss": None, "val_accuracy": None})
        directory.append_metrics(half | {"sample_loss": loss, "sample_accuracy": share})
        line = at | means | {"val_loss": loss, "val_accuracy": share}
        directory.append_metrics(line)
        directory.save_epoch(f"epoch-{epoch:03d}", model, line, mnist_info())
    if watched:
        found, _ = take_snapshot(
            model, mnist(), step=STEPS * epochs, epoch=epochs, seconds=30.0 * epochs
        )
        found.save(directory.path)
    if done:
        directory.append_metrics(line | {"test_loss": 0.1, "test_accuracy": 0.9321})
    directory.close()


def end(run: Run, status: str = "finished", said: str = "") -> None:
    process = next(one for one in FakeProcess.started if one.run_id == run.id)
    process.end_run(status, said)


def words_of(app: AppTest) -> str:
    """Return all words of the page, with the HTML that the app wrote itself."""
    html = [element.proto.body for element in app.get("html")]
    return "\n".join([*(block.value for block in app.markdown), *html])


def buttons(app: AppTest) -> set[str]:
    """Return the keys of the page's own buttons, without their first word."""
    return {
        button.key.removeprefix("train-")
        for button in app.button
        if button.key and button.key.startswith("train-")
    }


def downloads(app: AppTest) -> set[str]:
    return {element.proto.label for element in app.get("download_button")}


def unfold(app: AppTest, name: str) -> AppTest:
    """Open a fold of the page."""
    app.session_state[f"train-fold-{name}"] = True
    return checked(app.run())


def folds(app: AppTest) -> set[str]:
    return {expander.label for expander in app.expander}


def click(app: AppTest, key: str) -> AppTest:
    return checked(app.button(key=f"train-{key}").click().run())


# before a run


def test_a_newcomer_sees_the_button_and_what_it_will_train(open_train, manager):
    app = open_train()
    start = app.button(key="train-start")
    assert start.label == "Start training" and not start.disabled
    assert "This machine is being measured" in words_of(app)
    assert "204,938 numbers to learn" in words_of(app) and "3 epochs of 429 steps" in words_of(app)
    assert words_of(app).count("<b>?</b>") == 16
    assert not app.sidebar.children, "the page has its own knobs"
    assert "run" not in app.query_params
    assert [title.value for title in app.title] == ["Train it"]


def test_the_button_starts_what_the_knobs_say_and_the_address_names_it(open_train, manager):
    app = click(open_train(seed=7), "start")
    (run,) = manager.runs_of(ANNA)
    assert state_of(app).run == run.id and app.query_params["run"] in (run.id, [run.id])
    config = run.history.config
    assert config.model == RECIPES["quick"][0]
    assert config.train == dataclasses.replace(RECIPES["quick"][1], seed=7)
    assert config.preset == "fast"
    assert buttons(app) >= {"pause", "stop"} and "start" not in buttons(app)


def test_what_stands_on_the_page_is_trained_whatever_comes_with_the_click(open_train, manager):
    """A browser that has only begun to draw the sliders may send other values of them."""
    app = open_train(patches=4, width=32, heads=2, depth=2)
    states = app._tree.get_widget_states()
    for widget in states.widgets:
        if "train-width" in widget.id:
            widget.double_array_value.data[:] = [0]
    press = states.widgets.add()
    press.id = app.button(key="train-start").proto.id
    press.trigger_value = True
    checked(app._run(states))
    (run,) = manager.runs_of(ANNA)
    assert run.history.config.model.embed_dim == 32


@pytest.mark.parametrize("name", RECIPES)
def test_each_recipe_starts_as_it_stands_in_the_code(open_train, manager, name):
    app = open_train()
    checked(app.button_group(key="train-recipe").set_value(name).run())
    model, train = RECIPES[name]
    assert f"{model.num_parameters:,} numbers to learn" in words_of(app)
    click(app, "start")
    config = manager.runs_of(ANNA)[0].history.config
    assert (config.model, config.train) == (model, train)


def test_a_changed_knob_makes_the_recipe_ones_own(open_train, manager):
    app = open_train()
    checked(app.select_slider(key="train-width").set_value(32).run())
    assert app.button_group(key="train-recipe").value == "own"
    checked(app.button_group(key="train-recipe").set_value("quick").run())
    assert state_of(app).width == 64


def test_the_shape_is_that_of_all_pages(open_train):
    app = open_train(width=32, depth=2)
    assert app.select_slider(key="train-width").value == 32
    checked(app.select_slider(key="train-depth").set_value(5).run())
    assert state_of(app).depth == 5 and state_of(app).patches == 7


EXTREMES = {
    "smallest": {
        "select_slider": {
            **{"patches": 2, "width": 8, "heads": 1, "depth": 1, "epochs": 1},
            **{"batch_size": 16, "lr": 1e-4, "weight_decay": 0.0, "label_smoothing": 0.0},
        },
        "button_group": {
            **{"position": "none", "pool": "mean", "optimizer": "adam"},
            **{"schedule": "constant", "augment": "none"},
        },
    },
    "largest": {
        "select_slider": {
            **{"patches": 14, "width": 128, "heads": 8, "depth": 8, "epochs": 1},
            **{"batch_size": 1024, "lr": 1.0, "weight_decay": 0.2, "label_smoothing": 0.3},
        },
        "button_group": {
            **{"position": "sincos2d", "pool": "cls", "optimizer": "muon"},
            **{"schedule": "cosine", "augment": "elastic"},
        },
    },
}


@pytest.mark.parametrize("extreme", EXTREMES)
def test_every_combination_of_knobs_can_be_trained(open_train, manager, extreme):
    app = open_train()
    for kind, knobs in EXTREMES[extreme].items():
        for name, value in knobs.items():
            checked(getattr(app, kind)(key=f"train-{name}").set_value(value).run())
    click(app, "start")
    config = manager.runs_of(ANNA)[0].history.config
    told = {**config.model.to_dict(), **config.train.to_dict()}
    for name in ("pool", "optimizer", "schedule", "augment", "batch_size", "lr", "weight_decay"):
        wanted = {**EXTREMES[extreme]["select_slider"], **EXTREMES[extreme]["button_group"]}
        assert told[name] == wanted[name], name


def test_what_is_beyond_a_limit_is_said_beside_the_button(open_train):
    app = open_train(patches=14, width=128, depth=8)
    checked(app.select_slider(key="train-epochs").set_value(60).run())
    assert app.button(key="train-start").disabled
    assert "choose fewer epochs or a smaller model" in words_of(app)


def test_the_estimate_is_told_once_it_was_measured(open_train, manager):
    app = open_train()
    speed = {"epoch_seconds": 31.0, "test_seconds": 2.0, "images_per_second": 2000.0}
    FakeProcess.started[0].answer(event="measured", speed=speed, message="")
    app.run()
    assert "takes **1 to 2 minutes** on this machine" in words_of(app)
    assert "being measured" not in words_of(app)


@pytest.mark.parametrize("data", ["mnist", "symbols"])
def test_a_page_on_which_nothing_can_be_started_goes_on_by_itself(
    open_train, manager, monkeypatch, data
):
    looks = []
    fragment = st.fragment

    def noted(draw: Callable[..., None], *, run_every: float | None = None) -> Callable[..., None]:
        if run_every and draw is start.look:
            looks.append(run_every)
        return fragment(draw, run_every=run_every)

    monkeypatch.setattr(start.st, "fragment", noted)
    monkeypatch.setattr(manager, "storage_problem", lambda: "Nothing can be started.")
    app = open_train(data=data)
    assert "Nothing can be started." in words_of(app)
    assert looks == [start.LOOK]
    monkeypatch.setattr(manager, "storage_problem", lambda: "")
    begun = []
    monkeypatch.setattr(start.st, "rerun", lambda: begun.append(True))
    start.look(manager, "Nothing can be started.")
    assert begun == [True]
    assert "Nothing can be started." not in words_of(app.run())
    assert len(looks) == 1  # nobody looks any more


def test_mistakes_are_named_and_can_be_taken_out(open_train, manager):
    app = open_train()
    checked(app.button_group(key="train-recipe").set_value("seed-faithful").run())
    assert "Softmax before the loss" in words_of(app)
    click(app, "remove-softmax_before_loss")
    assert not setup_of(app).train.softmax_before_loss
    assert "remove-softmax_before_loss" not in buttons(app)


def setup_of(app: AppTest) -> setup.Setup:
    return app.session_state[setup.KEY]


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_of_the_gallery_can_be_trained_and_taken_out(open_train, manager, name):
    app = unfold(open_train(), "mistakes")
    app.button_group(key="mistake").set_value(name).run()
    checked(app.button(key="mistake-try").click().run())
    assert f"remove-{name}" in buttons(app)
    click(app, "start")
    config = manager.runs_of(ANNA)[0].history.config
    assert mistakes_of(config.model, config.train) == (name,)
    other = unfold(open_train(BEN), "mistakes")
    other.button_group(key="mistake").set_value(name).run()
    other.button(key="mistake-try").click().run()
    click(other, f"remove-{name}")
    assert f"remove-{name}" not in buttons(other)
    assert other.button_group(key="train-recipe").value == "quick"


# while it runs


def test_a_run_that_waits_says_its_place(open_train, begin):
    begin(BEN)
    run = begin(ANNA)
    app = open_train()
    assert state_of(app).run == run.id, "the visitor's run under way is found without a link"
    assert "Place 1" in words_of(app) and "in the queue. It starts by itself." in words_of(app)
    assert "leave_queue" in buttons(app) and "pause" not in buttons(app)
    click(app, "leave_queue")
    assert "You took this run out of the queue" in words_of(app) and "Stopped" in words_of(app)


def test_a_run_that_waits_for_a_cluster_says_so_until_it_is_back(
    open_train, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr(RayCluster, "_keep_connected", lambda self: None)
    manager = RayManager(tmp_path / "others", dataclasses.replace(load_limits(), engine="ray"))
    monkeypatch.setattr(training, "the_manager", lambda: manager)
    cluster = manager._cluster
    cluster._hear({"slots": 1, "most": 1})
    # the connection has ended a moment ago, and nobody has noticed
    manager.start(ANNA, RunRequest(SMALL, TRAIN))
    cluster._hear({"slots": 0, "most": 1})  # others train there
    app = open_train()
    plain, away, small = (WORDS[name] for name in ("queued", "queued_cluster", "queued_machine"))
    assert plain in words_of(app)
    cluster.most = None
    assert "Place 1" in words_of(app.run()) and away in words_of(app)
    assert plain not in words_of(app)
    cluster._hear({"slots": 0, "most": 0})
    assert small in words_of(app.run()) and away not in words_of(app)
    cluster._hear({"slots": 0, "most": 1})
    assert plain in words_of(app.run()) and small not in words_of(app)
    manager.close()


def test_a_run_that_waits_on_another_server_says_so(
    open_train, manager, tmp_path: Path, monkeypatch
):
    """A new server was started before the old one is stopped."""
    old = manager
    runs_there = [old.start(name, RunRequest(SMALL, TRAIN)) for name in (BEN, ANNA)]
    new = Manager(tmp_path / "runs", old.limits, FakeProcess)
    monkeypatch.setattr(training, "the_manager", lambda: new)
    app = open_train()
    assert state_of(app).run == runs_there[1].id
    assert "Waiting" in words_of(app) and "in the queue. It starts by itself." in words_of(app)
    click(app, "leave_queue")
    assert not refusals_of(app)
    old._do_due_work(is_cleanup=False)
    checked(app.run())
    assert "You took this run out of the queue" in words_of(app) and "Stopped" in words_of(app)
    new.close()


def test_a_run_that_waits_on_a_server_that_ends_goes_on_here(
    open_train, manager, tmp_path: Path, monkeypatch
):
    run = [manager.start(name, RunRequest(SMALL, TRAIN)) for name in (BEN, ANNA)][1]
    new = Manager(tmp_path / "runs", manager.limits, FakeProcess)
    monkeypatch.setattr(training, "the_manager", lambda: new)
    app = open_train()
    assert "Waiting" in words_of(app)
    manager.close()
    new._do_due_work(is_cleanup=False)
    checked(app.run())
    assert new.find(run.id).status == "running" and "pause" in buttons(app)
    new.close()


def test_a_run_that_learns_shows_the_newest_that_was_measured(open_train, begin):
    run = begin()
    advance(run, 2)
    app = open_train(run=run.id)
    text = words_of(app)
    assert "**Learning**" in text and "92.0 %" in text and "of 5,000 validation digits" in text
    assert "<dd>2 of 3</dd>" in text and "<dd>858 of 1,287</dd>" in text
    assert "after step 858 of 1,287" in text
    assert text.count('class="verdict"') == 16
    figure = curves_of(app, "train-curves")
    assert figure["epochs"] == 3 and figure["newest"] == 2.0
    assert [len(curve["x"]) for curve in figure["panels"][0]["curves"]] == [2, 2, 2]
    assert figure["panels"][1]["curves"][2]["y"] == [91.0, 92.0]


def test_a_run_that_has_just_begun_has_empty_axes(open_train, begin):
    app = open_train(run=begin().id)
    assert "Starting …" in words_of(app)
    assert [len(curve["x"]) for curve in curves_of(app, "train-curves")["panels"][0]["curves"]] == [
        0,
        0,
        0,
    ]


def test_pause_and_go_on(open_train, begin, manager):
    run = begin()
    advance(run, 1)
    app = click(open_train(run=run.id), "pause")
    assert manager.find(run.id).status == "paused"
    assert "**Paused**" in words_of(app) and "pause" not in buttons(app)
    app = click(app, "go_on")
    assert manager.find(run.id).status == "running" and "pause" in buttons(app)


def test_stop_keeps_the_whole_epochs_and_resume_goes_on(open_train, begin, manager):
    run = begin()
    advance(run, 2)
    app = open_train(run=run.id)
    process = FakeProcess.started[0]
    process.send = lambda **command: process.end_run("stopped") if command["do"] == "stop" else None
    app = click(app, "stop")
    assert "You stopped this run" in words_of(app) and "Epochs 0 to 2 are saved." in words_of(app)
    assert app.button(key="train-resume").label == "Resume after epoch 2"
    app = click(app, "resume")
    assert manager.find(run.id).status == "running" and "stop" in buttons(app)


def test_the_last_step_is_followed_by_the_test(open_train, begin):
    run = begin()
    advance(run, 3)
    assert "Now it reads the 10,000 test digits" in words_of(open_train(run=run.id))


# afterwards


def finished(begin: Callable[..., Run], **settings: Any) -> Run:
    run = begin(**settings)
    advance(run, 3, done=True)
    end(run)
    return run


def test_a_finished_run_tells_its_result_and_what_can_be_done(open_train, begin):
    run = finished(begin)
    app = open_train(run=run.id)
    assert "93.21 %" in words_of(app) and "10,000 test digits" in words_of(app)
    assert buttons(app) >= {"open", "same", "change", "another"}
    assert not buttons(app) & {"pause", "stop", "resume", "start"}
    assert folds(app) >= {"The hardest digits", "Files and epochs of this run", "Compare runs"}
    assert downloads(app) <= {"PNG", "SVG"}, "other files are made when they are asked for"
    assert not words_of(app).count("correct: "), "drawn when it is asked for"
    app = unfold(app, "along")
    assert "open-epoch" in buttons(app)
    assert downloads(app) >= {
        "Checkpoint (safetensors)",
        "Metrics (CSV)",
        "Python script of this run",
    }
    assert words_of(unfold(app, "hardest")).count("correct: ") == 16


def test_the_page_turns_over_when_the_run_ends(open_train, begin):
    run = begin()
    advance(run, 3, done=True)
    app = open_train(run=run.id)
    end(run)
    assert "open" in buttons(checked(app.run()))


@pytest.mark.parametrize(("key", "epoch"), [("open", None), ("open-epoch", 1)])
def test_any_epoch_can_be_opened_in_the_pipeline(open_train, begin, key, epoch):
    run = finished(begin)
    app = unfold(open_train(run=run.id), "along")
    if epoch is not None:
        checked(app.select_slider(key="train-epoch").set_value(epoch).run())
    app = click(app, key)
    now = state_of(app)
    assert (now.source, now.run, now.epoch) == (RUN, run.id, epoch)
    assert app.session_state[session.VIEW_KEY] == "home"


def test_two_epochs_can_be_compared(open_train, begin):
    run = finished(begin)
    app = unfold(open_train(run=run.id), "along")
    app = click(app, "compare-epochs")
    now = state_of(app)
    assert (now.run, now.epoch, second(now).epoch) == (run.id, 0, run.history.epochs()[-1])
    assert app.session_state[session.VIEW_KEY] == "patch_embedding"


def test_the_same_again_is_another_run_of_the_same_settings(open_train, begin, manager):
    run = finished(begin)
    app = click(open_train(run=run.id), "same")
    newest = manager.runs_of(ANNA)[0]
    assert newest.id != run.id and state_of(app).run == newest.id
    assert newest.history.config == run.history.config


def test_change_and_train_again_turns_the_knobs_to_its_settings(open_train, begin):
    train = TrainConfig(epochs=3, lr=0.007, seed=12, softmax_before_loss=True)
    run = finished(begin, train=train)
    app = click(open_train(run=run.id), "change")
    assert "start" in buttons(app) and state_of(app).run == ""
    assert setup_of(app).train == train and state_of(app).seed == 12
    assert app.select_slider(key="train-lr").value == 0.007
    assert (state_of(app).width, state_of(app).depth) == (16, 2)


def test_leaving_a_run_leaves_the_pipeline_with_a_model(open_train, begin):
    run = finished(begin)
    app = click(open_train(run=run.id, source="run", epoch=1), "another")
    assert (state_of(app).run, state_of(app).source, state_of(app).epoch) == ("", "default", None)


@pytest.mark.parametrize(
    ("status", "said"),
    [("failed", "The disk is full, so the run could not write on."), ("interrupted", "")],
)
def test_a_run_that_broke_off_says_why_and_what_is_kept(open_train, begin, manager, status, said):
    run = begin()
    advance(run, 1)
    if status == "failed":
        end(run, "failed", said)
    else:
        manager.store.change(run.id, state="interrupted", message=(said := "The server stopped."))
        manager._running.clear()
    app = open_train(run=run.id)
    assert said in words_of(app) and "Epochs 0 to 1 are saved." in words_of(app)
    assert app.button(key="train-resume").label == "Resume after epoch 1"
    assert "open" in buttons(app)


def test_a_run_that_broke_off_before_its_first_epoch_begins_again(open_train, begin):
    run = begin()
    end(run, "failed", "The training process was ended.")
    app = open_train(run=run.id)
    assert "Nothing of it was saved yet." in words_of(app)
    assert app.button(key="train-resume").label == "Start it again"
    assert "open" not in buttons(app)


# who may look, and what can be wrong


def test_a_shared_run_can_be_looked_at_and_not_steered(open_train, begin, manager):
    run = begin(ANNA)
    advance(run, 1)
    app = open_train(BEN, run=run.id)
    assert "This run was shared with you" in words_of(app) and "**Learning**" in words_of(app)
    assert not buttons(app) & {"pause", "stop"}
    end(run, "stopped")
    app = open_train(BEN, run=run.id)
    assert "resume" not in buttons(app) and "open" in buttons(app)
    assert not any(key.startswith("delete") for key in buttons(app))


def test_each_visitor_sees_their_own_runs(open_train, begin):
    first = finished(begin, visitor=ANNA)
    second = finished(begin, visitor=BEN)
    app = open_train(ANNA)
    assert f"look-{first.id}" in buttons(app) and f"look-{second.id}" not in buttons(app)
    assert "Your runs" not in {head.value for head in open_train("c" * 32).header}


def test_a_second_run_is_refused_in_one_sentence(open_train, begin, manager):
    run = finished(begin)
    app = open_train(run=run.id)
    active = begin()
    app = click(app, "same")
    assert "You already have a run that waits or trains" in words_of(app)
    assert "is under way" in words_of(app)
    app = click(app, "look-active")
    assert state_of(app).run == active.id
    assert "You already have" not in words_of(app)


def test_a_run_is_deleted_after_a_second_question(open_train, begin, manager):
    run = finished(begin)
    app = click(open_train(run=run.id), f"delete-{run.id}")
    assert manager.find(run.id) is None
    assert state_of(app).run == "" and "start" in buttons(app)


def test_a_mistake_can_be_switched_on_while_a_run_goes_on(open_train, begin):
    run = begin()
    app = unfold(open_train(run=run.id), "mistakes")
    checked(app.button(key="mistake-try").click().run())
    assert state_of(app).run == run.id and "stop" in buttons(app)
    assert state_of(app).position == "none"


def test_why_a_start_was_refused_stays_until_the_next_order(open_train, begin, manager):
    other = open_train(BEN)
    running = begin("c" * 32)
    manager.limits = dataclasses.replace(manager.limits, queue=0)
    click(other, "start")
    assert "runs wait, which is the most" in refusals_of(other)
    for _ in range(3):
        checked(other.run())
        assert "runs wait, which is the most" in refusals_of(other)
    manager.limits = dataclasses.replace(manager.limits, queue=3)
    click(other, "start")
    assert not refusals_of(other) and manager.active_of(BEN)
    assert manager.find(running.id).is_active


def test_a_refusal_does_not_make_a_run_that_is_watched_run_for_ever(open_train, begin, manager):
    begin(ANNA)
    app = open_train(ANNA)
    orders_before = len(FakeProcess.started[0].commands)
    end(manager.active_of(ANNA))
    click(app, "pause")
    assert "not under way" in refusals_of(app)
    checked(app.run())
    assert "not under way" in refusals_of(app)
    assert len(FakeProcess.started[0].commands) == orders_before


def test_a_folder_that_cannot_be_written_says_so_when_a_run_is_deleted(
    open_train, begin, manager, monkeypatch
):
    run = finished(begin)
    app = open_train(run=run.id)

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(manager.store, "delete", refuse)
    click(app, f"delete-{run.id}")
    assert "cannot be deleted, since its folder cannot be written: Read-only" in refusals_of(app)
    assert manager.find(run.id) and state_of(app).run == run.id


def test_files_of_others_in_a_deleted_run_are_said(open_train, begin, manager):
    run = finished(begin)
    (run.history.path / "thesis.txt").write_text("mine")
    app = click(open_train(run=run.id), f"delete-{run.id}")
    assert "its folder stays: 1 files" in refusals_of(app) and state_of(app).run == ""
    assert (run.history.path / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("kind", ["a file", "below a file"])
def test_a_place_for_runs_that_is_none_is_said_beside_the_button(
    shipped, tmp_path, monkeypatch, kind
):
    root = tmp_path / "runs"
    root.write_text("no folder")
    if kind == "below a file":
        root = root / "deeper"
    made = Manager(root, load_limits(), FakeProcess)
    monkeypatch.setattr(training, "the_manager", lambda: made)
    for address in ("train", "", "self-attention"):
        app = AppTest.from_file(HOME, default_timeout=60)
        app._page_hash = calc_hash(address)
        checked(app.run())
        if address == "train":
            assert app.button(key="train-start").disabled
            assert "No run can be started" in words_of(app)
            assert "VIT_EXPLAINER_RUNS" in words_of(app)
    with pytest.raises(training.RefusedError, match="cannot be begun"):
        made.start(ANNA, RunRequest(SMALL, TRAIN))
    made.close()
    assert (tmp_path / "runs").read_text() == "no folder"


def test_a_run_that_is_gone_is_said_and_the_setup_shown(open_train):
    app = open_train(run="never-was-there")
    assert "There is no run never-was-there here" in words_of(app)
    assert "start" in buttons(app) and state_of(app).run == ""


def test_a_recorded_run_is_shown_and_can_be_repeated(open_train, manager):
    app = open_train(run="recorded-healthy")
    assert "This run came with the app." in words_of(app)
    assert buttons(app) >= {"open", "same", "change"} and "resume" not in buttons(app)
    click(app, "same")
    assert manager.runs_of(ANNA)[0].history.config.train.epochs == 3


@pytest.mark.parametrize(
    "params",
    [
        {"run": HOSTILE},
        {"run": "../../../etc/passwd"},
        {"patches": 3, "width": "1e9", "seed": -1},
        {"source": "run", "run": "A" * 40, "epoch": 9999},
        {"run": "recorded-nothing"},
    ],
)
def test_no_link_breaks_the_page(open_train, params):
    app = open_train(**params)
    assert "start" in buttons(app)
    assert HOSTILE not in words_of(app)


@pytest.mark.parametrize("what", ["config.json", "metrics.jsonl", "live.safetensors"])
@pytest.mark.parametrize("content", [b"", b"\xff\x00{", b"[1, 2]", b'{"epoch": 1, "step": NaN}\n'])
def test_a_damaged_run_is_shown_as_far_as_it_goes(open_train, begin, what, content, manager):
    run = finished(begin)
    (run.history.path / what).write_bytes(content)
    manager.store._histories.clear()
    app = open_train(run=run.id)
    if what == "config.json":
        assert "The settings of this run are damaged" in words_of(app)
        click(app, "another")
    else:
        assert "open" in buttons(app)


def test_numbers_that_are_none_are_left_out_of_the_curves(open_train, begin):
    run = begin()
    advance(run, 1)
    with (run.history.path / "metrics.jsonl").open("a") as file:
        for value in ("NaN", "Infinity", '"much"', "null", "[]"):
            line = f'"train_loss": {value}, "train_accuracy": 0.5, "step": 500, "epoch": 2'
            file.write(f'{{"seconds": 40, {line}}}\n')
    figure = curves_of(open_train(run=run.id), "train-curves")
    assert figure["panels"][0]["curves"][0]["x"] == [round(229 / STEPS, 4)]


def test_a_snapshot_of_another_model_is_not_shown(open_train, begin):
    run = begin()
    advance(run, 1)
    other = build(dataclasses.replace(SMALL, embed_dim=32))
    found, _ = take_snapshot(other, mnist(), step=1, epoch=1, seconds=1.0)
    found.save(run.history.path)
    assert "snapshot of the model is damaged" in words_of(open_train(run=run.id))
    broken = dataclasses.replace(found, logits=np.full((16, 10), np.nan, np.float32))
    broken.save(run.history.path)
    assert "snapshot of the model is damaged" in words_of(open_train(run=run.id))


def test_a_title_is_shown_and_never_drawn(open_train, begin, manager):
    run = finished(begin)
    manager.store.change(run.id, title=HOSTILE)
    app = open_train(run=run.id)
    html = "\n".join(element.proto.body for element in app.get("html"))
    assert HOSTILE not in html and "&lt;img src=x" in html


# comparing


def test_the_run_shown_is_held_against_the_healthy_one(open_train, begin):
    run = finished(begin, train=TrainConfig(epochs=3, shuffled_labels=True))
    app = unfold(open_train(run=run.id), "compare")
    assert app.multiselect(key="train-compare").value == [run.id, "recorded-healthy"]
    (table,) = re.findall(r'<div class="train-differ".*?</div>', words_of(app), re.DOTALL)
    rows = dict(re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td>', table))
    assert rows["Shuffled labels"] == "yes" and rows["Embedding width"] == "16"
    assert rows["Test accuracy"] == "93.21 %"
    assert "Batch size" not in rows, "it is the same in both"
    curves = curves_of(app, "train-compare-curves")["panels"][1]["curves"]
    assert [curve["kind"] for curve in curves] == ["line", "marks"] * 2


def test_a_run_keeps_its_colour_while_others_come_and_go(open_train, begin):
    first, second = finished(begin), finished(begin)
    app = unfold(open_train(run=first.id), "compare")

    def shades(*chosen: str) -> dict[str, str]:
        checked(app.multiselect(key="train-compare").set_value(list(chosen)).run())
        found = curves_of(app, "train-compare-curves")["panels"][0]["curves"][1::2]
        return dict(zip(chosen, (curve["shade"] for curve in found), strict=True))

    both = shades(first.id, second.id)
    three = shades("recorded-no-position", first.id, second.id)
    assert len(set(three.values())) == 3
    assert {run_id: three[run_id] for run_id in both} == both
    assert shades("recorded-no-position", second.id)[second.id] == both[second.id]


def test_runs_of_others_cannot_be_compared(open_train, begin):
    own, foreign = finished(begin, visitor=ANNA), finished(begin, visitor=BEN)
    app = unfold(open_train(ANNA, run=own.id), "compare")
    assert not any(
        foreign.title in str(option) and "(2)" in str(option)
        for option in app.multiselect(key="train-compare").options
    )
    assert len(app.multiselect(key="train-compare").options) == 1 + len(
        training.the_manager().recorded()
    )


# which digits are asked


@pytest.mark.parametrize("part", ["validation", "test"])
def test_the_page_says_of_which_digits_a_snapshot_asked(open_train, begin, part: str):
    run = begin()
    advance(run, 1)
    found, _ = take_snapshot(build(SMALL, seed=0), mnist(), step=1, epoch=1, seconds=1.0)
    dataclasses.replace(found, part=part).save(run.history.path)
    said = words_of(open_train(run=run.id))
    texts = {
        name: text.format(count="5,000 ")
        for name, text in texts_about("mnist")["now"]["asked"].items()
        if name in ("validation", "test")
    }
    other = next(name for name in texts if name != part)
    assert texts[part] in said and texts[other] not in said


def test_the_digits_of_the_strip_are_those_that_were_asked():
    for part, split, places in (
        ("validation", mnist().val, STRIP_INDICES),
        ("test", mnist().test, TEST_STRIP_INDICES),
    ):
        shown = asked.digits(part == "test")
        assert torch.equal(shown.images, split.images[list(places)])
        assert torch.equal(shown.labels, split.labels[list(places)])
        truths = [one.truth for one in asked.unasked(shown, "0123456789")]
        assert truths == [str(int(label)) for label in split.labels[list(places)]]
        assert sorted(truths[:10]) == list("0123456789")


def test_nothing_reads_the_test_digits_before_the_end(monkeypatch):
    data = mnist()
    hidden = dataclasses.replace(data, test=None)
    found, _ = take_snapshot(build(SMALL, seed=0), hidden, step=1, epoch=1, seconds=1.0)
    assert found.logits.shape == (16, 10)


@pytest.mark.parametrize(
    ("least", "most", "text"),
    [
        (3.0, 8.0, "about 10 seconds"),
        (14.0, 41.0, "10 to 50 seconds"),
        (59.0, 95.0, "1 to 2 minutes"),
        (120.0, 120.0, "about 2 minutes"),
        (130.0, 1_000.0, "2 to 17 minutes"),
        (3_000.0, 9_000.0, "1 to 3 hours"),
    ],
)
def test_an_estimate_is_a_range_in_whole_numbers(least: float, most: float, text: str) -> None:
    assert wording.between(least, most) == text


def test_a_recipe_promises_what_its_model_in_this_app_reached() -> None:
    for name in ("fast", "default", "best", "seed"):
        found = load_checkpoint(SHIPPED_DIR / f"{name}.safetensors").metrics["test_accuracy"]
        assert ACCURACIES[name] == pytest.approx(found, abs=5e-5)
    assert ACCURACIES["quick"] == pytest.approx(recorded(HEALTHY).test_accuracy, abs=5e-5)
    assert set(ACCURACIES) == set(RECIPES)


def test_an_uploaded_model_of_other_pictures_is_not_said_to_read_digits(
    open_train, manager, tmp_path: Path
):
    info = DataInfo("pets", "f", (0.5,) * 3, (0.2,) * 3, ("cat", "dog"))
    config = dataclasses.replace(PRESETS["cifar10"].model, depth=1, num_classes=2)
    path = tmp_path / "pets.safetensors"
    metrics = {"epoch": 3, "test_accuracy": 0.75}
    save_checkpoint(build(config, 0), path, data=info, metrics=metrics, train_config=TRAIN)
    run = add_upload(manager, ANNA, path.read_bytes(), path.name)
    app = open_train(run=run.id)
    text = words_of(app)
    assert "75.00 %" in text and "of the test pictures named right, as its file" in text
    shown = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    assert "digits" not in shown and "Step" not in shown and "Trained for" not in shown
    assert "The hardest digits" not in folds(app)


def test_the_page_states_what_holds(open_train, begin):
    for app in (unfold(open_train(), "mistakes"), open_train(run=finished(begin).id)):
        for text in words_of(app).splitlines():
            assert all(one.holds is not False for one in equations(text)), text
