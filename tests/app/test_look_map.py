"""The map of many pictures, and of queries and keys: numbers, words, and what a click does."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from reading import choice_and_observation, choice_of, sent_to, state_of, texts_of
from streamlit.testing.v1 import AppTest
from unlike import UNLIKE, put

from explainer.components.packing import unpack
from explainer.components.point_map import pack_map
from explainer.components.query_map import pack_queries
from explainer.figures.cloud import LARGE, Group, cloud
from explainer.figures.saved.files import body
from explainer.figures.theme import ACCENT
from explainer.inputs.models import load
from explainer.inputs.models.load import source_of
from explainer.inputs.pictures.test_digits import digit_indices
from explainer.observation.look import map as pictures_map
from explainer.observation.look import queries
from explainer.observation.look.map import EpochMap, NoMapError, PictureMap
from explainer.observation.observe import observe
from explainer.observation.tasks import StoppedError
from explainer.shell.more import listeners
from explainer.state.choice import Choice, saved
from explainer.state.edits import read_edits
from explainer.state.place import Place
from explainer.views.look_inside.map import ask_start, chart, index_of, map_csv, probe_words
from explainer.views.look_inside.pictures import small_images
from explainer.views.look_inside.queries import near_words
from vit_core import ViTConfig, trace
from vit_core.data import normalize

COUNT = 100
SHAPES = ("LayerScale", "no class token", "one block", "registers", "only zeros", "no_residual")
HEADLESS = ("no head", "no final LayerNorm, no head")
SMALL_GALLERIES = ("CIFAR-10", "two classes", *HEADLESS)


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (pictures_map, queries):
        monkeypatch.setattr(module, "MOST", COUNT)


@pytest.fixture
def place_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known_runs: object
) -> Iterator[Callable[[str], tuple[Choice, Place]]]:
    """Return what makes one of the unlike models the app's first."""
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    st.cache_resource.clear()

    def make(name: str) -> tuple[Choice, Place]:
        put(tmp_path, UNLIKE[name])
        choice = choice_of("default")
        return choice, Place(choice.config, block=choice.config.depth - 1)

    yield make
    st.cache_resource.clear()


def silent(done: int, total: int) -> None:
    """Listen to nothing."""


def map_of(choice: Choice) -> PictureMap:
    return pictures_map.joined(choice, pictures_map.maker(choice)(silent), None)


def script(choice, is_queries) -> None:  # runs by itself, where no name of this file is known
    from explainer.observation.observe import observe
    from explainer.state import session
    from explainer.views.look_inside.map import show_map
    from explainer.views.look_inside.queries import show_queries

    show = show_queries if is_queries else show_map
    show(choice, observe(choice), session.place(choice))


@pytest.fixture
def draw() -> Iterator[Callable[..., AppTest]]:
    """Return what draws one of both parts as for one who waits for all that is computed."""
    listeners.append(lambda pictures: None)

    def make(choice: Choice, is_queries: bool = False, **params: object) -> AppTest:
        app = AppTest.from_function(script, default_timeout=60, args=(choice, is_queries))
        for name, value in params.items():
            app.query_params[name] = str(value)
        app.run()
        assert not app.exception, app.exception[0].message
        return app

    yield make
    listeners.pop()


# numbers of the map


@pytest.mark.parametrize("name", [*SHAPES, *SMALL_GALLERIES])
def test_points_are_those_of_the_trace(place_model: Callable, name: str) -> None:
    choice, _ = place_model(name)
    found = map_of(choice)
    pictures, one, source = found.pictures, found.maps[0], source_of(choice)
    assert found.count == (COUNT if pictures.kind == "digits" else len(pictures))
    config = source.model.config
    recorded = trace(source.model, normalize(torch.from_numpy(pictures.images.copy()), source.info))
    for stage in range(config.depth + 1):
        key = f"blocks.{stage - 1}.resid_post" if stage else "blocks.0.resid_pre"
        tokens = recorded[key].double().numpy()
        is_cls = config.pool == "cls"
        rows = tokens[:, 0] if is_cls else tokens[:, config.num_prefix_tokens :].mean(axis=1)
        strengths = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)
        whole = np.square(strengths).sum()
        if whole <= 1e-8 * np.square(rows).sum():
            assert not one.shares[stage].any() and not found.points[0, stage].any()
            continue
        np.testing.assert_allclose(one.shares[stage], np.square(strengths[:2]) / whole, atol=1e-4)
        assert np.abs(found.points[0, stage]).max() == pytest.approx(1)
    if config.num_classes:
        np.testing.assert_array_equal(one.predicted, recorded.logits.argmax(dim=-1))
        np.testing.assert_array_equal(found.right[0], one.predicted == pictures.labels)
    else:
        assert set(one.predicted) == {pictures_map.NO_CLASS} and not found.right.any()
    assert np.isnan(one.probes).all() == (pictures.kind != "digits")
    with pytest.raises(ValueError, match="read-only"):
        found.points[0] = 0


