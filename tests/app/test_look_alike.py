"""Similar patches: the numbers are the trace's, and every model gets the part or a reason."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from reading import (
    choice_and_observation,
    parameter_of,
    right_answer,
    sent_to,
    state_of,
    texts_of,
)

from explainer.components.alike import Cosines, limits_of, nearest, pack_alike
from explainer.components.packing import unpack
from explainer.inputs.models import load
from explainer.observation.look import alike
from explainer.observation.look.alike import MIRROR
from explainer.observation.observe import observe
from explainer.observation.similarity import cosine
from explainer.shell import more
from explainer.shell.saved import Saved
from explainer.state.edits import read_edits
from explainer.views import look_inside
from explainer.views.look_inside.alike import ask_most_similar
from vit_core import trace
from vit_core.mistakes import flaws_of

ADDRESS = "look-inside"
DRAWN = "AWNgoBbg6Oj_Tw6PgeH_MOBRCgA"  # an own picture: a 1


@pytest.fixture(autouse=True)
def only_this_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw no other parts of the page, which compute much."""
    monkeypatch.setattr(look_inside, "PARTS", {"alike": look_inside.PARTS["alike"]})
    monkeypatch.setattr(look_inside, "CODE", ())


@pytest.mark.parametrize(
    "name", ["LayerScale, registers, no class token", "one block", "no_scaling"]
)
def test_the_cosines_are_those_of_the_trace(unlike_first: Callable, name: str) -> None:
    unlike_first(name)
    choice, seen = choice_and_observation("default")
    stages, first = alike.own_stages(choice, seen), seen.config.num_prefix_tokens
    found = alike.cosines(stages, stages, 5)
    assert found.shape == (seen.config.depth + 1, seen.config.num_patches)
    keys = ["embed", *(f"blocks.{block}.resid_post" for block in range(seen.config.depth))]
    for values, key in zip(found, keys, strict=True):
        rows = seen.tensors[key][first:]
        np.testing.assert_allclose(values, cosine(rows[5], rows), atol=1e-5)
    with pytest.raises(ValueError, match="read-only"):
        stages[0] = 0


@pytest.mark.usefixtures("shipped")
def test_the_second_picture_runs_through_the_same_model() -> None:
    choice, seen = choice_and_observation("fast")
    second = alike.chosen_second(choice, "d3.2")
    found = alike.second_stages(choice, seen, second)
    other = observe(replace(choice, digit=3, index=2))
    np.testing.assert_allclose(
        found, alike.own_stages(replace(choice, digit=3, index=2), other), atol=1e-5
    )
    assert second.values == {"digit": 3, "index": 2, "picture": ""}


@pytest.mark.usefixtures("shipped")
def test_a_mirrored_picture_is_that_of_the_edited_one() -> None:
    choice, _ = choice_and_observation("fast")
    edited = replace(choice, edits=read_edits("m12").fitting(choice.config))
    seen = observe(edited)
    second = alike.chosen_second(edited, MIRROR)
    pixels = alike.pixels_of(edited, seen, second)
    np.testing.assert_array_equal(pixels[:, ::-1], seen.pixels)
    assert alike.second_stages(edited, seen, second) is alike.second_stages(edited, seen, second)
    plain = alike.second_stages(choice, observe(choice), second)
    assert not np.array_equal(plain, alike.second_stages(edited, seen, second))
    places = alike.mirrored_places(choice.config)
    np.testing.assert_array_equal(places[places], np.arange(choice.config.num_patches))
    # a picture's own patches are all found again
    own = alike.own_stages(edited, seen)
    turned = own[:, places]
    assert alike.found_in_mirror(choice.config, own, turned, 2) >= 1


