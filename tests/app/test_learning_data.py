"""What the page on learning shows of recorded trainings: whole files, their numbers, its claims."""

import csv
import io
import itertools

import numpy as np
import pytest
from data_hunger import CURVE_SIZE, MODELS, RATES, SIZES, STEPS, new_network
from reading import texts_of
from schedules import JOBS
from streamlit.testing.v1 import AppTest

from explainer.figures import theme
from explainer.figures.trends import Trend, trend_chart
from explainer.views.learning import data
from explainer.views.learning.recorded import FOLDER, load

RUNS = load("data_hunger")["runs"]
WAYS = (False, True)


def accuracy(model: str, digits: int, augment: bool) -> float:
    """Return the mean share of test digits read right, from the file itself."""
    found = [
        run["test_accuracy"]
        for run in RUNS
        if (run["model"], run["digits"], run["augment"]) == (model, digits, augment)
    ]
    return float(np.mean(found))


# the files


def test_every_training_is_there_once() -> None:
    kinds = [(run["model"], run["digits"], run["augment"], run["seed"]) for run in RUNS]
    seeds = sorted({seed for *_, seed in kinds})
    assert len(seeds) >= 2
    assert sorted(kinds) == sorted(itertools.product(MODELS, SIZES, WAYS, seeds))


def test_the_trainings_are_those_of_the_script() -> None:
    content = load("data_hunger")
    assert (content["steps"], content["rates"], content["threads"]) == (STEPS, RATES, 1)
    assert {run["steps"] for run in RUNS} == {STEPS}
    for model, count in content["parameters"].items():
        assert count == sum(p.numel() for p in new_network(model, 0).parameters())
    for model in MODELS:  # no learning rate that was tried did better on 1,000 digits
        tried = {
            one["rate"]: one["validation_accuracy"]
            for one in content["rates_tried"]
            if one["model"] == model
        }
        assert model == "linear" or max(tried, key=lambda rate: tried[rate]) == RATES[model]


def test_every_curve_is_whole() -> None:
    for run in RUNS:
        assert ("curve" in run) is (run["digits"] == CURVE_SIZE)
        for kind in ("train", "validation", "test"):
            assert 0 <= run[f"{kind}_accuracy"] <= 1 and run[f"{kind}_loss"] >= 0
        steps = [point["step"] for point in run.get("curve", [])]
        assert not steps or (steps[0] == 1 and steps[-1] == STEPS and steps == sorted(steps))
        if steps:
            assert run["curve"][-1]["val_loss"] == run["validation_loss"]


def test_the_schedules_are_whole() -> None:
    content = load("schedule")
    assert [(run["schedule"], run["times"]) for run in content["runs"] if run["seed"] == 0] == [
        *JOBS
    ]
    for run in content["runs"]:
        steps = [point["step"] for point in run["curve"]]
        assert steps[0] == 33 and steps[-1] == content["steps"] and np.all(np.diff(steps) == 33)
        rates = [point["lr"] for point in run["curve"]]
        assert max(rates) == pytest.approx(0.003 * run["times"], rel=0.03)
        assert (rates[-1] < 0.01 * max(rates)) is (run["schedule"] in ("both", "no_warmup"))
        assert (rates[0] < 0.3 * max(rates)) is (run["schedule"] in ("both", "no_decay"))


def test_nothing_recorded_knows_the_machine_it_was_made_on() -> None:
    for path in FOLDER.iterdir():
        if path.is_file():
            content = path.read_bytes()
            assert b"/work" not in content and b"/tmp" not in content


# what the page says of them


def test_what_the_texts_say_is_so() -> None:
    for run in RUNS:
        if run["digits"] == SIZES[0] and not run["augment"]:
            assert run["train_accuracy"] == 1, "all three know their own digits by heart"
    plain = {model: [accuracy(model, size, False) for size in SIZES] for model in MODELS}
    changed = {model: [accuracy(model, size, True) for size in SIZES] for model in MODELS}
    vit, cnn, linear = (np.array(plain[model]) for model in MODELS)
    # few digits: the one that assumes most about pictures reads most, the ViT least
    assert cnn[0] > linear[0] > vit[0]
    # many digits: the linear classifier is overtaken once and for all
    ahead = vit > linear
    assert list(ahead) == sorted(ahead) and ahead[-1]
    assert data.overtakes() == SIZES[int(ahead.argmax())]
    # the CNN is ahead all the way, by less and less
    assert (cnn > np.maximum(vit, linear)).all()
    assert (np.diff(cnn - vit) < 0).all()
    # augmentation
    assert changed["vit"][0] > plain["vit"][0] + 0.3
    for model in ("vit", "cnn"):
        assert (np.array(changed[model]) > np.array(plain[model])).all()


