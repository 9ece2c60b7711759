"""The page on learning: its numbers are autograd's, and no link or model breaks it."""

import base64
import math
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import plotly.io
import pytest
import torch
import torch.nn.functional as F
from reading import (
    choice_and_observation,
    choice_of,
    matrices_of,
    parameter_of,
    refusals_of,
    right_answer,
    state_of,
    texts_of,
    unfold,
)
from streamlit.testing.v1 import AppTest

from explainer.figures.learning import class_gradients, gradient_sizes, loss_curve, weight_curve
from explainer.figures.log_axis import ends, exponents, log_axis, power
from explainer.inputs.models.load import source_of
from explainer.observation.learning import backwards, one_weight
from explainer.observation.learning.backwards import key_of
from explainer.observation.learning.lesson import (
    LARGEST,
    can_learn,
    gradient_bytes,
    lesson,
    lessons,
    model_and_image,
    target_of,
)
from explainer.observation.observe import observe
from explainer.shell.quiz import Question
from explainer.state.edits import read_edits
from explainer.state.link import NUDGES, STATIONS
from explainer.state.place import Place, Weight
from explainer.views.learning import loss as loss_part
from explainer.views.learning.backwards import all_series, choose_key
from explainer.views.learning.loss import bars, by_hand, curve
from explainer.views.learning.station import cell_size, station_matrices
from explainer.views.learning.wording import probability_text
from vit_core import ViTConfig, trace
from vit_core.mistakes import Flaws, flaws_of

ADDRESS = "learning"
DRAWN = "AWNgoBbg6Oj_Tw6PgeH_MOBRCgA"  # an own picture: a 1
SIX = ("LayerScale", "no class token", "one block", "odd grid", "CIFAR-10", "no_residual")
HEADLESS = ("no head", "no final LayerNorm, no head")
OF_GRADIENTS = {  # charts of the parts that need a gradient
    *("loss-curve", "class-gradients", "gradient-sizes", "weight-curve", "rate-chart"),
    *("with-and-without", "deep-stream", "deep-scores", "heart-shares", "heart-losses"),
}


def charts(app: AppTest) -> dict[str, dict]:
    """Return the charts of the page by their keys."""
    found = {}
    for element in app.get("plotly_chart"):
        key = re.search(r"-([a-z][a-z-]*)$", element.proto.id)
        assert key is not None
        found[key[1]] = plotly.io.from_json(element.proto.spec)
    return found


def numbers(values: object) -> np.ndarray:
    """Return the numbers of a chart as the browser gets them."""
    if isinstance(values, dict):
        return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])
    return np.asarray(values)


# numbers


@pytest.mark.parametrize("model", SIX)
def test_a_lesson_is_autograds(unlike_first: Callable, model: str) -> None:
    unlike_first(model)
    choice, seen = choice_and_observation("default")
    found = lesson(choice, 2)
    net, image = model_and_image(choice)
    recorded = trace(net, image, gradients=True)
    loss = F.cross_entropy(recorded.logits, torch.tensor([2]))
    wanted = torch.autograd.grad(loss, [*recorded.values()], allow_unused=True)
    assert found.loss == pytest.approx(loss.item(), rel=1e-6, abs=1e-6)
    np.testing.assert_allclose(found.probabilities, seen.probabilities, atol=1e-6)
    for key, gradient in zip(recorded, wanted, strict=True):
        if gradient is not None:
            np.testing.assert_allclose(found.gradients[key], gradient[0], rtol=1e-4, atol=1e-6)
            assert found.gradients[key].shape == seen.tensors[key].shape
    np.testing.assert_allclose(by_hand(found), found.gradients["logits"], atol=1e-6)
    for array in (*found.gradients.values(), *found.weights.values()):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    assert all(parameter.grad is None for parameter in net.parameters())


