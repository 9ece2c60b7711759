"""A run's saved epochs as models: on every page, in the select, on the slider, and in trouble."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from reading import parameter_of, refusals_of, state_of, texts_of, unfold
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from explainer.inputs.models import load
from explainer.inputs.pictures import test_digits
from explainer.observation import wrong_digits
from explainer.shell import routes
from explainer.shell.sidebar import epochs
from explainer.state import session
from explainer.state.choice import Choice, saved
from explainer.training import Run, visitor
from vit_core import CheckpointError, ViTConfig, build, save_checkpoint

pytestmark = pytest.mark.usefixtures("shipped")
VIEWS = routes.WALK
RUN_ID = "run-of-a-test"
OURS = "o" * 32  # a visitor's secret

Make = Callable[..., Run]
Open = Callable[..., AppTest]


@pytest.fixture
def open_run(open_page: Open) -> Open:
    def open_run(address: str = "home", **params: Any) -> AppTest:
        app = open_page(address, **({"source": "run", "run": RUN_ID} | params))
        check(app)
        return app

    return open_run


def check(app: AppTest) -> None:
    assert not app.exception, app.exception[0].message
    assert not app.error


def turn_to(app: AppTest, view: str) -> AppTest:
    app._page_hash = calc_hash("" if view == "home" else routes.address(view))
    app.run()
    check(app)
    return app


def visit_as(app: AppTest, secret: str) -> AppTest:
    app.session_state[visitor.KEY] = secret
    app.run()
    check(app)
    return app


# every page at every epoch


@pytest.mark.parametrize("epoch", [0, 1, None])
@pytest.mark.parametrize("view", VIEWS)
def test_every_page_shows_a_run(view: str, epoch: int | None, make_run: Make, open_run: Open):
    make_run()
    params = {} if epoch is None else {"epoch": epoch}
    app = open_run(routes.address(view), **params)
    assert not refusals_of(app)
    slider = app.sidebar.select_slider(key="epoch")
    assert slider.value == (2 if epoch is None else epoch)
    assert list(slider.options) == ["0", "1", "2"]


def test_an_epoch_is_the_model_of_its_file(make_run: Make):
    run = make_run()
    for epoch in run.history.epochs():
        source = load.load_source(saved(RUN_ID, epoch))
        assert source.checkpoint.metrics["epoch"] == epoch
        expected = build(run.history.config.model, seed=epoch).state_dict()
        for key, value in source.model.state_dict().items():
            assert value.equal(expected[key])


@pytest.mark.parametrize("view", VIEWS)
def test_page_token_block_and_head_stay_while_the_epoch_moves(
    view: str, make_run: Make, open_run: Open
):
    make_run()
    place = {"query": 5, "block": 1, "head": 1, "digit": 3, "index": 4}
    app = open_run(routes.address(view), epoch=0, **place)
    for epoch in (1, 2, 0):
        app.sidebar.select_slider(key="epoch").set_value(epoch).run()
        check(app)
        assert parameter_of(app, "epoch") == str(epoch)
        assert {name: getattr(state_of(app), name) for name in place} == place
        assert app.session_state[session.VIEW_KEY] == view
        assert app.sidebar.select_slider(key="epoch").value == epoch


def test_the_sidebar_shows_the_same_on_every_page(open_page: Open):
    knobs = {"width": 16, "depth": 7, "position": "none"}
    app = open_page("home", source="untrained", digit=3, index=5, **knobs)
    for view in ("multi_head", "patches", "home"):
        turn_to(app, view)
        assert app.sidebar.select_slider(key="width").value == 16
        assert app.sidebar.select_slider(key="depth").value == 7
        assert app.sidebar.selectbox(key="position").value == "none"
        assert app.sidebar.number_input(key="index").value == 5
        assert app.sidebar.selectbox(key="source").value == "untrained"


def test_the_epoch_stays_from_page_to_page(make_run: Make, open_run: Open):
    make_run()
    app = open_run(epoch=1)
    for view in ("patches", "multi_head", "home"):
        turn_to(app, view)
        assert app.sidebar.select_slider(key="epoch").value == 1
        assert parameter_of(app, "run") == RUN_ID


def test_the_slider_says_how_good_the_model_was_then(make_run: Make, open_run: Open):
    make_run()
    app = open_run(epoch=1)
    assert "**91.00 %** right" in texts_of(app.sidebar)
    app.sidebar.select_slider(key="epoch").set_value(0).run()
    assert "random weights" in texts_of(app.sidebar)


def test_a_later_epoch_appears_while_the_run_trains(make_run: Make, open_run: Open):
    run = make_run(epochs=(0, 1), status="running")
    app = open_run(epoch=1)
    save_checkpoint(build(run.history.config.model, seed=9), run.history.checkpoint(2))
    app.run()
    slider = app.sidebar.select_slider(key="epoch")
    assert list(slider.options) == ["0", "1", "2"] and slider.value == 1


def test_the_knobs_are_those_of_the_run_and_fixed(
    make_run: Make, open_run: Open, fixed_shape: Callable
):
    make_run()
    make_run("another-run-of-it", ViTConfig(patch_size=14, embed_dim=32, depth=1, num_heads=4))
    app = open_run(epoch=0)
    app.run()
    shown = fixed_shape(app)
    assert (shown["Patches per side"], shown["Embedding width"]) == ("4", "16")
    now_is = state_of(app)
    app.session_state[session.SESSION_KEY] = replace(now_is, run="another-run-of-it")
    app.run()
    check(app)
    shown = fixed_shape(app)
    assert (shown["Patches per side"], shown["Embedding width"]) == ("2", "32")
    assert [slider.label for slider in app.sidebar.select_slider] == ["Epoch"]


# what is said of a run's model


def test_epoch_0_is_untrained_and_has_its_shape_all_the_same(make_run: Make, open_run: Open):
    make_run()
    config = load.load_source(saved(RUN_ID, 0)).model.config
    for epoch, is_trained in ((0, False), (1, True)):
        choice = Choice(saved(RUN_ID, epoch), config, 0, 7, 0)
        assert (choice.trained, choice.is_shaped, choice.is_saved) == (is_trained, False, True)
    text = texts_of(unfold(open_run(epoch=0)))
    assert "Now they are random." in text
    assert "Training has set" in texts_of(unfold(open_run(epoch=1)))


def test_another_grid_is_only_looked_at(make_run: Make, open_run: Open):
    make_run()
    for epoch, words in ((0, "This is the grid that this run's model has"), (2, "trained with")):
        app = open_run("patches", epoch=epoch)
        assert words in texts_of(app)
        app.main.select_slider(key="cut").set_value(7).run()
        check(app)
        assert "This is only a look" in texts_of(app)
        assert parameter_of(app, "patches") is None and parameter_of(app, "cut") == "7"


def test_home_says_where_the_model_comes_from(make_run: Make, open_run: Open):
    make_run()
    text = texts_of(unfold(open_run(epoch=1)))
    assert "This is epoch 1 of the training run “small, 2 epochs”." in text and "91.00 %" in text
    text = texts_of(unfold(open_run()))
    assert "This is the last epoch of the training run" in text and "93.12 %" in text


def test_a_run_is_tried_on_what_others_find_hard(make_run: Make, open_run: Open):
    make_run()
    config = load.load_source(saved(RUN_ID, 1)).model.config
    choice = Choice(saved(RUN_ID, 1), config, 0, 7, 0)
    of_class = test_digits.digit_indices()
    found = [
        int(of_class[one.digit][one.index]) for one in wrong_digits.misclassified_digits(choice)
    ]
    assert found and set(found) <= set(wrong_digits.listed_indices())
    assert (
        wrong_digits.first_misclassified(choice, 4) == wrong_digits.misclassified_digits(choice)[:4]
    )
    app = open_run(epoch=1)
    app.sidebar.pills(key="picker").set_value("hard").run()
    check(app)
    body = next(e.proto.body for e in app.sidebar.get("html") if '"picked"' in e.proto.body)
    count = len(wrong_digits.listed_indices())
    assert f"of {count} test digits wrong that other models of this app find hard" in body


# which runs there are


def test_the_select_has_recorded_and_own_runs_but_nobody_elses(make_run: Make, open_page: Open):
    make_run("recorded-one", status="recorded", title="one")
    make_run("recorded-curves", status="recorded", epochs=())
    make_run("own-run-number-1", owner=OURS)
    make_run("own-run-number-2", owner=OURS)
    make_run("own-run-unsaved", owner=OURS, epochs=(), status="queued")
    make_run("someone-elses-run", owner="t" * 32)
    app = visit_as(open_page("home"), OURS)
    options = list(app.sidebar.selectbox(key="source").options)
    assert options[4:6] == ["CIFAR-10, trained", "Untrained, shaped by you"]
    assert options[6:] == [
        "Recorded: one",
        "small, 2 epochs · 93.12 %",
        "small, 2 epochs · 93.12 % (2)",
    ]
    stranger = visit_as(open_page("home"), "s" * 32)
    assert list(stranger.sidebar.selectbox(key="source").options)[6:] == ["Recorded: one"]


def test_a_run_that_was_given_by_its_link_is_there_while_it_is_looked_at(
    make_run: Make, open_run: Open
):
    make_run(owner="t" * 32, status="running")
    app = open_run()
    select = app.sidebar.selectbox(key="source")
    assert select.options[-1] == "small, 2 epochs · shared"
    assert select.value == f"run:{RUN_ID}"


def test_a_run_is_chosen_and_left_and_found_again_at_its_epoch(make_run: Make, open_page: Open):
    make_run(owner=OURS)
    app = visit_as(open_page("patches", width=16), OURS)
    app.sidebar.selectbox(key="source").set_value(f"run:{RUN_ID}").run()
    check(app)
    assert (parameter_of(app, "source"), parameter_of(app, "run"), parameter_of(app, "epoch")) == (
        "run",
        RUN_ID,
        None,
    )
    app.sidebar.select_slider(key="epoch").set_value(1).run()
    app.sidebar.selectbox(key="source").set_value("untrained").run()
    check(app)
    assert app.sidebar.select_slider(key="width").value == 16
    app.sidebar.selectbox(key="source").set_value(f"run:{RUN_ID}").run()
    check(app)
    assert app.sidebar.select_slider(key="epoch").value == 1


# what a link or a visitor asks for and does not get


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"run": "nobody-knows-it"}, "There is no run nobody-knows-it here"),
        ({"run": ""}, "does not say which run"),
        ({"run": "<script>"}, "does not say which run"),
    ],
)
def test_a_run_that_is_not_there(params: dict[str, str], sentence: str, open_run: Open):
    app = open_run("patches", **params, digit=3, query=5, width=16)
    assert sentence in refusals_of(app)
    assert "The model “Default, trained” is shown instead." in refusals_of(app)
    found = state_of(app)
    assert (found.source, found.digit, found.query, found.width) == ("default", 3, 5, 16)
    assert "run" not in app.query_params
    assert refusals_of(app.run())
    assert not refusals_of(turn_to(app, "home"))


def test_a_run_without_a_model_yet_is_not_forgotten(make_run: Make, open_run: Open):
    make_run(epochs=(), status="queued")
    app = open_run()
    assert "has not saved a model yet" in refusals_of(app)
    assert (state_of(app).source, state_of(app).run) == ("default", RUN_ID)


def test_an_epoch_that_is_not_there_becomes_the_nearest(make_run: Make, open_run: Open):
    make_run()
    app = open_run(epoch=7, digit=3)
    assert "has saved epochs 0 to 2, but not 7. Epoch 2 is shown instead." in refusals_of(app)
    assert (state_of(app).epoch, state_of(app).digit) == (2, 3)


def test_a_damaged_epoch_gives_way_to_the_nearest(make_run: Make, open_run: Open):
    run = make_run()
    run.history.checkpoint(2).write_bytes(b"damaged")
    app = open_run()
    assert "Epoch 2 of the run “small, 2 epochs” cannot be shown: its file is" in refusals_of(app)
    assert "Epoch 1 is shown instead." in refusals_of(app)
    assert str(run.history.path) not in refusals_of(app)
    assert app.sidebar.select_slider(key="epoch").value == 1


def test_a_run_of_which_everything_is_damaged(make_run: Make, open_run: Open):
    run = make_run()
    for epoch in run.history.epochs():
        run.history.checkpoint(epoch).write_bytes(b"")
    app = open_run()
    assert "The model “Default, trained” is shown instead." in refusals_of(app)
    assert state_of(app).source == "default"


def test_a_model_that_the_pages_cannot_show_is_refused(make_run: Make, open_run: Open):
    run = make_run()
    save_checkpoint(build(ViTConfig(image_size=(28, 32))), run.history.checkpoint(2))
    app = open_run()
    assert "takes images of 28 x 32 pixels" in refusals_of(app)
    assert app.sidebar.select_slider(key="epoch").value == 1


@pytest.mark.parametrize("view", ["home", "multi_head"])
def test_a_run_that_is_deleted_while_it_is_shown(
    view: str, make_run: Make, open_run: Open, known_runs: Any
):
    run = make_run()
    app = open_run(routes.address(view), epoch=1, digit=3)
    del known_runs.known[RUN_ID]
    shutil.rmtree(run.history.path)
    app.run()
    check(app)
    assert f"There is no run {RUN_ID} here" in refusals_of(app)
    assert (state_of(app).source, state_of(app).run, state_of(app).digit) == ("default", "", 3)


def test_a_deleted_run_does_not_live_on_in_a_cache(make_run: Make, known_runs: Any):
    run = make_run()
    source = saved(RUN_ID, 1)
    assert load.load_source(source) is load.load_source(source)
    del known_runs.known[RUN_ID]
    with pytest.raises(CheckpointError, match="no run"):
        load.load_source(source)
    assert not load.is_there(source)
    known_runs.known[RUN_ID] = run
    run.history.checkpoint(1).unlink()
    with pytest.raises(OSError):
        load.load_source(source)
    assert not load.is_there(source)
    assert load.is_there("default") and load.is_there("untrained")


def test_a_file_that_was_replaced_is_read_anew(make_run: Make):
    run = make_run()
    source = saved(RUN_ID, 1)
    before = load.load_source(source)
    save_checkpoint(build(run.history.config.model, seed=77), run.history.checkpoint(1))
    after = load.load_source(source)
    assert not after.model.head.weight.equal(before.model.head.weight)


def test_hidden_controls_show_the_run_all_the_same(make_run: Make, open_run: Open):
    make_run()
    app = open_run("patches", controls="hide", epoch=1)
    assert not app.sidebar.children and not refusals_of(app)
    assert state_of(app).source == "run"


# playing


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The epochs that were shown while a second passes as soon as a page is drawn."""
    shown: list[int] = []
    fragment = epochs.st.fragment

    def passing(tick: Callable, **options: Any) -> Callable:
        if tick is not epochs.tick:  # another part of the page
            return fragment(tick, **options)

        def draw_and_tick(model: Any) -> None:
            tick(model)
            shown.append(model.epoch)
            tick(model)

        return draw_and_tick

    monkeypatch.setattr(epochs.st, "fragment", passing)
    return shown