def test_overfitting_is_as_the_text_says() -> None:
    passes, losses = data.heart_line("val", "loss")
    best = int(losses.argmin())
    assert 0 < best < len(losses) - 1
    assert losses[-1] > 2 * losses[best] and (np.diff(losses[best:]) > 0).all()
    _, own = data.heart_line("train", "loss")
    assert own[-1] < 0.01
    _, right = data.heart_line("val", "accuracy")
    assert abs(right[-1] - right[best]) < 10
    assert data.heart_line("augmented", "loss")[1][-1] < 0.5 * losses[best]
    assert len(passes) == len(own)


def page() -> None:
    import explainer.views.learning.data as shown
    from explainer.state.place import Place
    from vit_core import ViTConfig

    shown.show_data(None, None, Place(ViTConfig()))  # type: ignore[arg-type]


def other_half() -> None:
    import explainer.views.learning.data as shown
    from explainer.state.place import Place
    from vit_core import ViTConfig

    shown.show_data(None, None, Place(ViTConfig(), half="b"))  # type: ignore[arg-type]


def test_the_page_has_the_recorded_numbers() -> None:
    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception
    texts = texts_of(app)
    assert "{" not in texts
    for model in MODELS:
        for size in (SIZES[0], SIZES[-1]):
            share = accuracy(model, size, False)
            digits = 1 if share <= 0.99 else 2
            assert f"{100 * share:.{digits}f} %" in texts
        assert f"{load('data_hunger')['parameters'][model]:,}" in texts
    assert load("data_hunger")["command"] in texts
    assert "None of them is the model that you have chosen" in texts
    assert len(app.get("plotly_chart")) == 4


def test_the_other_half_of_a_comparison_shows_it_once() -> None:
    app = AppTest.from_function(other_half, default_timeout=60).run()
    assert not app.exception and not app.get("plotly_chart")
    assert app.markdown[0].value == data.TEXTS["same"]


@pytest.mark.parametrize("way", data.WAYS)
def test_the_picture_is_the_file(way: str) -> None:
    figure = data.chart(way, "dark")
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert len(lines) == len(MODELS)
    for model, line in zip(MODELS, lines, strict=True):
        np.testing.assert_allclose(10.0 ** np.array(line.x), SIZES)
        means = [100 * accuracy(model, size, data.WAYS[way]) for size in SIZES]
        np.testing.assert_allclose(line.y, means)
    low, high = figure.layout.yaxis.range
    assert all(low < value < high for trace in figure.data for value in trace.y)
    dots = [trace for trace in figure.data if trace.mode == "markers"]
    assert sum(len(trace.x) for trace in dots) == sum(
        run["augment"] is data.WAYS[way] for run in RUNS
    )


@pytest.mark.parametrize("kind", ["loss", "accuracy"])
def test_the_curves_are_means_of_the_file(kind: str) -> None:
    figure = data.heart_chart(kind, "light")
    assert len(figure.data) == len(data.HEART_LINES)
    curves = [
        [point[f"val_{kind}"] for point in run["curve"]]
        for run in RUNS
        if "curve" in run and run["model"] == "cnn" and not run["augment"]
    ]
    factor = 1 if kind == "loss" else 100
    np.testing.assert_allclose(figure.data[3].y, factor * np.mean(curves, axis=0))


def test_the_question_is_answered_by_the_file() -> None:
    question = data.ask_data()
    assert question.part == "data"
    best = max(MODELS, key=lambda model: accuracy(model, SIZES[0], False))
    assert question.options[question.answer] == data.TEXTS["models"][best]


def test_the_tables_have_every_training() -> None:
    rows = list(csv.reader(io.StringIO(data.runs_csv())))
    assert len(rows) == 1 + len(RUNS)
    points = list(csv.reader(io.StringIO(data.curves_csv())))
    assert len(points) == 1 + sum(len(run.get("curve", ())) for run in RUNS)
    assert len(data.number_table().splitlines()) == 2 + len(SIZES)


# the figure


def trend(**changed: object) -> Trend:
    usual = {
        "name": "one",
        "x": np.array([1.0, 100.0]),
        "values": np.array([[1.0, 3.0], [5.0, np.nan]]),
        "texts": ["a", "b"],
        "shade": theme.ACCENT,
    }
    return Trend(**usual | changed)  # type: ignore[arg-type]


def test_a_trend_is_its_means_and_dots() -> None:
    figure = trend_chart(
        [trend()], axes=("x", "y"), ticks=[1, 10], y_range=(0, 6), hover="%{y}", mode="light"
    )
    dots, line = figure.data
    assert list(line.x) == [0, 2] and list(line.y) == [2, 5]
    assert list(dots.x) == [0, 0, 2] and list(dots.y) == [1, 3, 5]
    low, high = figure.layout.xaxis.range
    assert low < 0 and high > 2
    assert list(figure.layout.xaxis.tickvals) == [0, 1]


@pytest.mark.parametrize(
    "changed",
    [
        {"x": np.array([0.0, 1.0])},
        {"texts": ["a"]},
        {"values": np.array([[1.0], [np.nan]])},
    ],
)
def test_a_trend_without_values_or_texts_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="one: each place"):
        trend(**changed)