@pytest.mark.usefixtures("shipped")
def test_a_lesson_is_kept_and_is_that_of_the_edited_pass() -> None:
    choice, seen = choice_and_observation("fast")
    assert lesson(choice, 7) is lesson(choice, 7)
    assert lessons().used > 0
    edited = replace(choice, edits=read_edits("h0.1_m12").fitting(seen.config))
    other = lesson(edited, 7)
    assert other.loss != lesson(choice, 7).loss
    logits = source_of(edited).model(model_and_image(edited)[1])
    assert other.loss == pytest.approx(F.cross_entropy(logits, torch.tensor([7])).item(), abs=1e-6)


@pytest.mark.usefixtures("shipped")
def test_the_target_is_the_label_where_it_is_known() -> None:
    _, seen = choice_and_observation("fast")
    place = Place(seen.config, target=3)
    assert target_of(seen, place) == seen.label == 7
    unknown = replace(seen, label=None)
    assert target_of(unknown, place) == 3
    assert target_of(unknown, Place(seen.config)) == seen.prediction


@pytest.mark.parametrize("model", SIX)
def test_the_sums_are_left_out_and_put_in(unlike_first: Callable, model: str) -> None:
    unlike_first(model)
    choice, _ = choice_and_observation("default")
    own, other = source_of(choice).model, backwards.other_sums(choice)
    assert flaws_of(other).residual != flaws_of(own).residual
    recorded = trace(other, model_and_image(choice)[1])
    total = recorded["blocks.0.resid_pre"] + recorded["blocks.0.attn_out"]
    is_sum = torch.equal(recorded["blocks.0.resid_mid"], total)
    assert is_sum == flaws_of(other).residual
    way = backwards.as_it_is(choice, 2)
    sizes = backwards.sizes(choice, 2)
    assert way.stream[-1] == pytest.approx(sizes["blocks.0.resid_pre"], rel=1e-6)
    assert way.logits == pytest.approx(sizes["logits"], rel=1e-6)


@pytest.mark.usefixtures("shipped")
def test_where_gradients_die_at_the_start() -> None:
    choice, _ = choice_and_observation("default")
    ways = backwards.deep(choice, 7)
    assert all(len(way.scores) == backwards.DEEP for way in ways.values())
    arriving = {name: way.stream[-1] / way.logits for name, way in ways.items()}
    assert arriving["sound"] > 0.01 and arriving["no_residual"] > 1e-3
    assert arriving["neither"] < 1e-12
    # LayerNorm alone keeps the stream's gradient; what dies is attention, whose tokens are alike
    assert ways["no_residual"].spread < 1e-3 < ways["sound"].spread
    assert ways["no_residual"].scores[0] < 1e-4 * ways["sound"].scores[0]


def test_the_new_models_of_a_choice_have_the_same_weights_and_other_flaws() -> None:
    assert backwards.VARIANTS["sound"] == Flaws()
    assert backwards.deep_config(ViTConfig(depth=2)).depth == 12
    huge = ViTConfig(image_size=224, patch_size=16, embed_dim=768, in_channels=3, num_heads=12)
    assert not backwards.can_go_deep(huge) and not can_learn(replace(huge, depth=12))
    assert gradient_bytes(huge) > LARGEST


@pytest.mark.parametrize("model", SIX)
def test_a_turned_weight_moves_the_loss_along_its_gradient(
    unlike_first: Callable, model: str
) -> None:
    unlike_first(model)
    choice, _ = choice_and_observation("default")
    weight = Weight("blocks.0.mlp.fc1.weight", 3, 2)
    found = one_weight.nudged(choice, 2, weight)
    assert found.difference == pytest.approx(found.gradient, rel=1e-6, abs=1e-9)
    taught = lesson(choice, 2)
    assert one_weight.gradient_at(taught, weight) == pytest.approx(
        found.gradient, rel=2e-3, abs=2e-6
    )
    assert len(found.losses) == len(NUDGES) and found.losses[-NUDGES[0]] == found.loss


@pytest.mark.parametrize(("spread", "wanted"), [(0.1, 0.5), (0.02, 0.1), (1.0, 5.0), (0.0, 1e-6)])
def test_a_weight_is_turned_by_a_round_number(spread: float, wanted: float) -> None:
    parameter = np.asarray([-spread, spread], np.float32)
    assert one_weight.reach(parameter) == pytest.approx(wanted)
    offered = one_weight.changes(parameter)
    assert offered[-NUDGES[0]] == 0 and offered[0] == -offered[-1]


