"""What models and pictures are called on paper, and whose the pictures are."""

from dataclasses import replace

import pytest
import torch

from explainer.content import load_texts
from explainer.inputs.models.load import load_source
from explainer.inputs.pictures import galleries
from explainer.inputs.pictures.galleries import CIFAR, DIGITS, PHOTOGRAPHS, samples
from explainer.observation.naming import licence_line, model_line, picture_line
from explainer.state.choice import UNTRAINED, Choice, by_others, saved
from explainer.state.edits import Edits
from vit_core import ViTConfig, build, save_checkpoint
from vit_core.data.sample_pictures import SamplePictures

DIGIT = Choice("default", ViTConfig(), seed=3, digit=7, index=12)
COLOUR = replace(DIGIT, source="cifar10", gallery=CIFAR, sample=3)


def test_models_are_named_with_their_epoch_or_seed(shipped, make_run) -> None:
    assert model_line(DIGIT) == "Default, trained"
    assert "seed 3" in model_line(replace(DIGIT, source=UNTRAINED))
    run = make_run(title="<b>*mine*</b>")
    assert model_line(replace(DIGIT, source=saved(run.id, 2))) == "<b>*mine*</b>, epoch 2"
    name = "hf/facebook/dinov2-small"
    assert model_line(replace(DIGIT, source=by_others(name))) == "DINOv2, small"
    assert model_line(replace(DIGIT, source=by_others("local/gone"))) == "local/gone"


def test_pictures_are_named(shipped) -> None:
    line = picture_line(DIGIT)
    assert "digit 7" in line and "number 12" in line
    assert picture_line(replace(DIGIT, picture="abc")) == load_texts("naming")["drawing"]
    assert picture_line(COLOUR) == "A cat"
    assert picture_line(replace(COLOUR, photo="0" * 16)) == load_texts("naming")["photograph"]
    changed = picture_line(replace(COLOUR, edits=Edits(turn=5)))
    assert changed.startswith("A cat") and changed != "A cat"
    assert picture_line(replace(COLOUR, edits=Edits(no_position=True))) == "A cat"


def test_every_shipped_picture_has_its_terms(shipped) -> None:
    assert "MNIST" in licence_line(DIGIT)
    assert "visitor" in licence_line(replace(DIGIT, picture="abc"))
    assert "CIFAR-10" in licence_line(COLOUR)
    assert "visitor" in licence_line(replace(COLOUR, photo="0" * 16))
    for place, sample in enumerate(samples(PHOTOGRAPHS)):
        line = licence_line(replace(COLOUR, gallery=PHOTOGRAPHS, sample=place))
        assert line == load_texts("naming")["licences"][sample.name]


@pytest.mark.parametrize(
    ("brings", "data", "terms"),
    [
        (False, "mine", CIFAR),
        (True, "mine", "of_model"),
        (True, "own symbols", "own symbols"),
        (True, "own pictures", "own pictures"),
        (True, "fashion-mnist", "fashion-mnist"),
    ],
)
def test_a_models_own_gallery(
    brings: bool, data: str, terms: str, shipped, tmp_path, monkeypatch
) -> None:
    """Its own pictures have the terms of its data; shipped ones of its classes keep theirs."""
    from explainer.inputs.models import load
    from vit_core.data import DataInfo

    config = ViTConfig(image_size=32, patch_size=8, in_channels=3, num_classes=2, embed_dim=8)
    info = DataInfo(data, "", (0.5,) * 3, (0.2,) * 3, ("cat", "[x](http://e)"))
    pictures = SamplePictures(torch.zeros(1, 3, 32, 32, dtype=torch.uint8), (1,))
    save_checkpoint(
        build(config),
        tmp_path / "default.safetensors",
        data=info,
        pictures=pictures if brings else None,
    )
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    gallery = load_source("default").gallery
    choice = replace(DIGIT, config=config, gallery=gallery, digit=0, index=0)
    assert gallery not in (CIFAR, DIGITS)
    assert licence_line(choice) == load_texts("naming")["licences"][terms]
    assert picture_line(choice).endswith("[x](http://e)" if brings else "cat")


def test_every_shipped_photograph_is_one_that_has_terms() -> None:
    assert {sample.name for sample in galleries.shipped(PHOTOGRAPHS)} <= set(
        load_texts("naming")["licences"]
    )