@pytest.mark.usefixtures("shipped")
def test_the_pictures_that_are_offered() -> None:
    choice, _ = choice_and_observation("fast")
    codes = [one.code for one in alike.seconds(choice)]
    assert codes[0] == MIRROR and len({*codes}) == len(codes)
    assert "d7.0" not in codes and codes[1] == "d7.1"
    assert alike.chosen_second(choice, "").code == "d7.1"
    assert alike.chosen_second(choice, "d4.9").code == "d4.9"
    for code in ("c4", "d7.0", "d7.9999"):  # no digit, the chosen one, and none
        assert alike.chosen_second(choice, code).code == "d7.1"
    colour, _ = choice_and_observation("cifar10")
    offered = alike.seconds(colour)
    assert len(offered) == 10
    assert alike.chosen_second(colour, "").code == MIRROR
    assert offered[1].values == {"sample": 1, "photo": ""}


@pytest.mark.parametrize("name", ["LayerScale", "no_residual"])
def test_the_untrained_model_has_the_flaws_and_other_weights(
    unlike_first: Callable, name: str
) -> None:
    unlike_first(name)
    choice, seen = choice_and_observation("default")
    edited = replace(choice, edits=read_edits("h0.1_n").fitting(choice.config))
    model, own = alike.untrained_model(edited), load.source_of(edited).model
    assert flaws_of(model) == flaws_of(own)
    recorded = trace(model, load.source_of(choice).batch(seen.pixels))
    assert not recorded["blocks.0.attn.z"][0, 1].any() and not recorded["pos_embed"].any()
    assert not np.array_equal(alike.untrained_stages(choice, seen), alike.own_stages(choice, seen))
    made = alike.prepared_untrained(choice, seen)(lambda done, total: None)
    np.testing.assert_allclose(made, alike.untrained_stages(choice, seen), atol=1e-6)


def test_the_mean_is_that_of_all_pairs() -> None:
    rows = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=-1, keepdims=True)
    rows[1, 2] = 0
    pairs = [(a, b) for a in range(5) for b in range(5) if a != b]
    expected = [np.mean([float(stage[a] @ stage[b]) for a, b in pairs]) for stage in rows]
    np.testing.assert_allclose(alike.mean_cosines(rows), expected, atol=1e-6)


def test_what_the_browser_gets() -> None:
    image, grid = np.zeros((4, 6), np.uint8), (2, 3)
    values = np.linspace(-1, 1, 18, dtype=np.float32).reshape(3, 6)
    panels = [Cosines("own", "A <title>", values), Cosines("other", "B", -values, "second")]
    sent = pack_alike(
        channel="c", image=image, grid=grid, chosen=4, cosines=panels, second=image + 1
    )
    header, arrays = unpack(sent)
    assert header["stages"] == 3 and [one["name"] for one in header["panels"]] == ["own", "other"]
    assert arrays["chosen"].tolist() == [4]
    np.testing.assert_array_equal(arrays["own"], values)
    assert arrays["second"].max() == 1
    for wrong in (
        {"chosen": 6},
        {"second": None},
        {"second": np.zeros((4, 5), np.uint8)},
        {"cosines": [Cosines("own", "", values[:, :5])]},
    ):
        arguments = {"chosen": 4, "cosines": panels, "second": image}
        with pytest.raises(ValueError):
            pack_alike(channel="c", image=image, grid=grid, **{**arguments, **wrong})


def test_the_nearest_patches_and_the_ends_of_the_colours() -> None:
    values = np.array([0.5, 1.0, -0.5, 0.5, 0.75])
    assert nearest(values, 1) == [4, 0, 3]
    assert nearest(values, None) == [1, 4, 0]
    assert limits_of(values, 1) == (-0.5, 0.75)
    assert limits_of(values[:1], 0) == (-1.0, 1.0)