@pytest.mark.usefixtures("shipped")
def test_the_nearest_weight_is_one_of_the_models() -> None:
    choice, _ = choice_and_observation("fast")
    width = choice.config.embed_dim
    near = one_weight.nearest(Weight("head.weight", 999_999_999, 0), choice)
    assert near == Weight("head.weight", 9, 0)
    near = one_weight.nearest(Weight("norm.bias", 3, 999), choice)
    assert near == Weight("norm.bias", 3, 0)
    assert one_weight.nearest(Weight("x", 9, 9), choice) is None
    assert one_weight.nearest(None, choice) is None
    assert one_weight.starting(lesson(choice, 7)).column < width


@pytest.mark.parametrize("loss", [0.0, 1e-9, 5.7e-5, 0.02, 0.7, 3.0, 60.0, 400.0])
def test_the_probability_in_the_logarithm_gives_its_loss(loss: float) -> None:
    text, shown = probability_text(loss)
    assert shown == pytest.approx(loss, rel=2e-3, abs=1e-12)
    assert text.startswith("1") if loss == 0 else True


# figures


def test_the_loss_curve_is_minus_the_logarithm() -> None:
    words = {"axes": ("x", "y"), "guessing": "guess", "hover": ("a", "b"), "mode": "light"}
    figure = loss_curve(0.7, 10, **words)
    line, guess, point = figure.data
    np.testing.assert_allclose(line.y, -np.log(line.x), atol=1e-9)
    assert (guess.x[0], guess.y[0]) == pytest.approx((0.1, math.log(10)))
    assert (point.x[0], point.y[0]) == pytest.approx((math.exp(-0.7), 0.7))
    assert loss_curve(50.0, 10, **words).layout.yaxis.range[1] == pytest.approx(55)
    assert loss_curve(0.7, 10, highest=50, **words).layout.yaxis.range[1] == pytest.approx(55)
    for bad in (-0.1, math.inf, math.nan):
        with pytest.raises(ValueError, match="finite number"):
            loss_curve(bad, 10, **words)


def test_the_bars_are_the_gradients_and_a_name_is_no_markup() -> None:
    words = {"axis": "g", "hover": "%{x}", "mode": "dark"}
    values = np.asarray([0.25, -0.75, 0.5])
    figure = class_gradients(values, ["<b>a</b>", "b", "c"], 1, ["1", "2", "3"], **words)
    np.testing.assert_array_equal(figure.data[0].x, values)
    assert figure.data[0].y[0] == "&lt;b&gt;a&lt;/b&gt;"
    colours = figure.data[0].marker.color
    assert colours[0] == colours[2] != colours[1]
    with pytest.raises(ValueError, match="finite"):
        class_gradients(np.asarray([np.nan]), ["a"], 0, [""], **words)


def test_a_size_of_zero_has_no_place_on_an_axis_of_powers() -> None:
    found = exponents([0.0, 1.0, 1e-3])
    assert np.isnan(found[0]) and found[1:].tolist() == [0, -3]
    assert ends([found]) == (-3, 0) and ends([]) == (-1, 0) and ends([exponents([1.0])]) == (0, 1)
    assert power(0) == "1" and power(-12) == "10⁻¹²"
    assert len(log_axis(-300, 20)["tickvals"]) <= 9
    for bad in (-1.0, math.inf):
        with pytest.raises(ValueError, match="at least 0"):
            exponents([bad])


