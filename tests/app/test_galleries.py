"""Pictures of models that were not trained on digits: shipped ones and a visitor's own."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from reading import html_of
from streamlit.testing.v1 import AppTest

from explainer.inputs.models import load
from explainer.inputs.pictures import batches, chosen
from explainer.inputs.pictures.galleries import (
    CIFAR,
    PHOTOGRAPHS,
    fitted,
    gallery_of,
    label_of,
    photo_store,
    samples,
)
from explainer.observation import observe
from explainer.state.choice import DIGITS, Choice
from vit_core import PRESETS, Checkpoint, ViTConfig, build
from vit_core.data import DataInfo, mnist_info
from vit_core.data.sample_pictures import SamplePictures

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
COLOUR = PRESETS["cifar10"].model


def photograph(width: int = 90, height: int = 60) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    channels = [rows * 4, columns * 2, rows + columns]
    return np.stack(channels, axis=2).clip(0, 255).astype(np.uint8)


pytestmark = pytest.mark.usefixtures("empty_caches")  # which hold the photographs of visitors


def png(pixels: np.ndarray) -> bytes:
    content = BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def choice(sample: int = 0, photo: str = "") -> Choice:
    return Choice("cifar10", COLOUR, 0, 0, 0, "", CIFAR, sample, photo)


def own_source(names: tuple[str, ...], pictures: SamplePictures | None = None) -> load.Source:
    config = replace(COLOUR, num_classes=len(names))
    info = DataInfo("pets", "f", (0.5,) * 3, (0.2,) * 3, names)
    checkpoint = Checkpoint(build(config, 0), data=info, pictures=pictures)
    return load.Source(checkpoint.model, info, checkpoint)


def test_a_model_of_ones_own_data_is_shown_on_its_own_validation_pictures() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (3, 3, 32, 32), generator=generator, dtype=torch.uint8)
    pictures = SamplePictures(images, (1, 0, 1))
    source = own_source(("tabby", "poodle"), pictures)
    found = samples(source.gallery)
    assert [sample.name for sample in found] == ["poodle", "tabby", "poodle"]
    assert [label_of(sample, source.info.class_names) for sample in found] == [1, 0, 1]
    for sample, image in zip(found, images, strict=True):
        np.testing.assert_array_equal(source.prepare(sample.open()), image.permute(1, 2, 0))
    assert own_source(("tabby", "poodle"), pictures).gallery == source.gallery
    assert own_source(("poodle", "tabby"), pictures).gallery != source.gallery


def test_a_model_without_pictures_is_shown_on_shipped_ones_of_its_classes() -> None:
    source = own_source(("Cat", "poodle", "dog"))
    found = samples(source.gallery)
    assert [label_of(sample, source.info.class_names) for sample in found] == [0, 2]
    assert np.array_equal(np.asarray(found[0].open()), np.asarray(samples(CIFAR)[3].open()))
    assert own_source(("tabby", "poodle")).gallery == PHOTOGRAPHS


def test_grey_pictures_of_ones_own_are_fitted_to_a_grey_model() -> None:
    config = replace(ViTConfig(), num_classes=2)
    images = torch.arange(28 * 28, dtype=torch.int64).remainder(256).to(torch.uint8)
    pictures = SamplePictures(images.reshape(1, 1, 28, 28), (1,))
    info = DataInfo("letters", "f", (0.5,), (0.2,), ("a", "b"))
    checkpoint = Checkpoint(build(config, 0), data=info, pictures=pictures)
    source = load.Source(checkpoint.model, info, checkpoint)
    (sample,) = samples(source.gallery)
    np.testing.assert_array_equal(source.prepare(sample.open()), images.reshape(28, 28))


def test_the_shipped_pictures_are_one_of_each_class_and_four_photographs() -> None:
    assert [one.name for one in samples(CIFAR)] == CLASSES
    assert all(one.open().size == (32, 32) for one in samples(CIFAR))
    assert [one.name for one in samples(PHOTOGRAPHS)] == [
        "astronaut",
        "chelsea",
        "coffee",
        "rocket",
    ]
    assert all(224 < min(one.open().size) <= 448 for one in samples(PHOTOGRAPHS))
    assert samples(DIGITS) == ()


def test_a_model_is_shown_what_it_was_trained_on() -> None:
    grey, info = ViTConfig(), DataInfo("cifar10", "", (0.5,) * 3, (0.2,) * 3, tuple(CLASSES))
    assert gallery_of(grey, mnist_info()) == DIGITS
    assert gallery_of(COLOUR, info) == CIFAR
    other = DataInfo("flowers", "", (0.5,) * 3, (0.2,) * 3, ("rose", "lily"))
    assert gallery_of(COLOUR, other) == PHOTOGRAPHS
    assert gallery_of(grey, DataInfo("fashion-mnist", "", (0.3,), (0.3,), ())) == PHOTOGRAPHS


def test_a_label_is_told_where_the_model_knows_the_class() -> None:
    cat = samples(CIFAR)[3]
    assert label_of(cat, tuple(CLASSES)) == 3
    assert label_of(cat, ("rose", "cat")) == 1
    assert label_of(cat, ("rose", "lily")) is None
    assert label_of(samples(PHOTOGRAPHS)[0], ("astronaut",)) is None


@pytest.mark.parametrize(
    ("size", "patch", "shape"), [(32, 4, (32, 32, 3)), ((16, 48), 8, (16, 48, 3))]
)
def test_a_picture_is_cut_around_its_middle(size, patch, shape) -> None:
    config = ViTConfig(image_size=size, patch_size=patch, in_channels=3)
    marked = np.zeros((60, 90, 3), np.uint8)
    marked[26:34, 41:49] = 255
    found = fitted(Image.fromarray(marked), config)
    assert found.shape == shape
    weights = found[..., 0].astype(float)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    assert (weights * rows).sum() / weights.sum() == pytest.approx((shape[0] - 1) / 2, abs=0.2)
    assert (weights * columns).sum() / weights.sum() == pytest.approx((shape[1] - 1) / 2, abs=0.2)


def test_a_grey_model_gets_grey_and_a_picture_of_its_size_stays_as_it_is() -> None:
    assert fitted(Image.fromarray(photograph()), ViTConfig()).shape == (28, 28)
    same = photograph(32, 32)
    assert np.array_equal(fitted(Image.fromarray(same), COLOUR), same)


def test_a_sample_goes_through_the_model_in_colour(shipped) -> None:
    seen = observe.observe(choice(sample=3))
    assert seen.pixels.shape == (32, 32, 3)
    assert (seen.label, seen.class_names[seen.label], seen.gallery) == (3, "cat", CIFAR)
    assert seen.tensors["patches"].shape == (64, 48)
    info = load.load_source("cifar10").info
    first = seen.pixels[0, 0] / 255
    expected = (first - info.mean) / info.std
    # a patch holds all of red, then green, then blue
    assert np.allclose(seen.tensors["patches"][0, [0, 16, 32]], expected, atol=1e-5)


def test_pixels_come_back_from_a_batch() -> None:
    for pixels in (photograph(), photograph()[..., 0]):
        assert np.array_equal(batches.pixels_of(batches.batch_of(pixels)), pixels)


def test_an_own_photograph_is_kept_under_its_content(shipped) -> None:
    name = photo_store.keep(photograph())
    assert photo_store.keep(photograph()) == name
    assert photo_store.keep(photograph(60, 90)) != name
    assert photo_store.is_kept(name)
    assert not photo_store.is_kept("0" * 16)
    seen = observe.observe(choice(photo=name))
    assert seen.label is None
    assert seen.pixels.shape == (32, 32, 3)
    with pytest.raises(ValueError, match="no longer kept"):
        chosen.photograph(choice(photo="0" * 16))


def test_what_is_kept_is_bounded(shipped, monkeypatch) -> None:
    monkeypatch.setattr(photo_store, "LIMIT", 3 * photograph().nbytes)
    names = [photo_store.keep(photograph() + number) for number in range(5)]
    assert [photo_store.is_kept(name) for name in names] == [False, False, True, True, True]


def test_a_visitor_has_room_for_a_few(shipped) -> None:
    most = photo_store.MAX_OF_VISITOR
    names = [photo_store.keep(photograph() + number, "one") for number in range(most + 2)]
    assert [photo_store.is_kept(name) for name in names] == [False] * 2 + [True] * most
    assert photo_store.keep(photograph() + 3, "one") == names[3]
    photo_store.keep(photograph() + 99, "one")
    # what was used last stays
    assert photo_store.is_kept(names[3]) and not photo_store.is_kept(names[2])


def test_nobody_pushes_out_what_others_brought(shipped, monkeypatch) -> None:
    monkeypatch.setattr(photo_store, "LIMIT", 5 * photograph().nbytes)
    others = [photo_store.keep(photograph() + number, f"visitor {number}") for number in range(2)]
    mine = [photo_store.keep(photograph() + number, "greedy") for number in range(10, 30)]
    assert all(photo_store.is_kept(name) for name in others)
    assert [photo_store.is_kept(name) for name in mine] == [False] * 17 + [True] * 3


def test_a_photograph_that_two_brought_stays_while_one_of_them_has_room(shipped) -> None:
    both = photo_store.keep(photograph(), "one")
    assert photo_store.keep(photograph(), "other") == both
    for number in range(1, photo_store.MAX_OF_VISITOR + 1):
        photo_store.keep(photograph() + number, "one")
    assert photo_store.is_kept(both)
    for number in range(1, photo_store.MAX_OF_VISITOR + 1):
        photo_store.keep(photograph() + number, "other")
    assert not photo_store.is_kept(both)


# the picker

Open = Callable[..., AppTest]


def preview(app: AppTest) -> str:
    return next(e.proto.body for e in app.sidebar.get("html") if 'class="picked"' in e.proto.body)


def test_the_model_opens_on_its_gallery(shipped, open_page: Open, find_component) -> None:
    app = open_page("home", source="cifar10", sample=3)
    assert not app.exception
    assert app.sidebar.pills(key="photo-picker").value == "sample"
    assert "A cat" in preview(app)
    assert "32 × 32 pixels in colour" in preview(app)
    sent = find_component(app, "samples-cifar10")
    assert '"chosen": 3' in sent.json or '"chosen":3' in sent.json


def test_a_click_on_a_picture_chooses_it(shipped, open_page: Open, click_in) -> None:
    app = open_page("home", source="cifar10")
    app = click_in(app, "samples-cifar10", {"choice": {"index": 8}})
    assert app.session_state["state"].sample == 8
    assert "A ship" in preview(app)
    for nonsense in ({"index": 10}, {"index": -1}, {"index": "8"}, "8", None):
        app = click_in(app, "samples-cifar10", {"choice": nonsense})
        assert app.session_state["state"].sample == 8


def test_each_gallery_keeps_its_own_choice(shipped, open_page: Open) -> None:
    app = open_page("home", source="cifar10", sample=5, digit=4, index=2)
    assert "A dog" in preview(app)
    app = app.sidebar.selectbox(key="source").set_value("fast").run()
    assert "A handwritten 4." in preview(app)
    app = app.sidebar.selectbox(key="source").set_value("cifar10").run()
    assert "A dog" in preview(app)


def test_a_file_is_looked_at_and_gives_way_to_the_gallery(shipped, open_page: Open) -> None:
    app = open_page("home", source="cifar10")
    app = app.sidebar.pills(key="photo-picker").set_value("upload").run()
    assert "Until then" in preview(app)
    app = (
        app.sidebar.file_uploader(key="photo-upload")
        .set_value(("mine.png", png(photograph()), "image/png"))
        .run()
    )
    assert not app.exception
    photo = app.session_state["state"].photo
    assert photo_store.is_kept(photo)
    assert "Your own picture." in preview(app)
    assert app.query_params["photo"] == photo
    app = app.sidebar.pills(key="photo-picker").set_value("sample").run()
    assert app.session_state["state"].photo == ""
    app = app.sidebar.pills(key="photo-picker").set_value("upload").run()
    assert app.session_state["state"].photo == photo


def test_a_file_that_is_no_picture_says_so(shipped, open_page: Open) -> None:
    app = open_page("home", source="cifar10")
    app = app.sidebar.pills(key="photo-picker").set_value("upload").run()
    app = (
        app.sidebar.file_uploader(key="photo-upload")
        .set_value(("mine.png", b"no picture", "image/png"))
        .run()
    )
    assert not app.exception
    assert ["not a PNG, JPEG or WebP" in one.value for one in app.sidebar.error] == [True]
    assert app.session_state["state"].photo == ""


def test_a_link_to_a_photograph_that_is_gone_says_so(shipped, open_page: Open) -> None:
    app = open_page("home", source="cifar10", photo="0123456789abcdef", sample=2)
    assert not app.exception
    assert "A bird" in preview(app)
    said = html_of(app)
    assert "not on the server" in said and "upload it again" in said
    # where that is done is open
    assert app.sidebar.pills(key="photo-picker").value == "upload"


@pytest.mark.parametrize("sample", [10, 9_999])
def test_a_link_beyond_the_gallery_shows_its_last_picture(
    shipped, open_page: Open, sample: int
) -> None:
    app = open_page("home", source="cifar10", sample=sample)
    assert not app.exception
    assert "A truck" in preview(app)