@pytest.mark.parametrize(("start", "shows"), [(0, [0, 1]), (1, [1]), (2, [0, 1])])
def test_playing_goes_on_to_the_last_epoch_and_stops(
    start: int, shows: list[int], played: list[int], make_run: Make, open_run: Open
):
    make_run()
    app = open_run(epoch=start, head=1)
    assert app.sidebar.button(key="play-epochs").label == "▶ Play"
    app.sidebar.button(key="play-epochs").click().run()
    check(app)
    assert played == shows
    assert (state_of(app).epoch, state_of(app).head) == (2, 1)
    assert app.sidebar.select_slider(key="epoch").value == 2
    assert app.sidebar.button(key="play-epochs").label == "▶ Play"


def test_playing_stops_by_the_button_by_hand_and_with_the_page(make_run: Make, open_run: Open):
    make_run(epochs=range(6))
    app = open_run("patches", epoch=1)

    def button() -> Any:
        return app.sidebar.button(key="play-epochs")

    button().click().run()
    assert button().label == "■ Stop" and state_of(app).epoch == 1
    button().click().run()
    assert button().label == "▶ Play"
    button().click().run()
    app.sidebar.select_slider(key="epoch").set_value(3).run()
    assert button().label == "▶ Play" and state_of(app).epoch == 3
    button().click().run()
    turn_to(app, "home")
    assert button().label == "▶ Play"
    turn_to(app, "patches")
    assert button().label == "▶ Play"
    button().click().run()
    app.sidebar.selectbox(key="source").set_value("default").run()
    app.sidebar.selectbox(key="source").set_value(f"run:{RUN_ID}").run()
    check(app)
    assert button().label == "▶ Play"


def test_one_saved_epoch_needs_no_slider(make_run: Make, open_run: Open):
    make_run(epochs=(0,), status="running")
    app = open_run()
    assert "Only epoch 0 is saved of this run so far." in texts_of(app.sidebar)
    assert not [slider for slider in app.sidebar.select_slider if slider.key == "epoch"]