def test_the_tangent_touches_the_curve() -> None:
    changes = np.linspace(-1, 1, 21)
    figure = weight_curve(
        changes, changes**2 + changes, 3.0, 1.0, 20, axes=("x", "y"), names=("a", "b"),
        hover=("a", "b"), mode="light",
    )  # fmt: skip
    losses, tangent, now, chosen = figure.data
    np.testing.assert_allclose(losses.x, 3 + changes)
    assert tangent.y[10] == losses.y[10] == now.y[0] == 0
    assert chosen.x[0] == 4 and chosen.y[0] == 2
    low, high = figure.layout.yaxis.range
    inside = np.asarray(tangent.y)[np.isfinite(tangent.y)]
    assert (inside >= low).all() and (inside <= high).all()
    with pytest.raises(ValueError, match="finite"):
        weight_curve(changes, changes * np.nan, 0, 0, 0, axes=("", ""), names=("", ""),
                     hover=("", ""), mode="light")  # fmt: skip


@pytest.mark.usefixtures("shipped")
def test_every_tensor_of_the_pass_is_a_dot_that_can_be_chosen() -> None:
    choice, seen = choice_and_observation("fast")
    series = all_series(choice, seen, Place(seen.config))
    sizes = backwards.sizes(choice, 7)
    keys = [key for one in series for key in one.keys]
    assert len(set(keys)) == len(keys)
    same = {"tokens", "pos_embed", "blocks.0.resid_pre"}  # the same gradient as the embedding's
    twice = {f"blocks.{block}.resid_pre" for block in range(1, seen.config.depth)}
    assert set(keys) == set(sizes) - same - twice
    for one in series:
        assert [sizes[key] for key in one.keys] == list(one.sizes)
    figure = gradient_sizes(
        series, axes=("", ""), ticks=[(0, "")], hover="", mode="light", chosen="logits"
    )
    marked = [
        data[2] for trace in figure.data
        for data, size in zip(trace.customdata, trace.marker.size, strict=True) if size > 10
    ]  # fmt: skip
    assert marked == ["logits"]


# the page


@pytest.mark.parametrize(
    "model", ["no class token", "CIFAR-10", "one patch", "two classes", "only zeros"]
)
def test_unlike_models_have_the_page(
    unlike_first: Callable, open_page: Callable, asked_questions: list[Question], model: str
) -> None:
    unlike_first(model)
    app = open_page(ADDRESS, source="default", nudge=4)
    assert not app.exception, app.exception[0].message
    unfold(app)
    assert not app.error
    choice, seen = choice_and_observation("default")
    found = matrices_of(app)
    key = key_of("resid_post", 0)
    target = target_of(seen, Place(seen.config))
    np.testing.assert_array_equal(found["tensor"], seen.tensors[key])
    np.testing.assert_array_equal(found["gradient"], lesson(choice, target).gradients[key])
    drawn = charts(app)
    assert {"loss-curve", "class-gradients", "gradient-sizes", "with-and-without", "deep-stream",
            "deep-scores", "weight-curve"} <= set(drawn)  # fmt: skip
    assert len({question.name for question in asked_questions}) >= 4


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("station", STATIONS)
def test_every_station_has_its_tensor_beside_its_gradient(station: str) -> None:
    choice, seen = choice_and_observation("fast")
    place, key = Place(seen.config, station=station, block=1, head=1), key_of(station, 1)
    tensor, gradient = seen.tensors[key], lesson(choice, 7).gradients[key]
    if tensor.ndim == 3:
        tensor, gradient = tensor[1], gradient[1]
    for shown, wanted in zip(
        station_matrices(choice, seen, place), (tensor, gradient), strict=True
    ):
        np.testing.assert_array_equal(shown.values, np.atleast_2d(wanted))


def test_tiny_numbers_are_not_written_as_zeros() -> None:
    assert cell_size(np.full((9, 9), 1e-3)) != "auto"
    assert cell_size(np.full((9, 9), -0.5)) == cell_size(np.full((9, 64), 1e-3)) == "auto"


@pytest.mark.usefixtures("shipped")
def test_a_picture_with_little_to_teach_leads_to_one_that_the_model_gets_wrong(
    open_page: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loss_part, "LITTLE", 100.0)
    app = open_page(ADDRESS, source="default")
    first = state_of(app)
    (button,) = [one for one in app.button if one.key.endswith("loss-wrong-one")]
    button.click().run()
    assert not app.exception
    now = state_of(app)
    assert (now.digit, now.index) != (first.digit, first.index)
    seen = observe(replace(choice_of("default"), digit=now.digit, index=now.index))
    assert seen.label != seen.prediction
    monkeypatch.setattr(loss_part, "LITTLE", 0.0)
    app.run()
    assert not [one for one in app.button if one.key.endswith("loss-wrong-one")]


