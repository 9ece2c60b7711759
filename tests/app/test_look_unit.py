"""A unit over the test pictures: brute force agrees, and every model gets the part or a reason."""

from collections.abc import Callable

import numpy as np
import pytest
from reading import choice_and_observation, parameter_of, sent_to, state_of, texts_of

from explainer.figures.units import BELOW, framed, heights, histogram_of, unit_histogram
from explainer.inputs.models.load import source_of
from explainer.observation.look import units
from explainer.shell import more
from explainer.shell.saved import Saved
from explainer.state.place import Place
from explainer.state.place import Unit as Liked
from explainer.views import look_inside
from explainer.views.look_inside import unit as part
from explainer.views.look_inside.unit import unit_of
from vit_core import trace
from vit_core.interpret.units import Unit, switch_unit_off

ADDRESS = "look-inside"
UNITS = (Unit(0, 3), Unit(1, 5, 1))


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "MOST", 24)
    monkeypatch.setattr(units, "CHUNK", 1e6)


@pytest.fixture(autouse=True)
def only_this_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw no other parts of the page, which compute much."""
    monkeypatch.setattr(look_inside, "PARTS", {"unit": look_inside.PARTS["unit"]})
    monkeypatch.setattr(look_inside, "CODE", ())


def unheard(done: int, total: int) -> None:
    """Take no notice of what is done."""


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("name", ["LayerScale", "no class token", "no_scaling", "CIFAR-10"])
def test_a_unit_is_that_of_single_traces(unlike_first: Callable, name: str, unit: Unit) -> None:
    unlike_first(name)
    choice, _ = choice_and_observation("default")
    found = units.prepared_unit(choice, unit)(unheard)
    survey = units.prepared_survey(choice)(unheard)
    pictures, source = units.pictures_of(choice), source_of(choice)
    prefix = choice.config.num_prefix_tokens
    for index in range(len(pictures)):
        pixels = part.pixels_of(pictures, index)
        recorded = trace(source.model, source.batch(pixels))
        off = trace(source.model, source.batch(pixels), switch_unit_off(choice.config, unit))
        expected = units.own_values(recorded[unit.key][0].numpy(), unit)[prefix:]
        np.testing.assert_allclose(found.values[index], expected, atol=1e-4)
        np.testing.assert_allclose(survey.outputs[index], recorded.output[0], atol=1e-3)
        np.testing.assert_allclose(found.outputs[index], off.output[0], atol=1e-3)
    best = found.values.max(axis=1)
    assert found.strongest.tolist() == sorted(best.tolist(), reverse=True)[: units.SHOWN]
    for picture, patch, value in zip(found.pictures, found.patches, found.strongest, strict=True):
        assert found.values[picture, patch] == value == best[picture]
    with pytest.raises(ValueError, match="read-only"):
        found.values[0] = 0


@pytest.mark.usefixtures("shipped")
def test_interesting_units_are_units_of_their_kind() -> None:
    choice, _ = choice_and_observation("fast")
    survey = units.prepared_survey(choice)(unheard)
    assert survey.hidden and survey.directions
    assert all(unit.head is None for unit in survey.hidden)
    config = choice.config
    for unit in survey.directions:
        assert unit.head in range(config.num_heads) and unit.number in range(config.head_dim)
        # the same number as in the tensor whose heads stand side by side
        assert units.unit_of(unit.key, unit.head * config.head_dim + unit.number, config) == unit
    reports: list[tuple[int, int]] = []
    units.prepared_survey(choice)(lambda *counts: reports.append(counts))
    assert reports[-1] == (24, 24) and len({*reports}) > 3


def test_the_effect_by_hand() -> None:
    choice, _ = choice_and_observation()
    pictures = units.pictures_of(choice)
    before = np.zeros((24, 10), np.float32)
    before[np.arange(24), pictures.labels] = 5
    after = before.copy()
    seven = pictures.labels == 7
    after[seven] = 0
    after[seven, 1] = 9
    effect = units.effect_of(pictures, before, after)
    assert effect is not None
    assert effect.accuracy == 1 and effect.changed == seven.sum() > 0
    assert effect.accuracy_off == pytest.approx(1 - seven.mean())
    changes = dict(zip(effect.classes.tolist(), effect.right_off - effect.right, strict=True))
    p = np.exp(5) / (np.exp(5) + 9)
    assert changes[7] == pytest.approx(1 / (np.exp(9) + 9) - p)
    assert all(change == 0 for label, change in changes.items() if label != 7)
    # a model of fewer classes knows nothing of these
    assert units.effect_of(pictures, before[:, :2], after[:, :2]) is None


def test_the_angle_by_hand() -> None:
    before = np.array([[1.0, 0], [1, 1], [2, 0], [0, 0]])
    after = np.array([[0.0, 3], [1, 1], [1, 1e-6], [1, 0]])
    assert units.turned(before, after) == pytest.approx([90, 0, np.degrees(1e-6), 0])


def test_until_somebody_chooses_it_is_the_strongest_unit_of_the_middle_block() -> None:
    _, seen = choice_and_observation()
    values = seen.tensors["blocks.2.mlp.post"][seen.config.num_prefix_tokens :]
    unit = unit_of(seen, Place(seen.config))
    assert values[:, unit.number].max() == values.max() and unit.block == 2
    assert unit_of(seen, Place(seen.config, liked=Liked(1, 2, 3))) == Unit(1, 3, 2)


def test_the_framed_patch_stays_as_it_is() -> None:
    pixels = np.arange(28 * 28, dtype=np.uint16).reshape(28, 28).astype(np.uint8)
    picture = framed(pixels, (7, 7), 9)  # row 1, column 2
    assert picture.shape == (112, 112, 3)
    expected = pixels[4:8, 8:12].repeat(4, 0).repeat(4, 1)
    np.testing.assert_array_equal(picture[16:32, 32:48, 0], expected)
    frame = picture[15, 32:48]
    assert len(np.unique(frame, axis=0)) == 1 and (frame != picture[17, 33]).any()
    for patch in (0, 6, 42, 48):  # corners
        assert framed(pixels, (7, 7), patch).shape == (112, 112, 3)
    wide = framed(np.full((224, 448, 3), 9, np.uint8), (2, 4), 5)
    assert wide.shape == (112, 112, 3)


def test_the_histogram_counts_all_values() -> None:
    values = np.random.default_rng(0).normal(size=(30, 20))
    found = histogram_of(values)
    assert found.counts.sum() == values.size
    figure = unit_histogram(
        found,
        np.array([0.5, -1]),
        ["a", "b"],
        axes=("x", "y"),
        names=("all", "own"),
        hover=("", ""),
        mode="light",
    )
    bars, dots = figure.data
    np.testing.assert_allclose(bars.y, heights(found.counts))
    assert dots.x.tolist() == [0.5, -1] and {*dots.y} == {BELOW}
    np.testing.assert_allclose(heights(np.array([0, 1, 10, 1000])), [0, 1, 2, 4])
    with pytest.raises(ValueError, match="finite"):
        histogram_of(np.array([np.nan]))


@pytest.mark.usefixtures("shipped")
def test_the_part_shows_all_and_takes_a_picture_to_every_page(
    open_at_once: Callable, click_in: Callable
) -> None:
    app = open_at_once(ADDRESS, source="fast", liked="1.17")
    assert not app.exception
    assert "hidden unit 18 of block 2" in texts_of(app)
    assert len(app.get("plotly_chart")) == 1
    assert any(sent.id.endswith("-unit-nine") for sent in sent_to(app, "thumbnails"))
    choice, _ = choice_and_observation("fast")
    found = units.prepared_unit(choice, Unit(1, 17))(unheard)
    wanted = units.pictures_of(choice).values(int(found.pictures[3]))
    click_in(app, "unit-nine", {"choice": {"index": 3}})
    state = state_of(app)
    assert (state.digit, state.index) == (wanted["digit"], wanted["index"])


@pytest.mark.usefixtures("shipped")
def test_the_controls_choose_a_unit(open_at_once: Callable) -> None:
    app = open_at_once(ADDRESS, source="default", liked="1.17")
    survey = units.prepared_survey(choice_and_observation("default")[0])(unheard)
    next(one for one in app.button if one.key == "unit-interesting").click().run()
    assert parameter_of(app, "liked") == f"{survey.hidden[0].block}.{survey.hidden[0].number}"
    next(one for one in app.number_input if one.key == "unit-number").set_value(5).run()
    assert parameter_of(app, "liked") == f"{survey.hidden[0].block}.4"
    next(one for one in app.button_group if one.key == "unit-kind").set_value("direction").run()
    assert parameter_of(app, "liked") == f"{survey.hidden[0].block}.h0.0"
    assert not app.exception


@pytest.mark.usefixtures("shipped")
def test_the_effect_is_shown_after_the_question(
    open_page: Callable, open_at_once: Callable
) -> None:
    app = open_at_once(ADDRESS, source="fast", liked="0.3")
    said = texts_of(app)
    assert "is set to 0 for every token" in said
    assert "answers change." in said  # who reads without a browser sees all


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("LayerScale, registers, no class token", "Without the unit they turn by"),
        ("no head", "Without the unit they turn by"),
        ("one block", "In the last block only the class token"),
        ("one patch", "What excites it most"),
        ("only zeros", "no picture excites it more"),
        ("two classes", "answers change"),
        ("no_residual", "What excites it most"),
    ],
)
def test_every_model_gets_the_part_or_a_reason(
    unlike_first: Callable, open_at_once: Callable, name: str, words: str
) -> None:
    unlike_first(name)
    app = open_at_once(ADDRESS, source="default")
    assert not app.exception and not app.error
    assert words in texts_of(app)


@pytest.mark.usefixtures("shipped")
def test_every_picture_of_the_part_can_be_saved(open_at_once: Callable) -> None:
    saved: list[Saved] = []
    more.listeners.append(saved.extend)
    try:
        app = open_at_once(ADDRESS, source="fast", liked="1.17", b="source=default")
    finally:
        more.listeners.remove(saved.extend)
    assert not app.exception
    names = {one.name for one in saved}
    assert names == {f"unit.unit-{name}" for name in ("own", "nine", "histogram", "classes")}
    assert all(one.make("png").startswith(b"\x89PNG") for one in saved)
    assert len([sent for sent in sent_to(app, "thumbnails") if "unit-nine" in sent.id]) == 2


@pytest.mark.usefixtures("shipped")
def test_a_visitor_sees_how_far_it_is(open_page: Callable, empty_caches: None) -> None:
    """Without anybody who waits, the part shows this picture at once and a bar for the rest."""
    app = open_page(ADDRESS, source="fast")
    assert not app.exception
    assert any(sent.id.endswith("-unit-own") for sent in sent_to(app, "token_picker"))
    assert not any(sent.id.endswith("-unit-nine") for sent in sent_to(app, "thumbnails"))
