"""Many pictures of a model's data: which they are, and that each can be taken to every page."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from unlike import UNLIKE, put

from explainer.inputs.models import load
from explainer.inputs.models.load import load_source
from explainer.inputs.pictures import chosen, test_pictures
from explainer.inputs.pictures.galleries import PHOTOGRAPHS, of_models, samples
from explainer.state.choice import DIGITS, DRAWN, Choice
from vit_core import ViTConfig
from vit_core.data import Split, mnist_test
from vit_core.data.kept import IMAGES, OWN_PICTURES, OWN_SYMBOLS, kept_data, save_images
from vit_core.data.sample_pictures import SamplePictures

pytestmark = pytest.mark.usefixtures("empty_caches")


@pytest.fixture
def unlike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Choice]:
    """Return the choice of one of the unlike models, which then is the shipped one."""
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)

    def make(name: str) -> Choice:
        put(tmp_path, UNLIKE[name])
        source = load_source("default")
        return Choice("default", source.model.config, 0, 0, 0, gallery=source.gallery)

    return make


def test_digits_are_spread_over_the_test_set_and_each_is_found_again() -> None:
    choice = Choice("default", ViTConfig(), 0, 0, 0, picture="drawn")
    found = test_pictures.test_pictures(choice, 50)
    assert (len(found), found.kind, found.total) == (50, DIGITS, 10_000)
    assert found.places.tolist() == list(range(0, 10_000, 200))
    test = mnist_test()
    np.testing.assert_array_equal(found.images, test.images[::200].numpy())
    np.testing.assert_array_equal(found.labels, test.labels[::200].numpy())
    assert found.are_labelled and found.words == "50 of MNIST's 10,000 test digits"
    for index in (0, 7, 49):
        there = replace(choice, **found.values(index))
        np.testing.assert_array_equal(chosen.picture(there), found.images[index, 0])
        assert chosen.label(there, found.class_names) == found.labels[index]
    with pytest.raises(ValueError, match="read-only"):
        found.images[0] = 0
    assert test_pictures.test_pictures(choice, 10_001).words == "all 10,000 test digits of MNIST"


def test_a_gallery_is_taken_where_there_is_no_more(unlike: Callable[[str], Choice]) -> None:
    choice = unlike("CIFAR-10")
    found = test_pictures.test_pictures(choice, 2_000)
    assert (len(found), found.kind, found.are_labelled) == (10, "shown", True)
    assert found.labels.tolist() == list(range(10)) and "the 10 pictures" in found.words
    for index in range(10):
        there = replace(choice, photo="own", **{"sample": 3})
        there = replace(there, **found.values(index))
        pixels = chosen.picture(there).transpose(2, 0, 1)
        np.testing.assert_array_equal(pixels, found.images[index])


def test_classes_that_nobody_knows_are_said_to_be_unknown(
    unlike: Callable[[str], Choice],
) -> None:
    choice = unlike("two classes")
    assert choice.gallery == PHOTOGRAPHS
    found = test_pictures.test_pictures(choice, 2_000)
    assert len(found) == len(samples(PHOTOGRAPHS)) and not found.are_labelled
    assert set(found.labels.tolist()) == {test_pictures.UNKNOWN}


@pytest.mark.parametrize("name", [OWN_PICTURES, OWN_SYMBOLS])
def test_a_runs_own_validation_pictures_are_reached_with_and_without_a_gallery(
    name: str,
    unlike: Callable[[str], Choice],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    is_drawn = name == OWN_SYMBOLS
    choice = unlike("LayerScale" if is_drawn else "two classes")
    channels, side = (1, 28) if is_drawn else (3, 32)
    generator = torch.Generator().manual_seed(0)
    levels = torch.randint(0, 16, (7, channels, side, side), generator=generator)
    split = Split((17 * levels).to(torch.uint8), torch.tensor([0, 1, 0, 1, 0, 1, 1]))
    save_images(tmp_path, kept_data(name, ("a", "<b>"), split, split, split.first(2)))
    gallery = of_models.register(
        SamplePictures(split.images[:2].contiguous(), (0, 1)), ("a", "<b>"), is_drawn
    )
    assert gallery.startswith(DRAWN) is is_drawn
    choice = replace(choice, gallery=gallery)
    monkeypatch.setattr(test_pictures, "kept_folder", lambda choice: tmp_path)
    found = test_pictures.test_pictures(choice, 2_000)
    assert (len(found), found.total, found.class_names) == (7, 7, ("a", "<b>"))
    assert found.samples.tolist() == [0, 1] + 5 * [test_pictures.IN_NO_GALLERY]
    assert found.words.startswith("all 7 pictures on which the run")
    for index in range(7):
        values = found.values(index)
        assert ("sample" in values) is (index < 2)
        pixels = chosen.picture(replace(choice, **values))
        planes = pixels[None] if is_drawn and pixels.ndim == 2 else pixels.transpose(2, 0, 1)
        np.testing.assert_array_equal(planes[:channels], found.images[index])
    few = test_pictures.test_pictures(choice, 3)
    assert few.places.tolist() == [0, 2, 4] and few.words.startswith("3 of the 7 pictures")
    (tmp_path / IMAGES).write_bytes(b"damaged")
    assert test_pictures.test_pictures(choice, 2_000).kind == "shown"


def test_pictures_of_a_run_that_do_not_fit_are_left(
    unlike: Callable[[str], Choice], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = unlike("CIFAR-10")
    split = Split(torch.zeros(4, 3, 16, 16, dtype=torch.uint8), torch.tensor([0, 1, 0, 1]))
    save_images(tmp_path, kept_data(OWN_PICTURES, ("a", "b"), split, split, split))
    monkeypatch.setattr(test_pictures, "kept_folder", lambda choice: tmp_path)
    assert test_pictures.test_pictures(choice, 2_000).kind == "shown"