@pytest.mark.usefixtures("shipped")
def test_the_picture_in_hand_lies_where_the_same_picture_of_the_map_does() -> None:
    choice, _ = choice_and_observation("fast")
    found = map_of(choice)
    at = 7
    choice = replace(choice, **found.pictures.values(at))
    assert index_of(choice, found.pictures) == at
    own = found.own_points(observe(choice))
    np.testing.assert_allclose(own, found.points[0, :, at], atol=1e-3)
    assert index_of(replace(choice, picture="drawn"), found.pictures) == -1
    assert index_of(replace(choice, index=choice.index + 1), found.pictures) == -1


@pytest.mark.usefixtures("shipped")
def test_a_changed_model_has_a_map_of_its_own() -> None:
    choice, seen = choice_and_observation("fast")
    edited = replace(choice, edits=read_edits("h0.0").fitting(seen.config))
    turned = replace(choice, edits=read_edits("t90").fitting(seen.config))
    assert pictures_map.key_of(edited) != pictures_map.key_of(choice)
    assert pictures_map.key_of(turned) == pictures_map.key_of(choice)
    assert not np.allclose(map_of(edited).points, map_of(choice).points)


def test_epochs_are_drawn_together_and_those_that_are_gone_are_left_out(
    make_run: Callable, known_runs: object
) -> None:
    run = make_run(epochs=(0, 1, 2, 5))
    config = run.history.config.model
    choice = Choice(saved(run.id, 2), config, 0, 7, 0)
    assert pictures_map.epochs_of(choice) == (0, 1, 2, 5)
    heard: list[tuple[int, int]] = []
    run.history.checkpoint(1).write_bytes(b"damaged")
    of_run = pictures_map.maker_of_run(choice)(lambda done, total: heard.append((done, total)))
    assert of_run.epochs == (0, 2, 5)
    assert heard[-1][0] == heard[-1][1] and heard == sorted(heard)
    one = pictures_map.maker(choice)(silent)
    found = pictures_map.joined(choice, one, of_run)
    assert (found.shown, found.points.shape) == (1, (3, config.depth + 1, COUNT, 2))
    np.testing.assert_array_equal(found.maps[1].predicted, one.predicted)
    alone = pictures_map.joined(choice, one, None)
    np.testing.assert_allclose(found.points[1], alone.points[0], atol=1e-5)
    assert not pictures_map.epochs_of(choice_of())  # of no run


def test_many_epochs_are_thinned_out(
    make_run: Callable, known_runs: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures_map, "MOST_EPOCHS", 3)
    run = make_run(epochs=range(8))
    choice = Choice(saved(run.id, 2), run.history.config.model, 0, 7, 0)
    assert pictures_map.epochs_of(choice) == (0, 2, 4, 7)


def test_a_computation_can_be_stopped_and_numbers_that_are_no_numbers_are_refused() -> None:
    choice = choice_of()

    def stop(done: int, total: int) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        pictures_map.maker(choice)(stop)
    source, pictures = source_of(choice), pictures_map.pictures_of(choice)
    broken = replace(source.info, std=(1e-45,))
    with pytest.raises(NoMapError):
        pictures_map.compute(source.model, broken, pictures, silent)


def test_a_costly_model_is_asked_about_fewer_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures_map, "MOST", 2_000)
    assert pictures_map.how_many(ViTConfig()) == 2_000
    costly = ViTConfig(image_size=224, in_channels=3, patch_size=14, embed_dim=384, num_heads=6)
    assert pictures_map.how_many(costly) == pictures_map.FEWEST


# what the page shows


