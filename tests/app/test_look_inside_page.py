"""The page that looks inside: what its link may say, the class to explain, and the maps."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from reading import choice_and_observation, parameter_of, refusals_of, sent_to, state_of, texts_of
from streamlit.testing.v1 import AppTest
from unlike import UNLIKE, put

from explainer.components.packing import unpack
from explainer.inputs.models import load
from explainer.inputs.models.load import source_of
from explainer.observation.learning.lesson import model_and_image
from explainer.observation.look import attributions
from explainer.observation.look.attributions import (
    attribution,
    explained,
    is_kept,
    maps_there,
    runner_up,
)
from explainer.observation.look.scores import scores
from explainer.state.link import FILLS, METHODS, State
from explainer.state.place import Place, Unit
from explainer.views.look_inside import where
from vit_core import ViTConfig, interpret
from vit_core.interpret.deletion import black_pixel

ADDRESS = "look-inside"
CONFIG = ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2)

Open = Callable[..., AppTest]


def place_of(**state: object) -> Place:
    return Place.from_state(replace(State(), **state), CONFIG)


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(
    ("link", "refused", "kept"),
    [
        ({"explain": "99"}, "explain=99", {"explain": "9"}),
        ({"explain": "-1"}, "explain=-1", {"explain": None}),
        ({"method": "magic"}, "method=magic", {"method": None}),
        ({"fill": "white"}, "fill=white", {"fill": None}),
        ({"liked": "0.q1.2"}, "liked=0.q1.2", {"liked": None}),
        ({"liked": "99.99999"}, "liked=99.99999", {"liked": "3.255"}),
        ({"liked": "1.h9.99"}, "liked=1.h9.99", {"liked": "1.h3.15"}),
    ],
)
def test_a_hostile_link_gets_the_nearest_state_and_one_sentence(
    open_page: Open, link: dict, refused: str, kept: dict
) -> None:
    app = open_page(ADDRESS, source="fast", **link)
    assert not app.exception, app.exception[0].message
    assert refusals_of(app).count("<p>") == 1 and refused in refusals_of(app)
    for name, value in kept.items():
        assert parameter_of(app, name) == value


def test_a_unit_of_a_link_is_written_as_it_is_read() -> None:
    assert place_of(liked="1.17").liked == Unit(1, None, 17)
    assert place_of(liked="0.h1.5").liked == Unit(0, 1, 5)
    assert place_of().liked is None
    for text in ("1.17", "0.h1.5"):
        assert str(place_of(liked=text).liked) == text


def test_a_link_knows_the_methods_of_the_core() -> None:
    assert [name for name in METHODS if name in interpret.METHODS] == [*interpret.METHODS]


@pytest.mark.usefixtures("shipped")
def test_the_predicted_class_is_explained_until_another_is_chosen(open_page: Open) -> None:
    _, seen = choice_and_observation("fast")
    app = open_page(ADDRESS, source="fast")
    box = app.selectbox(key="explain")
    assert box.value == seen.prediction and parameter_of(app, "explain") is None
    box.select(runner_up(seen)).run()
    assert state_of(app).explain == runner_up(seen)
    app.selectbox(key="explain").select(seen.prediction).run()
    assert state_of(app).explain is None
    assert not app.exception


def test_a_model_without_classes_has_maps_of_its_features(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known_runs: object
) -> None:
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    st.cache_resource.clear()
    put(tmp_path, UNLIKE["no head"])
    app = open_page(ADDRESS, source="default", explain=3)
    assert not app.exception, app.exception[0].message
    assert "This model has no classes. What is explained" in texts_of(app.main)
    assert not [box for box in app.selectbox if box.key == "explain"]


@pytest.mark.usefixtures("shipped")
def test_a_map_is_made_once_for_all_visitors(monkeypatch: pytest.MonkeyPatch) -> None:
    attributions.attributions.clear()
    choice, seen = choice_and_observation("fast")
    target = explained(seen, Place(seen.config))
    assert not is_kept(choice, target, "rollout")
    found = attribution(choice, target, "rollout")
    assert found.patches.shape == (seen.config.num_patches,)
    assert not found.patches.flags.writeable
    assert is_kept(choice, target, "rollout")
    monkeypatch.setattr(attributions, "compute", None)
    np.testing.assert_array_equal(attribution(choice, target, "rollout").patches, found.patches)
    # rollout knows no class
    assert attribution(choice, runner_up(seen), "rollout") is found


# the test of the maps


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("fill", FILLS)
def test_a_score_is_that_of_the_core(fill: str) -> None:
    choice, seen = choice_and_observation("fast")
    maps = maps_there(choice, seen.prediction)
    found = scores(choice, seen.prediction, fill, maps)
    model, image = model_and_image(choice)
    for index, one in enumerate(maps):
        wanted = interpret.deletion_insertion(
            model,
            image,
            torch.tensor([seen.prediction]),
            torch.tensor(one.patches)[None],
            fill,
            black=black_pixel(source_of(choice).info),
        )
        np.testing.assert_allclose(found.deletion[index], wanted.deletion[0], atol=1e-5)
        np.testing.assert_allclose(found.insertion[index], wanted.insertion[0], atol=1e-5)
        np.testing.assert_allclose(found.deletion_areas[index], wanted.deletion_area[0], atol=1e-5)
        falling = one.patches[found.orders[index]]
        assert (np.diff(falling) <= 0).all()
    assert found.counts[0] == 0 and found.counts[-1] == seen.config.num_patches
    np.testing.assert_allclose(found.deletion[:, 0], seen.probabilities.max(), atol=1e-5)


@pytest.mark.usefixtures("shipped")
def test_the_film_has_the_numbers_of_the_test(open_page: Open) -> None:
    choice, seen = choice_and_observation("fast")
    app = open_page(ADDRESS, source="fast", fill="black", method="ink")
    assert not app.exception, app.exception[0].message
    header, arrays = unpack(sent_to(app, "deletion_film")[0].bytes)
    found = scores(choice, seen.prediction, "black", maps_there(choice, seen.prediction))
    np.testing.assert_array_equal(arrays["orders"], found.orders)
    np.testing.assert_array_equal(arrays["deletion"], found.deletion)
    assert header["counts"] == found.counts.tolist() and header["fill"] == "black"
    assert header["baselines"][-2:] == [True, True]
    assert found.methods[found.methods.index("ink")] == state_of(app).method


@pytest.mark.usefixtures("shipped")
def test_a_click_on_a_bar_chooses_its_method(open_page: Open, click_in: Callable) -> None:
    app = open_page(ADDRESS, source="fast")
    names = [one.method for one in maps_there(*wanted_of("fast"))]
    app = click_in(app, "deletion-film", {"choice": {"method": names.index("random"), "at": 1.0}})
    assert not app.exception
    assert parameter_of(app, "method") == "random"
    app = click_in(app, "deletion-film", {"choice": {"method": 99, "at": 2.0}})
    assert parameter_of(app, "method") == "random"


def wanted_of(source: str) -> tuple:
    choice, seen = choice_and_observation(source)
    return choice, seen.prediction


@pytest.mark.parametrize("name", UNLIKE)
def test_every_kind_of_model_is_explained_and_tested(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known_runs: object, name: str
) -> None:
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    st.cache_resource.clear()
    put(tmp_path, UNLIKE[name])
    app = open_page(ADDRESS, source="default")
    assert not app.exception, app.exception[0].message
    header, arrays = unpack(sent_to(app, "heat_maps")[0].bytes)
    there = [one["name"] for one in header["maps"] if one["row"] >= 0]
    assert {"attention", "rollout", "ink", "random"} <= {*there}
    assert arrays["values"].shape == (len(there), header["rows"] * header["columns"])
    assert all(one["absent"] for one in header["maps"] if one["row"] < 0)
    assert len(sent_to(app, "deletion_film")) == 1


@pytest.mark.usefixtures("shipped")
def test_what_takes_long_is_made_beside_the_page(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    attributions.attributions.clear()
    monkeypatch.setattr(attributions, "AT_ONCE", 0)
    asked: list = []
    monkeypatch.setattr(where, "awaited", lambda key, *_, **how: asked.append((key, how["offer"])))
    app = open_page(ADDRESS, source="fast")
    assert not app.exception, app.exception[0].message
    header, _ = unpack(sent_to(app, "heat_maps")[0].bytes)
    late = [one["name"] for one in header["maps"] if one["row"] < 0]
    assert "rollout" in late and "ink" not in late
    assert [key[-1] for key, _ in asked] == late and not any(offer for _, offer in asked)
    monkeypatch.setattr(where, "BY_ITSELF", 0)
    open_page(ADDRESS, source="fast")
    assert asked[-1][1].startswith("Compute ")