@pytest.mark.usefixtures("shipped")
def test_a_click_changes_patch_and_stage(open_page: Callable, click_in: Callable) -> None:
    app = open_page(ADDRESS, source="default", match="mirror")
    sent = sent_to(app, "alike")[0]
    assert [one["name"] for one in unpack(sent.bytes)[0]["panels"]] == ["own", "before", "other"]
    click_in(app, "alike-patches", {"choice": {"query": 9, "stage": 1}})
    assert parameter_of(app, "stage") == "1"
    assert state_of(app).query == 10  # behind the class token
    assert unpack(sent_to(app, "alike")[0].bytes)[1]["chosen"].tolist() == [9]
    assert "After block 1, the most similar patch is the right one for" in texts_of(app)
    click_in(app, "alike-patches", {"choice": {"query": 99, "stage": "2"}})
    assert parameter_of(app, "stage") == "1"


@pytest.mark.usefixtures("shipped")
def test_a_second_picture_is_chosen_and_taken_to_all_pages(
    open_page: Callable, click_in: Callable
) -> None:
    app = open_page(ADDRESS, source="fast", stage=99)
    click_in(app, "alike-second-digits", {"choice": {"index": 2}})
    assert parameter_of(app, "match") == "d7.2"
    next(one for one in app.button if one.key == "alike-look").click().run()
    assert parameter_of(app, "index") == "2" and not app.exception


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(
    "link",
    [
        {"picture": DRAWN},
        {"b": "source=default"},
        {"b": "source=fast&edits=x2_h0.1_m12_r"},
        {"match": "d3.0"},
    ],
)
def test_own_pictures_and_two_halves_have_the_part(open_page: Callable, link: dict) -> None:
    app = open_page(ADDRESS, source="fast", **link)
    assert not app.exception
    assert len(sent_to(app, "alike")) == 1 + ("b" in link)


@pytest.mark.usefixtures("shipped")
def test_every_picture_of_the_part_can_be_saved(open_page: Callable) -> None:
    saved: list[Saved] = []
    more.listeners.append(saved.extend)
    try:
        app = open_page(ADDRESS, source="fast")
    finally:
        more.listeners.remove(saved.extend)
    assert not app.exception
    assert [one.name for one in saved] == ["alike.alike-patches", "alike.alike-means"]
    assert all(one.make("png").startswith(b"\x89PNG") for one in saved)
    assert all(b"<svg" in one.make("svg") for one in saved)


@pytest.mark.usefixtures("shipped")
def test_an_epoch_of_a_run_is_compared_with_its_first(make_run: Callable) -> None:
    run = make_run()
    source = load.load_source(f"{run.id}@2")
    choice, seen = choice_and_observation(f"{run.id}@2", source.model.config)
    assert alike.first_epoch(choice) == f"{run.id}@0"
    first = observe(replace(choice, source=f"{run.id}@0"))
    np.testing.assert_allclose(
        alike.untrained_stages(choice, seen),
        alike.own_stages(replace(choice, source=f"{run.id}@0"), first),
        atol=1e-5,
    )


@pytest.mark.usefixtures("shipped")
def test_the_question_asks_for_the_largest_mean() -> None:
    choice, seen = choice_and_observation("fast")
    question = ask_most_similar(choice, seen)
    assert question is not None
    means = alike.mean_cosines(alike.own_stages(choice, seen))
    best = int(means.argmax())
    assert str(best) in right_answer(question) or (not best and "before" in right_answer(question))


@pytest.mark.usefixtures("shipped")
def test_an_untrained_model_has_nothing_before_training(open_page: Callable) -> None:
    app = open_page(ADDRESS, source="untrained")
    names = [one["name"] for one in unpack(sent_to(app, "alike")[0].bytes)[0]["panels"]]
    assert names == ["own", "other"]
    assert "nothing to compare before training" in texts_of(app)


@pytest.mark.usefixtures("shipped")
def test_a_wrong_code_is_refused(open_page: Callable) -> None:
    app = open_page(ADDRESS, source="fast", match="x1", stage="-1")
    assert not app.exception
    assert state_of(app).match == "" and state_of(app).stage is None