@pytest.mark.parametrize("name", [*SHAPES, *SMALL_GALLERIES])
def test_the_part_is_drawn_for_every_model(
    name: str, place_model: Callable, draw: Callable[..., AppTest]
) -> None:
    choice, _ = place_model(name)
    app = draw(choice)
    (sent,) = sent_to(app, "point_map")
    header, arrays = unpack(sent.bytes)
    depth, count = choice.config.depth, len(arrays["labels"])
    assert len(header["stages"]) == depth + 1 and header["epochs"] == [""]
    assert arrays["points"].shape == (1, depth + 1, count, 2)
    assert header["can_be_wrong"] == (
        bool(choice.config.num_classes) and min(arrays["labels"]) >= 0
    )
    text = texts_of(app)
    assert ("no class token" in text) == (choice.config.pool != "cls")
    assert ("The head in the end" in text) == (
        choice.config.pool == "cls" and choice.config.num_classes > 0
    )
    assert ("A probe needs" in text) == (choice.gallery != "digits")
    assert "nan" not in text


@pytest.mark.usefixtures("shipped")
def test_a_click_takes_the_picture_to_every_page(
    draw: Callable[..., AppTest], click_in: Callable[..., AppTest]
) -> None:
    choice = choice_of("fast")
    app = draw(choice)
    for at in (3, 20):
        app = click_in(app, "point_map", {"choice": {"index": at, "at": 1}})
        now, pictures = state_of(app), pictures_map.pictures_of(choice)
        assert digit_indices()[now.digit][now.index] == pictures.places[at]
    before = state_of(app)
    for wrong in (-1, COUNT, "3", None, True):
        app = click_in(app, "point_map", {"choice": {"index": wrong, "at": 2}})
        assert state_of(app) == before and not app.exception


def test_all_epochs_of_a_run_are_offered(
    make_run: Callable, known_runs: object, draw: Callable[..., AppTest]
) -> None:
    run = make_run(epochs=(0, 1, 2))
    choice = Choice(saved(run.id, 1), run.history.config.model, 0, 7, 0)
    header, _ = unpack(sent_to(draw(choice), "point_map")[0].bytes)
    assert header["epochs"] == ["epoch 0, before training", "epoch 1", "epoch 2"]
    assert header["shown"] == 1


def test_two_pictures_are_too_few(
    place_model: Callable, draw: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures_map, "MOST", 2)
    choice, _ = place_model("two classes")
    app = draw(choice)
    assert "at least three pictures" in texts_of(app) and not sent_to(app, "point_map")


def test_what_is_said_of_the_probes_is_so() -> None:
    pictures = pictures_map.pictures_of(choice_of())
    blank = np.zeros((4, COUNT, 2), np.float32)

    def words(*probes: float) -> str:
        one = EpochMap(blank, blank, pictures.labels, np.array(probes), blank, blank)
        return " ".join(probe_words(PictureMap(pictures, (), 0, (one,), blank[None])))

    assert "from block 2: from 20.0 % to 70.0 %" in words(0.1, 0.2, 0.7, 0.8)
    assert "No block makes the probe better: it begins with 50.0 %" in words(0.5, 0.4, 0.4, 0.3)
    assert "right for 100.0 % of the same" in words(0.1, 0.2, 0.7, 0.8)


@pytest.mark.usefixtures("shipped")
def test_what_is_saved_of_a_map_is_what_is_drawn() -> None:
    found = map_of(choice_of("fast"))
    figure = chart(found, found.stages - 1, "light")
    assert sum(len(trace.x) for trace in figure.data) == COUNT
    large = sum(len(trace.x) for trace in figure.data if trace.marker.size == LARGE)
    assert large == COUNT - found.right.sum()
    body(figure, {}, {})  # the same for paper
    lines = map_csv(found).splitlines()
    assert len(lines) == 1 + COUNT * found.stages
    with pytest.raises(ValueError, match="finite"):
        cloud([Group("a", np.full((2, 2), np.nan), ACCENT)], "light")


def test_numbers_that_do_not_fit_are_not_packed() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        pack_map(
            channel="c", images=np.zeros((3, 2, 2, 1), np.uint8), labels=np.zeros(3, int),
            class_names=[], names=[], points=np.zeros((1, 2, 4, 2)),
            predicted=np.zeros((1, 3)), told=[[[], []]], stages=["a", "b"], epochs=[""],
            shown=0, stage=0, texts={},
        )  # fmt: skip
    with pytest.raises(ValueError, match="do not fit"):
        pack_queries(
            images=np.zeros((2, 4, 4, 1), np.uint8), pictures=["a", "b"], grid=(2, 2),
            queries=np.zeros((2, 3, 2)), keys=np.zeros((2, 3, 2)), strongest=np.zeros((2, 3, 1)),
            weights=np.zeros((2, 3, 1)), other=np.zeros((2, 3)), has_prefix=False, texts={},
        )  # fmt: skip


