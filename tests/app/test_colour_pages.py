"""Every page of a model of coloured pictures: what it draws, and what it says of them."""

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from reading import folds_of, html_of, html_with, sent_to, unfold
from streamlit.testing.v1 import AppTest

from explainer import content
from explainer.components.filter_grid import pack_filters
from explainer.components.packing import unpack
from explainer.content import load_texts, load_variant
from explainer.content.numbers import latex_name, with_article
from explainer.content.token_names import value_names
from explainer.figures.pixels import image_address
from explainer.inputs.models import load
from explainer.inputs.pictures import batches
from explainer.inputs.pictures.galleries import CIFAR, DIGITS, PHOTOGRAPHS, samples
from explainer.observation import observe
from explainer.observation.observe import Observation
from explainer.observation.patches_of import patches_of
from explainer.observation.text_variants import endings_of, texts_of
from explainer.observation.wrong_samples import labelled_count, misclassified_samples
from explainer.shell import routes
from explainer.shell.quiz import Question
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views import class_token, learning
from explainer.views.learning import schedule
from explainer.views.patch_embedding import measures
from explainer.views.patch_embedding.questions import ask_blank
from explainer.views.patches import grids
from vit_core import ViTConfig, build, save_checkpoint
from vit_core.data import DataInfo
from vit_core.model import patchify

Open = Callable[..., AppTest]
Find = Callable[..., object]
VIEWS = ("home", *routes.PIPELINE)
OF_DIGITS = re.compile(
    r"(?<!last )digit|stroke|\bink\b|grey value|handwritten|MNIST", re.IGNORECASE
)
NAMES = ("rose", "orchid", "tulip")
FLOWERS = DataInfo("flowers", "", (0.5, 0.4, 0.3), (0.3, 0.2, 0.1), NAMES)

pytestmark = pytest.mark.usefixtures("shipped")


def choice(sample: int = 0, source: str = "cifar10") -> Choice:
    loaded = load.load_source(source)
    return Choice(source, loaded.model.config, 0, 0, 0, "", loaded.gallery, sample)


def words_of(app: AppTest) -> str:
    kinds = ("markdown", "header", "title", "caption")
    return " ".join(element.value for kind in kinds for element in app.main.get(kind))


def decode(address: str) -> np.ndarray:
    picture = Image.open(io.BytesIO(base64.b64decode(address.split(",", 1)[1])))
    return np.asarray(picture.convert("RGBA"))


# every page


