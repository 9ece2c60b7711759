"""The page of a model without a head: features, patches as colours, pictures that are alike."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from reading import sent_to
from streamlit.testing.v1 import AppTest

from explainer.components.packing import unpack
from explainer.content import load_texts
from explainer.figures.colour_map import colours_of, side_by_side, strip
from explainer.inputs.models import load
from explainer.inputs.pictures.galleries import CIFAR, PHOTOGRAPHS, samples
from explainer.observation import features, heads, observe
from explainer.observation.similarity import cosine
from explainer.shell import routes
from explainer.state.choice import Choice
from explainer.state.link import DEPTHS, HEADS, WIDTHS
from explainer.state.place import Place
from explainer.views.classification_head.features import questions
from vit_core import ViTConfig, build, save_checkpoint
from vit_core.data import DataInfo

TEXTS = load_texts("features")
CONFIG = ViTConfig(
    image_size=32, in_channels=3, patch_size=8, embed_dim=16, depth=2, num_heads=2, num_classes=0
)
INFO = DataInfo("pictures", "", (0.5,) * 3, (0.25,) * 3, ())


@pytest.fixture
def backbone(shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Choice:
    """A model without a head in the place of the one for CIFAR-10."""
    save_checkpoint(build(CONFIG, seed=1), tmp_path / "cifar10.safetensors", data=INFO)
    for file in shipped.glob("*.safetensors"):
        if file.name != "cifar10.safetensors":
            (tmp_path / file.name).symlink_to(file)
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    st.cache_resource.clear()
    return Choice("cifar10", CONFIG, 0, 0, 0, gallery=PHOTOGRAPHS, sample=1)


@pytest.mark.parametrize("view", routes.WALK)
def test_every_page_shows_a_model_without_a_head(
    backbone: Choice, open_page: Callable[..., AppTest], view: str
) -> None:
    address = "home" if view == "home" else routes.address(view)
    app = open_page(address, source="cifar10", sample=1)
    assert not app.exception
    assert not app.error
    # what stands last on the page, so that all before it was drawn
    if view == "home":
        assert app.main.expander[-1].label == load_texts("home")["score_title"]
    else:
        onward = routes.address(routes.following(view) or "home")
        assert {"home": ""}.get(onward, onward) in {one.proto.page for one in app.get("page_link")}


def test_the_head_page_gives_way_to_the_features(
    backbone: Choice, open_page: Callable[..., AppTest]
) -> None:
    app = open_page("classification-head", source="cifar10", sample=1)
    assert [title.value for title in app.title] == [TEXTS["title"]]
    headers = [header.value for header in app.header]
    assert [part["title"] for part in TEXTS["parts"].values()] == headers[:3]
    labels = {button.proto.label for button in app.get("download_button")}
    assert {part["download"] for part in TEXTS["parts"].values()} <= labels


def test_home_shows_the_features_as_colours_instead_of_an_answer(
    backbone: Choice, open_page: Callable[..., AppTest]
) -> None:
    (proto,) = sent_to(open_page("home", source="cifar10", sample=1), "home")
    header, arrays = unpack(proto.bytes)
    assert not header["has_head"] and not header["names"] and "logits" not in arrays
    assert arrays["features"].shape == (*backbone.config.grid_size, 3)
    np.testing.assert_array_equal(
        arrays["features"],
        colours_of(features.principal(observe.observe(backbone)).scores, backbone.config.grid_size),
    )
    assert "names no class" in header["texts"]["verdict"]["features"]


def test_the_observation_has_features_and_no_answer(backbone: Choice) -> None:
    seen = observe.observe(backbone)
    assert not seen.has_head
    assert seen.prediction is None
    assert seen.logits.size == seen.probabilities.size == 0
    assert np.array_equal(seen.output, seen.tensors["pooled"])


def test_neighbours_are_all_other_pictures_by_their_cosine(backbone: Choice) -> None:
    seen = observe.observe(backbone)
    found = features.neighbours(backbone, seen)
    assert len(found) == len(samples(PHOTOGRAPHS)) + len(samples(CIFAR)) - 1
    cosines = [one.cosine for one in found]
    assert cosines == sorted(cosines, reverse=True)
    names = load_texts("picker")["samples"]["photographs"]
    assert names["chelsea"] not in [one.name for one in found]
    rocket = next(one for one in found if one.name == names["rocket"])
    other = observe.observe(replace(backbone, sample=3))
    one, two = seen.output.astype(float), other.output.astype(float)
    expected = one @ two / np.linalg.norm(one) / np.linalg.norm(two)
    assert rocket.cosine == pytest.approx(expected, abs=1e-5)
    assert np.array_equal(rocket.pixels, other.pixels)


def test_the_right_answers_are_those_of_the_model(backbone: Choice) -> None:
    seen = observe.observe(backbone)
    asked = {one.name: one for one in questions(backbone, seen, Place(seen.config))}
    assert asked["size"].options[asked["size"].answer] == "16"
    best = features.neighbours(backbone, seen)[0].name
    assert asked["nearest"].options[asked["nearest"].answer] == best
    whole = features.principal(seen).shares.sum()
    assert asked["variance"].answer == (whole > 0.1) + int(whole > 0.5)
    assert len(asked) == 4


def test_effects_of_heads_are_cosines(backbone: Choice) -> None:
    seen = observe.observe(backbone)
    found = heads.effects(backbone, seen)
    assert found.shape == (2, 2, 16)
    off = heads.switched(backbone, seen, (heads.Head(1, 0),))
    assert np.allclose(found[1, 0], off, atol=1e-5)
    one, two = off.astype(float), seen.output.astype(float)
    expected = one @ two / np.linalg.norm(one) / np.linalg.norm(two)
    assert float(cosine(off, seen.output)) == pytest.approx(expected, abs=1e-9)
    assert float(cosine(seen.output, seen.output)) == pytest.approx(1)
    assert float(cosine(seen.output, np.zeros(16))) == 0


def test_what_takes_seconds_is_asked_for_first_and_no_shape_of_the_sliders_does() -> None:
    def cheap(config: ViTConfig) -> bool:
        return heads.effects_are_cheap(Choice("untrained", config, 0, 0, 0))

    knobs = {"embed_dim": max(WIDTHS), "num_heads": max(HEADS)}
    assert cheap(ViTConfig(patch_size=2, depth=max(DEPTHS), **knobs))
    small_file = {"embed_dim": 16, "num_heads": 16, "depth": 12, "mlp_ratio": 1.0}
    assert not cheap(ViTConfig(image_size=32, patch_size=2, **small_file))


def test_many_runs_of_a_large_model_are_asked_for_first(backbone: Choice, monkeypatch) -> None:
    assert heads.effects_are_cheap(backbone)
    monkeypatch.setattr(heads, "CHEAP", 1)
    assert not heads.effects_are_cheap(backbone)
    heads.effects(backbone, observe.observe(backbone))
    assert heads.effects_are_cheap(backbone)


# figures


def test_colours_run_from_least_to_largest_in_each_component() -> None:
    scores = np.array([[0.0, -1.0, 5.0], [1.0, 0.0, 5.0], [2.0, 1.0, 5.0], [4.0, 3.0, 5.0]])
    colours = colours_of(scores, (2, 2))
    assert colours.shape == (2, 2, 3)
    assert colours[..., 0].tolist() == [[0, 64], [128, 255]]
    assert colours[..., 1].tolist() == [[0, 64], [128, 255]]
    assert colours[..., 2].tolist() == [[0, 0], [0, 0]]
    with pytest.raises(ValueError, match="finite"):
        colours_of(np.full((4, 3), np.nan), (2, 2))


def test_pictures_say_what_they_are() -> None:
    colours = np.zeros((2, 2, 3), np.uint8)
    html = side_by_side("data:image", colours, (("a <cat>", "The cat"), ("patches", "Its patches")))
    assert 'alt="a &lt;cat&gt;"' in html
    assert html.index("The cat") < html.index("Its patches")
    html = strip([(colours, "before"), (colours, "after")], "all <of> them")
    assert 'aria-label="all &lt;of&gt; them"' in html
    assert html.count("<img") == 2
