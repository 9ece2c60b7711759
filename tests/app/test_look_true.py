"""Methods put to the test: the scores are the core's, and every model gets a part or a reason."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from reading import choice_and_observation, texts_of
from streamlit.testing.v1 import AppTest

from explainer.inputs.models.load import source_of
from explainer.inputs.pictures.test_pictures import TestPictures
from explainer.observation.look import many, pointing, sanity
from explainer.observation.look.many import Many
from explainer.observation.tasks import StoppedError
from explainer.views import look_inside
from explainer.views.look_inside import many as many_part
from explainer.views.look_inside import pointing as pointing_part
from explainer.views.look_inside import sanity as sanity_part
from vit_core import ViTConfig
from vit_core.data import normalize
from vit_core.interpret import METHODS, AttributionError, attribute, deletion_insertion
from vit_core.interpret.deletion import black_pixel
from vit_core.interpret.sanity import sanity_check

ADDRESS = "look-inside"
PARTS = ("many", "sanity", "pointing")
NAMES = {method: method.upper() for method in METHODS}


@pytest.fixture(autouse=True)
def little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, value in (
        (many, "MOST", 6),
        (many, "FEWEST", 3),
        (many, "STEPS", (4, 2)),
        (pointing, "GAMES", 2),
        (pointing, "POOL", 60),
        (pointing, "PATH", 4),
    ):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(look_inside, "PARTS", {name: look_inside.PARTS[name] for name in PARTS})


def unheard(done: int, total: int) -> None:
    """Take no notice of what is done."""


def refusing(method: str) -> Callable:
    """Return an ``attribute`` that refuses one method."""

    def refused(model, images, targets=None, name="rollout", **options):
        if name == method:
            raise AttributionError("it cannot")
        return attribute(model, images, targets, name, **options)

    return refused


@pytest.mark.parametrize("name", ["LayerScale", "no class token", "no head", "CIFAR-10"])
def test_scores_on_many_pictures_are_those_of_single_ones(
    unlike_first: Callable, name: str
) -> None:
    unlike_first(name)
    choice, _ = choice_and_observation("default")
    found = many.prepared(choice)(unheard)
    pictures, source = many.test_pictures(choice, 6), source_of(choice)
    assert found.methods == METHODS and found.count == len(pictures) >= 3
    assert found.pictures == pictures.words and not found.refused
    index = found.count - 1
    image = normalize(torch.tensor(pictures.images[index : index + 1]), source.info)
    target = None
    if choice.config.num_classes:
        target = source.model(image).argmax(dim=1)
    for method in ("rollout", "lrp", "ink"):
        row = METHODS.index(method)
        patches = attribute(source.model, image, target, method).patches
        for column, fill in enumerate(many.SHOWN_FILLS):
            one = deletion_insertion(
                source.model, image, target, patches, fill, 4, black=black_pixel(source.info)
            )
            for areas, area in (
                (found.deletion_areas, one.deletion_area),
                (found.insertion_areas, one.insertion_area),
            ):
                np.testing.assert_allclose(areas[column, row, index], area, atol=1e-5)
    with pytest.raises(ValueError, match="read-only"):
        found.deletion_areas[0] = 0


def test_progress_only_grows_and_whoever_stops_it_ends_it(unlike_first: Callable) -> None:
    unlike_first("no class token")
    choice, _ = choice_and_observation("default")
    for make in (
        many.prepared(choice),
        sanity.prepared(choice, 3, "draw"),
        pointing.prepared(choice),
    ):
        told: list[tuple[int, int]] = []
        make(lambda done, total, told=told: told.append((done, total)))
        done = [done for done, _ in told]
        assert done == sorted(done) and told[-1][0] == told[-1][1] > 1
        assert len({total for _, total in told}) == 1

        def stop(done: int, total: int) -> None:
            raise StoppedError

        with pytest.raises(StoppedError):
            make(stop)


def test_a_method_that_cannot_explain_the_model_is_left_out_with_its_reason(
    unlike_first: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlike_first("LayerScale")
    choice, _ = choice_and_observation("default")
    others = tuple(method for method in METHODS if method != "lrp")
    for module, make in (
        (many, many.prepared(choice)),
        (sanity, sanity.prepared(choice, 3, "shuffle")),
        (pointing, pointing.prepared(choice)),
    ):
        monkeypatch.setattr(module, "attribute", refusing("lrp"))
        found = make(unheard)
        assert found.methods == others and found.refused == {"lrp": "it cannot"}


@pytest.mark.parametrize("how", sanity.WAYS)
def test_maps_with_random_weights_are_those_of_the_core(unlike_first: Callable, how: str) -> None:
    unlike_first("registers")
    choice, seen = choice_and_observation("default")
    found = sanity.prepared(choice, 3, how)(unheard)
    source = source_of(choice)
    image = source.batch(seen.pixels)
    for method in ("rollout", "gradient_attention", "random"):
        row = found.methods.index(method)
        stages = sanity_check(
            source.model,
            lambda model, method=method: attribute(model, image, torch.tensor([3]), method).patches,
            how,
            sanity.SEED,
        )
        for column, stage in enumerate(stages):
            assert found.stages[column] == stage.name
            np.testing.assert_allclose(found.maps[row, column], stage.patches[0], atol=1e-5)
            np.testing.assert_allclose(
                found.correlations[row, column], stage.correlation[0], atol=1e-6
            )
    assert found.stages == ("trained", "head", "blocks.1", "blocks.0", "embedding")
    for method in ("ink", "random"):
        assert (found.correlations[found.methods.index(method)] == 1).all()


@pytest.mark.parametrize("name", ["LayerScale", "no class token", "CIFAR-10", "no head"])
def test_shares_of_the_right_quarter_add_up_where_no_class_is_asked_for(
    unlike_first: Callable, name: str
) -> None:
    unlike_first(name)
    choice, _ = choice_and_observation("default")
    found = pointing.prepared(choice)(unheard)
    assert found.is_wide and found.grid == tuple(2 * side for side in choice.config.grid_size)
    assert found.maps.shape[2] == found.grid[0] * found.grid[1]
    assert found.picture.shape[:2] == tuple(2 * side for side in choice.config.image_hw)
    for method in ("attention", "rollout", "random"):
        shares = found.shares[found.methods.index(method)]
        np.testing.assert_allclose(shares.mean(axis=1), pointing_part.CHANCE, atol=1e-5)
    assert len(set(found.labels)) == (4 if choice.config.num_classes else 0)


def test_four_pictures_are_shrunk_for_a_model_that_would_take_too_much_memory() -> None:
    large = ViTConfig(image_size=224, in_channels=3, patch_size=14, embed_dim=384, depth=12)
    assert pointing.is_wide(ViTConfig(patch_size=4)) and not pointing.is_wide(large)


def pictures_of(labels: list[int]) -> TestPictures:
    count = len(labels)
    places = np.arange(count)
    return TestPictures(
        "digits",
        "digits",
        np.zeros((count, 1, 8, 8), np.uint8),
        np.array(labels),
        tuple("abcdef"),
        places,
        count,
        places,
    )


def test_games_are_dealt_from_all_classes_and_none_twice() -> None:
    pictures = pictures_of([0, 1, 2, 3, 4, 5] * 3)
    dealt = pointing.deal(pictures, 6, 4)
    labels = pictures.labels[dealt]
    assert labels.tolist() == [[0, 1, 2, 3], [4, 5, 0, 1], [2, 3, 4, 5], [0, 1, 2, 3]]
    assert len({*dealt.reshape(-1).tolist()}) == dealt.size
    assert len(pointing.deal(pictures, 6, 99)) == 4, "the next has not four classes"
    assert pointing.deal(pictures_of([0, 1, 2, -1]), 6, 4).shape == (0, 4)
    assert pointing.deal(pictures, 0, 2).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_a_larger_model_is_tried_on_fewer_pictures_with_fewer_steps_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    small = many.plan(ViTConfig(patch_size=4))
    assert (small.count, small.steps) == (100, 14)
    middle = ViTConfig(
        image_size=32, in_channels=3, patch_size=4, embed_dim=192, depth=6, num_heads=3
    )
    assert many.plan(middle).steps == 7 and many.plan(middle).count > 50
    large = ViTConfig(image_size=224, in_channels=3, patch_size=14, embed_dim=384, depth=12)
    assert many.plan(large).count == 0
    assert many.plan(ViTConfig(), pictures=12).count == 12
    assert many.plan(ViTConfig(), pictures=2).count == 0
    assert sanity.methods_for(ViTConfig()) == METHODS
    assert not {*sanity.methods_for(large)} & {*sanity.SLOW}


REASONS = {
    "one patch": "at least 9; this model has 1",
    "two classes": "four pictures of four different classes",
    "no head": "cosine",
    "only zeros": "",
    "no_residual": "",
    "odd grid": "",
    "no final LayerNorm, no head": "",
    "one number for each head": "",
}


@pytest.mark.parametrize("name", REASONS)
def test_every_model_gets_its_tests_or_a_reason(
    unlike_first: Callable, open_at_once: Callable[..., AppTest], name: str
) -> None:
    unlike_first(name)
    app = open_at_once(ADDRESS)
    assert not app.exception, app.exception[0].message
    assert REASONS[name] in texts_of(app)


def test_edits_of_the_model_are_tested_and_halves_stand_beside_each_other(
    unlike_first: Callable, open_at_once: Callable[..., AppTest]
) -> None:
    unlike_first("no class token")
    app = open_at_once(ADDRESS, off="0.1", source_b="untrained")
    assert not app.exception, app.exception[0].message
    choice, _ = choice_and_observation("default")
    other = replace(choice, edits=replace(choice.edits, heads_off=((0, 1),)))
    assert many.key_of(choice) != many.key_of(other)


def scored(deletion: list[list[float]], methods: tuple[str, ...]) -> Many:
    """Return scores of two pictures that are alike."""
    areas = np.array(deletion)[:, :, None].repeat(2, axis=2)
    curves = np.zeros((*areas.shape[:2], 5))
    return Many(methods, {}, "2 pictures", np.linspace(0, 1, 5), curves, curves, areas, 1 - areas)


def test_the_question_counts_only_methods_that_are_clearly_better_than_brightness() -> None:
    methods = ("attention", "rollout", "lrp", "occlusion", "ink", "random")
    found = scored([[0.6, 0.295, 0.2, 0.1, 0.3, 0.7]] * 2, methods)
    question = many_part.ask_beaten(NAMES, found)
    assert question is not None
    assert question.options == ("None of them", "1 or 2", "3", "All 4")
    assert question.options[question.answer] == "1 or 2"
    assert "LRP (0.20), OCCLUSION (0.10)" in question.why and "ROLLOUT" not in question.why
    none = many_part.ask_beaten(NAMES, scored([[0.5, 0.3, 0.7]] * 2, ("lrp", "ink", "random")))
    assert none is not None and none.options == ("None of them", "All 1") and none.answer == 0
    assert many_part.ask_beaten(NAMES, scored([[0.3, 0.7]] * 2, ("ink", "random"))) is None


def test_what_is_said_of_the_fillings_is_so() -> None:
    methods = ("rollout", "lrp", "ink", "random")
    same = scored([[0.2, 0.1, 0.3, 0.7]] * 2, methods)
    said = " ".join(many_part.lessons(NAMES, same))
    assert "With both fillings, **LRP**" in said and "same order" in said
    other = scored([[0.2, 0.1, 0.3, 0.7], [0.1, 0.2, 0.3, 0.7]], methods)
    said = " ".join(many_part.lessons(NAMES, other))
    assert "**LRP** has" in said and "it is **ROLLOUT**" in said and "1 of 6 pairs" in said
    assert many_part.beaten(other).tolist() == [2, 2, 0, 0]


def test_what_is_said_of_random_weights_is_so(unlike_first: Callable) -> None:
    unlike_first("LayerScale")
    choice, _ = choice_and_observation("default")
    found = sanity.prepared(choice, 3, "draw")(unheard)
    like = found.correlations.copy()
    like[:, -1] = 0.0
    quiet = replace(found, correlations=like)
    assert "no method's map is like" in " ".join(sanity_part.lessons(NAMES, choice, quiet, 0.3))
    like = like.copy()
    like[1, -1] = 0.5
    said = " ".join(sanity_part.lessons(NAMES, choice, replace(found, correlations=like), 0.3))
    assert "still like their first one: ROLLOUT (0.50)" in said
    assert sanity_part.shown_stages(15) == [0, 2, 4, 6, 8, 10, 12, 14]