@pytest.mark.usefixtures("shipped")
def test_a_station_of_a_head_has_a_choice_of_heads(open_page: Callable) -> None:
    app = open_page(ADDRESS, source="fast", station="attn.pattern", block=1, head=1)
    assert not app.exception, app.exception[0].message
    assert {"block", "head"} <= {one.key for one in app.segmented_control}
    choice, _ = choice_and_observation("fast")
    wanted = lesson(choice, 7).gradients["blocks.1.attn.pattern"][1]
    np.testing.assert_array_equal(matrices_of(app)["gradient"], wanted)


@pytest.mark.parametrize("model", HEADLESS)
def test_a_model_without_classes_gets_one_sentence(
    unlike_first: Callable, open_page: Callable, model: str
) -> None:
    unlike_first(model)
    app = open_page(ADDRESS, source="default", target=3, weight="norm.bias:1.0")
    assert not app.exception, app.exception[0].message
    assert "there is no loss for a picture" in texts_of(app.main)
    assert not {*charts(app)} & OF_GRADIENTS


@pytest.mark.usefixtures("shipped")
def test_a_model_that_is_too_large_gets_one_sentence(
    open_page: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explainer.observation.learning.lesson.LARGEST", 1000)
    app = open_page(ADDRESS, source="fast")
    assert not app.exception, app.exception[0].message
    assert "this server computes up to" in texts_of(app.main)
    assert not {*charts(app)} & OF_GRADIENTS


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(
    ("link", "refused", "kept"),
    [
        ({"target": "99"}, "target=99", {"target": "9"}),
        ({"target": "-1"}, "target=-1", {"target": None}),
        ({"weight": "../../x:9.9"}, "weight=../../x:9.9", {"weight": None}),
        ({"weight": "x.y:9.9"}, "weight=x.y:9.9", {"weight": None}),
        ({"weight": "head.weight:999999999.0"}, "999999999", {"weight": "head.weight:9.0"}),
        ({"weight": "head.bias:3.7"}, "head.bias:3.7", {"weight": "head.bias:3.0"}),
        ({"rate": "1e9"}, "rate=1e9", {"rate": None}),
        ({"optimizer": "magic"}, "optimizer=magic", {"optimizer": None}),
        ({"station": "blocks.0.x"}, "station=blocks.0.x", {"station": None}),
        ({"nudge": "11"}, "nudge=11", {"nudge": None}),
        ({"block": "99", "station": "attn.q", "head": "77"}, "block=99", {"station": "attn.q"}),
    ],
)
def test_a_hostile_link_gets_the_nearest_state_and_one_sentence(
    open_page: Callable, link: dict, refused: str, kept: dict
) -> None:
    app = open_page(ADDRESS, source="fast", **link)
    assert not app.exception, app.exception[0].message
    assert refused in refusals_of(app)
    for name, value in kept.items():
        assert parameter_of(app, name) == value


@pytest.mark.usefixtures("shipped")
def test_a_weight_of_a_link_is_the_one_that_is_turned(open_page: Callable) -> None:
    app = open_page(ADDRESS, source="fast", weight="blocks.0.attn.qkv.weight:3.5", nudge=-7)
    assert not app.exception
    choice, _ = choice_and_observation("fast")
    weight = Weight("blocks.0.attn.qkv.weight", 3, 5)
    found = one_weight.nudged(choice, 7, weight)
    losses, _, _, chosen = charts(app)["weight-curve"].data
    np.testing.assert_allclose(numbers(losses.y), found.losses)
    assert chosen.y[0] == pytest.approx(found.losses[-7 - NUDGES[0]])
    np.testing.assert_array_equal(
        matrices_of(app)["weight_gradients"], lesson(choice, 7).weights[weight.name]
    )
    assert "`blocks.0.attn.qkv.weight`" in texts_of(app.main)


@pytest.mark.usefixtures("shipped")
def test_controls_change_the_state(open_page: Callable, click_in: Callable) -> None:
    app = open_page(ADDRESS, source="fast", nudge=3)
    app.selectbox(key="matrix").select("norm.bias").run()
    assert state_of(app).weight == "norm.bias:0.0" and state_of(app).nudge == 0
    clicked = {"choice": {"matrix": "weight_gradients", "row": 5, "column": 0, "at": 1.0}}
    app = click_in(app, "weights", clicked)
    assert state_of(app).weight == "norm.bias:5.0"
    app.select_slider(key="nudge").set_value(2).run()
    assert state_of(app).nudge == 2
    app.selectbox(key="tensor-choice").select("attn.pattern").run()
    assert state_of(app).station == "attn.pattern"
    assert not app.exception


@pytest.mark.usefixtures("shipped")
def test_a_visitor_says_what_an_own_picture_shows(open_page: Callable) -> None:
    app = open_page(ADDRESS, source="fast", picture=DRAWN)
    assert "Nobody has noted what this picture shows" in texts_of(app.main)
    app.selectbox(key="target").select(4).run()
    assert not app.exception
    assert state_of(app).target == 4 and "You say that this picture shows **4**" in texts_of(
        app.main
    )
    point = charts(app)["loss-curve"].data[-1]
    bar = charts(app)["class-gradients"].data[0]
    assert bar.x[4] < 0 and point.y[0] == pytest.approx(-math.log(bar.x[4] + 1), rel=1e-4)
    assert not [one for one in open_page(ADDRESS, source="fast").selectbox if one.key == "target"]


@pytest.mark.parametrize(
    ("clicked", "wanted"),
    [
        (["x", "1", "blocks.2.attn.q"], {"station": "attn.q", "block": 2}),
        (["x", "1", "logits"], {"station": "logits"}),
        ("embed", {"station": "embed"}),
        (None, {}), ([], {}), ([3], {}), (["blocks.x.attn.q"], {}), (["blocks.1.drop"], {}),
        (["blocks.99999.attn.q"], {}), (["__init__"], {}), ({"a": 1}, {}), (["blocks."], {}),
    ],
)  # fmt: skip
def test_a_clicked_dot_is_read_or_left(
    monkeypatch: pytest.MonkeyPatch, clicked: object, wanted: dict
) -> None:
    changed: dict = {}
    monkeypatch.setattr("explainer.state.session.change", lambda **values: changed.update(values))
    choose_key(clicked)
    assert changed == wanted


@pytest.mark.usefixtures("shipped")
def test_two_halves_have_one_scale(open_page: Callable) -> None:
    app = open_page(ADDRESS, source="fast", b="source=best")
    assert not app.exception, app.exception[0].message
    found = charts(app)
    for name in ("gradient-sizes", "loss-curve"):
        assert found[name].layout.yaxis.range == found[f"b-{name}"].layout.yaxis.range


@pytest.mark.usefixtures("shipped")
def test_the_answers_are_those_of_the_numbers(
    open_page: Callable, asked_questions: list[Question]
) -> None:
    open_page(ADDRESS, source="fast", weight="head.bias:7.0")
    found = {question.name: question for question in asked_questions}
    assert right_answer(found["sum"]) == "0"
    assert right_answer(found["sign"]) == "It falls"  # the bias of the true class: p - 1
    choice, seen = choice_and_observation("fast")
    sizes = backwards.sizes(choice, 7)
    assert sizes["blocks.0.attn_out"] == sizes["blocks.0.resid_mid"]
    assert right_answer(found["added"]) == "Just the same"
    figure = curve(lesson(choice, 7), None, "light")
    assert figure.data[-1].y[0] == lesson(choice, 7).loss
    np.testing.assert_array_equal(
        bars(seen, lesson(choice, 7), "light").data[0].x,
        lesson(choice, 7).gradients["logits"].astype(float),
    )