@pytest.mark.parametrize("channels", [1, 3])
def test_large_pictures_are_made_smaller_and_small_ones_stay(channels: int) -> None:
    small = np.arange(2 * channels * 16, dtype=np.uint8).reshape(2, channels, 4, 4)
    np.testing.assert_array_equal(small_images(small), small.transpose(0, 2, 3, 1))
    large = np.full((2, channels, 512, 256), 77, np.uint8)
    found = small_images(large)
    assert found.shape == (2, 128, 64, channels) and (found == 77).all()


# queries and keys


@pytest.mark.parametrize("name", [*SHAPES, *SMALL_GALLERIES])
def test_queries_attend_as_in_the_trace(
    name: str, place_model: Callable, draw: Callable[..., AppTest]
) -> None:
    choice, place = place_model(name)
    found = queries.maker(choice, place)(silent)
    source, config = source_of(choice), choice.config
    images = normalize(torch.from_numpy(found.images.copy()), source.info)
    pattern = trace(source.model, images)[f"blocks.{place.block}.attn.pattern"][:, place.head]
    prefix = config.num_prefix_tokens
    patches = pattern[:, prefix:, prefix:].numpy()
    most = found.strongest.shape[2]
    np.testing.assert_allclose(found.weights, -np.sort(-patches, axis=-1)[..., :most], atol=1e-6)
    taken = np.take_along_axis(patches, found.strongest, axis=-1)
    np.testing.assert_allclose(found.weights, taken, atol=1e-6)
    np.testing.assert_allclose(found.other, 1 - patches.sum(axis=-1), atol=1e-5)
    assert 0 <= found.near <= 1 and np.abs(found.queries).max() <= 1
    app = draw(choice, True, block=place.block)
    header, arrays = unpack(sent_to(app, "query_map")[0].bytes)
    assert header["has_prefix"] == (prefix > 0) and len(header["pictures"]) == len(found.images)
    np.testing.assert_array_equal(arrays["strongest"], found.strongest)
    assert "nan" not in texts_of(app)


def test_one_patch_has_nothing_to_attend_to(
    place_model: Callable, draw: Callable[..., AppTest]
) -> None:
    choice, _ = place_model("one patch")
    app = draw(choice, True)
    assert "one patch" in texts_of(app) and not sent_to(app, "query_map")


def test_pictures_of_all_classes_take_turns() -> None:
    labels = np.array([0, 0, 0, 1, 0, 2, 1])
    assert queries.spread_over_classes(labels, 3).tolist() == [0, 3, 5]
    assert queries.spread_over_classes(labels, 5).tolist() == [0, 1, 3, 5, 6]
    assert queries.spread_over_classes(np.array([-1, -1, -1]), 2).tolist() == [0, 1]


def test_how_far_the_drawing_can_be_trusted_is_said() -> None:
    choice = choice_of()
    found = queries.maker(choice, Place(choice.config))(silent)
    for near, chance, wanted in (
        (0.15, 0.1, "little"),
        (0.3, 0.1, "not all"),
        (0.8, 0.1, "mostly"),
    ):
        assert wanted in near_words(replace(found, near=near, by_chance=chance))[1]


@pytest.mark.usefixtures("shipped")
def test_a_picture_and_its_patch_are_taken_to_every_page(
    draw: Callable[..., AppTest], click_in: Callable[..., AppTest]
) -> None:
    choice = choice_of("fast")
    app = draw(choice, True)
    app = click_in(app, "query_map", {"choice": {"picture": 2, "patch": 5, "at": 1}})
    now, (pictures, chosen) = state_of(app), queries.pictures_of(choice)
    assert digit_indices()[now.digit][now.index] == pictures.places[chosen[2]]
    assert now.query == choice.config.num_prefix_tokens + 5


@pytest.mark.parametrize("name", ["LayerScale", "no class token", "no head", "one block"])
def test_what_is_asked_of_the_start_is_so(name: str, place_model: Callable) -> None:
    choice, _ = place_model(name)
    asked = ask_start(choice, observe(choice))
    assert bool(asked) == (choice.config.pool == "cls")
    if asked:
        assert not map_of(choice).points[0, 0].any(), "all in one place"
        assert asked[0].options[asked[0].answer] == "All in one place"