@pytest.fixture
def own_parts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what shows trainings that were recorded, on digits, and that says so."""
    parts = {name: part for name, part in learning.PARTS.items() if name != "data"}
    assert len(parts) == len(learning.PARTS) - 1
    monkeypatch.setattr(learning, "PARTS", parts)
    ask = learning.questions

    def ask_of_own_parts(*given: Any) -> list[Question]:
        return [one for one in ask(*given) if one.part != "data"]

    monkeypatch.setattr(learning, "questions", ask_of_own_parts)
    monkeypatch.setattr(schedule, "show_recorded", lambda *_: None)


@pytest.mark.usefixtures("own_parts_alone")
@pytest.mark.parametrize("view", VIEWS)
def test_no_page_speaks_of_digits(view: str, open_page: Open) -> None:
    app = open_page(routes.address(view), source="cifar10", sample=3)
    assert not app.exception and not app.error
    words = words_of(app)
    allowed = "Among this app's models of digits there are both."
    assert not OF_DIGITS.search(words.replace(allowed, "")), OF_DIGITS.search(words)
    for element in app.main.get("html"):
        assert not OF_DIGITS.search(re.sub(r'src="[^"]*"', "", element.proto.body))
    if view != "home":
        radios = " ".join([radio.label for radio in app.main.radio])
        assert not OF_DIGITS.search(radios)


@pytest.mark.parametrize("view", routes.PIPELINE)
def test_no_question_speaks_of_digits(view: str) -> None:
    seen = observe.observe(choice())
    texts = texts_of(view, seen)
    for question in texts["questions"].values():
        told = question.values() if isinstance(question, dict) else [question]
        for words in told:
            assert not (isinstance(words, str) and OF_DIGITS.search(words)), words


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.usefixtures("own_parts_alone")
def test_a_model_of_other_photographs_has_every_page(
    view: str, shipped: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = ViTConfig(
        image_size=112, patch_size=14, in_channels=3, num_classes=3, embed_dim=16, depth=2
    )
    save_checkpoint(build(config, seed=2), tmp_path / "default.safetensors", data=FLOWERS)
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    app = open_page(routes.address(view), source="default", sample=2)
    assert not app.exception and not app.error
    assert not OF_DIGITS.search(words_of(app).replace("Among this app's models of digits", ""))
    if view == "classification_head":  # nobody knows what the photographs show
        assert "fold-worked" in folds_of(app) and "fold-wrong" not in folds_of(app)


# texts


def test_a_text_is_replaced_by_the_most_particular_one() -> None:
    told = {
        "plain": "p",
        "text": "digits",
        "text_pictures": "pictures",
        "text_colour": "colour",
        "listed": [{"text": "one", "text_pictures": "two"}],
        "deep": {"text": "a", "text_cifar10": "b", "text_colour": "c"},
    }
    found = content.vary(told, ("_cifar10", "_colour", "_pictures"))
    assert (found["plain"], found["text"]) == ("p", "colour")
    assert found["listed"][0]["text"] == "two" and found["deep"]["text"] == "b"
    assert content.vary(told, ())["text"] == "digits"


def test_every_variant_stands_beside_the_text_that_it_replaces() -> None:
    # these two have no variants, and names of limits and of what is wrong with pictures
    plain = {"limits", "own_pictures"}
    pages = {file.stem for file in (content.HERE / "en").glob("*.toml")} - plain
    endings = ("_pictures", "_symbols", "_colour", f"_{CIFAR}", f"_{PHOTOGRAPHS}")

    def check(told: object, where: str) -> None:
        if isinstance(told, list):
            for one in told:
                check(one, where)
        if not hasattr(told, "items"):
            return
        for name, one in told.items():
            for ending in endings:
                if name.endswith(ending):
                    assert name.removesuffix(ending) in told, f"{where}: {name}"
            check(one, where)

    for page in sorted(pages):
        check(load_texts(page), page)


def test_digits_keep_their_own_words() -> None:
    config = load.load_source("default").model.config
    seen = observe.observe(Choice("default", config, 0, 7, 0))
    assert endings_of(seen) == ()
    assert texts_of("patches", seen) is load_texts("patches")
    colour = observe.observe(choice())
    assert endings_of(colour) == ("_cifar10", "_colour", "_pictures")
    assert texts_of("patches", colour) is load_variant("patches", endings_of(colour))


def test_names_of_things_fit_a_sentence_and_a_formula() -> None:
    assert [with_article(name) for name in ("cat", "airplane")] == ["a cat", "an airplane"]
    assert latex_name("7") == "7" and latex_name("black & tan") == r"\text{black \& tan}"


# home


def test_home_shows_the_picture_and_the_true_class(open_page: Open) -> None:
    app = open_page("home", source="cifar10")
    seen = observe.observe(choice())
    (sent,) = sent_to(app, "home")
    header, arrays = unpack(sent.bytes)
    np.testing.assert_array_equal(arrays["image"], seen.pixels)
    assert not header["is_pad"]  # nobody draws a photograph
    assert header["truth"] == seen.label
    assert header["names"] == list(seen.class_names)


# patches


def test_patches_are_cut_from_the_pixels_by_the_model_itself() -> None:
    seen = observe.observe(choice(4))
    found = patches_of(seen, (4, 4))
    assert found.dtype == np.uint8 and found.shape == (64, 48)
    exact = patchify(batches.batch_of(seen.pixels), (4, 4))[0].numpy()
    np.testing.assert_array_equal(found, exact)
    np.testing.assert_array_equal(found[9, :16].reshape(4, 4), seen.pixels[4:8, 4:8, 0])


def test_the_largest_value_is_normalised_by_its_own_colour(open_page: Open) -> None:
    app = open_page("patches", source="cifar10")
    seen, info = observe.observe(choice()), load.load_source("cifar10").info
    values = patches_of(seen, (4, 4))[seen.telling_patch]
    channel = int(values.argmax()) // 16
    line = next(latex.value for latex in app.latex if "/255" in latex.value)
    numbers = [float(number) for number in re.findall(r"\d+\.\d+", line)]
    mean, std = info.mean[channel], info.std[channel]
    result = (values.max() / 255 - mean) / std
    np.testing.assert_allclose(numbers, [mean, std, abs(result)], atol=1e-4)
    assert f"a {('red', 'green', 'blue')[channel]} one" in words_of(app)


@pytest.mark.parametrize(
    ("size", "patch", "sides"),
    [
        (28, 4, [2, 4, 7, 14]),
        (32, 4, [2, 4, 8, 16]),
        (224, 14, [2, 4, 7, 14, 16]),
        (224, 16, [2, 4, 7, 14]),
        (96, 8, [2, 4, 8, 12, 16, 32]),
    ],
)
def test_only_whole_patches_are_compared(size: int, patch: int, sides: list[int]) -> None:
    config = ViTConfig(image_size=size, patch_size=patch, in_channels=3)
    assert grids.sides_of(config) == sides
    for side in sides:
        assert grids.cost_of(config, side).patch * side == size


def grid_of(app: AppTest) -> list[str]:
    return re.findall(r"<dd>(.*?)</dd>", html_with(app, "cut"))


def test_another_grid_of_a_link_that_breaks_patches_is_the_models_own(open_page: Open) -> None:
    app = open_page("patches", source="cifar10", cut=7)
    assert not app.exception
    assert grid_of(app)[:2] == ["64", "48"]
    said = re.findall(r"<dd>(.*?)</dd>", html_with(app, "cut"))
    assert said[:2] == ["64", "48"]
    other = open_page("patches", source="cifar10", cut=16)
    assert grid_of(other)[:2] == ["256", "12"]


def test_every_value_of_a_patch_has_a_name_of_its_own() -> None:
    names = value_names(ViTConfig(image_size=32, in_channels=3, patch_size=4))
    assert len(names) == len(set(names)) == 48
    assert names[0] == "red of pixel 1, 1" and names[17] == "green of pixel 1, 2"
    assert value_names(ViTConfig())[5] == "pixel 2, 2"
    assert value_names(ViTConfig(in_channels=2))[-1].startswith("channel 2 of pixel ")


# patch embedding


def test_filters_are_drawn_in_colour() -> None:
    weight = load.load_source("cifar10").model.patch_embed.proj.weight.detach().numpy()
    filters = measures.filters_of(choice())
    assert filters.shape == (192, 4, 4, 3)
    np.testing.assert_array_equal(filters[5, 2, 3], weight[5].reshape(3, 4, 4)[:, 2, 3])
    header, arrays = unpack(
        pack_filters(channel="f", filters=filters, responses=np.zeros(192, np.float32))
    )
    assert header["channels"] == 3 and (header["cell_height"], header["zoom"]) == (20, 4)
    assert header["image_height"] == header["rows"] * header["cell_height"]
    np.testing.assert_array_equal(arrays["filters"], filters)


def test_a_picture_of_many_large_filters_is_not_enlarged() -> None:
    filters = np.zeros((384, 14, 14, 3), np.float32)
    header = unpack(pack_filters(channel="f", filters=filters, responses=filters[:, 0, 0, 0]))[0]
    assert (header["zoom"], header["cell_height"]) == (1, 17)


@pytest.mark.parametrize("shape", [(4, 2, 2, 2), (4, 2), (4, 2, 2, 3, 1)])
def test_what_is_no_filter_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="with 3 colours or without"):
        pack_filters(channel="f", filters=np.zeros(shape), responses=np.zeros(4))


def test_a_worked_sum_runs_over_all_three_colours(open_page: Open) -> None:
    app = open_page("patch-embedding", source="cifar10", unit=7, query=10)
    seen = observe.observe(choice())
    apart = measures.sum_of(choice(), seen, 9, 7)
    assert apart.values.shape == (48,)
    assert apart.total == pytest.approx(float(seen.tensors["patch_embed"][9, 7]), abs=1e-4)
    html = re.sub(r"\s+", " ", html_of(app.main))
    addresses = re.findall(r'class="tile(?: signed)?"><img src="([^"]+)"', html)
    patch, row, product = map(decode, addresses)
    assert patch.shape == row.shape == product.shape == (4, 4, 4)
    values = apart.filter.reshape(3, 4, 4).transpose(1, 2, 0)
    exact = np.clip((values / np.abs(values).max() + 1) / 2, 0, 1) * 255
    np.testing.assert_allclose(row[..., :3], exact, atol=0.51)
    largest = np.unravel_index(np.abs(apart.products.reshape(3, 16).sum(axis=0)).argmax(), (4, 4))
    assert np.ptp(product[largest][:3].astype(int)) > 40  # an end of the diverging map


def test_the_blank_patch_is_worked_out_colour_by_colour() -> None:
    place, loaded = Place(choice().config), load.load_source("cifar10")
    texts = texts_of("patch_embedding", observe.observe(choice()))["questions"]["blank"]
    blank = ask_blank(choice(), place, texts)
    unit = measures.unit_of(choice(), place)
    info = loaded.info
    black = -np.array(info.mean) / np.array(info.std)
    row = measures.weight_of(choice())[unit].astype(np.float64).reshape(3, 16).sum(axis=1)
    total = black @ row + measures.bias_of(choice())[unit]
    assert blank.why.replace("−", "-").rstrip(".").endswith(f"= {total:.3f}")
    assert blank.why.count("×") == 3


# class token and head


def test_the_class_tokens_row_is_compared_on_other_pictures_of_the_gallery(
    open_page: Open, find_component: Find
) -> None:
    app = open_page("class-token", source="cifar10", sample=9)
    assert not app.exception
    header = unpack(find_component(app, "start").bytes)[0]
    assert ["this image", "airplane", "automobile"] in header["names"]
    seen: Observation = observe.observe(choice(9))
    assert class_token.values.start_difference(choice(9), seen) == 0
    assert "10,000 test digits" not in words_of(app)


def test_mistakes_are_those_of_the_gallery() -> None:
    found = misclassified_samples(choice())
    assert labelled_count(choice()) == 10
    wrong = [
        place
        for place in range(10)
        if observe.observe(choice(place)).prediction != observe.observe(choice(place)).label
    ]
    assert [one.index for one in found] == wrong and wrong
    assert all(samples(CIFAR)[one.index].name == samples(CIFAR)[one.label].name for one in found)
    assert all(one.predicted == observe.observe(choice(one.index)).prediction for one in found)


def test_a_mistake_can_be_looked_at(open_page: Open) -> None:
    app = open_page("classification-head", source="cifar10", sample=0)
    first = misclassified_samples(choice())[0]
    pixels = observe.observe(choice(first.index)).pixels
    unfold(app)
    assert image_address(pixels) in html_of(app.main)
    app.button("head-mistake-0").click().run()
    assert app.session_state["state"].sample == first.index


def test_digits_have_their_mistakes_among_the_test_digits() -> None:
    config = load.load_source("default").model.config
    assert labelled_count(Choice("default", config, 0, 7, 0)) == 0
    assert Choice("default", config, 0, 7, 0).gallery == DIGITS
