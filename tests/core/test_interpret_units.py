"""Single units over many pictures, against traces of one picture at a time."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from vit_core import ViT, ViTConfig, trace
from vit_core.interpret.changed import ChangedViT, with_flaws
from vit_core.interpret.units import (
    Activity,
    Unit,
    UnitError,
    examine,
    interesting_units,
    most_excited,
    survey,
    switch_unit_off,
    unit_keys,
)
from vit_core.mistakes import Flaws

Maker = Callable[..., ViT]
ImageMaker = Callable[..., Tensor]
UNITS = (Unit(0, 3), Unit(1, 0), Unit(1, 2, 0), Unit(0, 1, 2))


@pytest.fixture(params=["cls_config", "mean_config", "backbone", "flawed", "changed"])
def model(request: pytest.FixtureRequest, random_model: Maker) -> ViT:
    """Models that are as unlike as can be."""
    cls_config, mean_config = map(request.getfixturevalue, ("cls_config", "mean_config"))
    if request.param == "backbone":
        return random_model(replace(mean_config, num_classes=0))
    if request.param == "mean_config":
        return random_model(mean_config)
    model = random_model(cls_config)
    if request.param == "flawed":
        return with_flaws(model, Flaws(residual=False))
    if request.param == "changed":
        return ChangedViT(model, {"pos_embed": torch.zeros_like})
    return model


@pytest.fixture
def images(model: ViT, random_images: ImageMaker) -> Tensor:
    return random_images(model.config, batch=7)


def unit_of(trace_of_one: Tensor, unit: Unit) -> Tensor:
    """Return a unit's values for all tokens of one picture, found without ``Unit.values``."""
    if unit.head is None:
        return trace_of_one[0, :, unit.number]
    return trace_of_one[0, unit.head, :, unit.number]


@pytest.mark.parametrize("unit", UNITS)
def test_examined_units_against_traces(model: ViT, images: Tensor, unit: Unit) -> None:
    found = examine(model, images.split(3), unit)
    for index, image in enumerate(images):
        plain = trace(model, image[None])
        torch.testing.assert_close(found.values[index], unit_of(plain[unit.key], unit))
        off = trace(model, image[None], switch_unit_off(model.config, unit))
        assert not unit_of(off[unit.key], unit).any()
        torch.testing.assert_close(found.outputs[index], off.output[0])
        assert not torch.equal(off.output, plain.output)


def test_all_other_units_stay_as_they_are(cls_config: ViTConfig, random_model: Maker) -> None:
    model, image = random_model(cls_config), torch.randn(1, 1, 28, 28).double()
    for unit in UNITS:
        before = trace(model, image)[unit.key]
        after = trace(model, image, switch_unit_off(cls_config, unit))[unit.key].clone()
        unit.values(after).copy_(unit.values(before))
        assert torch.equal(after, before)


def test_the_survey_against_traces(model: ViT, images: Tensor) -> None:
    found, prefix = survey(model, images.split(3)), model.config.num_prefix_tokens
    recorded = trace(model, images)
    torch.testing.assert_close(found.outputs, recorded.output)
    assert {*found.activity} == {*unit_keys(model.config)}
    for key, one in found.activity.items():
        tensor = recorded[key]
        if key.endswith("attn.z"):
            parts = [tensor[:, head] for head in range(model.config.num_heads)]
            tensor = torch.cat(parts, dim=-1)
        values = tensor[:, prefix:].reshape(-1, tensor.shape[-1])
        above = torch.where(values > 0, values, 0.0)
        torch.testing.assert_close(one.largest, values.max(dim=0).values)
        torch.testing.assert_close(one.mean, above.mean(dim=0))
        torch.testing.assert_close(one.mean_square, (above**2).mean(dim=0))


def test_chunks_do_not_matter(model: ViT, images: Tensor) -> None:
    whole, singly = survey(model, [images]), survey(model, images.split(1))
    torch.testing.assert_close(whole.outputs, singly.outputs)
    for key, one in whole.activity.items():
        torch.testing.assert_close(tuple(one), tuple(singly.activity[key]))


def test_sparseness_by_hand() -> None:
    """Four patches: fires on one, on two, on all, on none."""
    values = torch.tensor([[4.0, 3, 2, -1], [-1, 3, 2, -1], [0, 0, 2, 0], [0, -7, 2, -2]]).double()
    above = values.clamp(min=0)
    one = Activity(values.amax(0), above.mean(0), above.square().mean(0))
    assert one.sparseness.tolist() == pytest.approx([0.25, 0.5, 1.0, 1.0])


def test_interesting_units_fire_seldom_and_strongly() -> None:
    largest = torch.tensor([9.0, 8.0, 1.0, 2.0, 7.0])
    mean = torch.tensor([0.5, 0.1, 0.1, 1.0, 7.0])
    square = torch.tensor([1.0, 1.0, 1.0, 2.0, 49.0])
    silent = Activity(*torch.zeros(3, 4))
    found = interesting_units({"a": Activity(largest, mean, square), "b": silent})
    assert found == [("a", 1), ("a", 0), ("a", 4)]


def test_the_most_excited_pictures_against_a_loop() -> None:
    values = torch.randn(20, 9, generator=torch.Generator().manual_seed(2))
    values[3] = values[11]  # of two equal ones the first comes first
    found = most_excited(values, 6)
    expected = sorted(range(20), key=lambda picture: -max(values[picture].tolist()))[:6]
    assert found.pictures.tolist() == expected
    for picture, patch, value in zip(*(one.tolist() for one in found), strict=True):
        assert value == max(values[picture].tolist()) == values[picture].tolist()[patch]
    assert len(most_excited(values, 50).pictures) == 20


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        (Unit(4, 0), "no block 4; they are from 0 to 3"),
        (Unit(0, 64), "no unit 64; they are from 0 to 63"),
        (Unit(0, 4, 0), "no unit 4; they are from 0 to 3"),
        (Unit(0, 0, 4), "no head 4; they are from 0 to 3"),
        (Unit(-1, 0), "no block -1"),
    ],
)
def test_a_unit_that_is_not_there_is_refused(
    cls_config: ViTConfig, random_model: Maker, unit: Unit, words: str
) -> None:
    with pytest.raises(UnitError, match=words):
        switch_unit_off(cls_config, unit)
    with pytest.raises(UnitError, match=words):
        examine(random_model(cls_config), [torch.zeros(1, 1, 28, 28).double()], unit)


def test_progress_counts_and_can_end_the_work(
    cls_config: ViTConfig, random_model: Maker, random_images: ImageMaker
) -> None:
    model, images = random_model(cls_config), random_images(cls_config, batch=5)
    heard: list[tuple[int, int]] = []
    survey(model, images.split(2), lambda *counts: heard.append(counts))
    assert [*dict.fromkeys(heard)] == [(0, 5), (2, 5), (4, 5), (5, 5)]

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        examine(model, images.split(2), Unit(0, 0), stop)
    with pytest.raises(ValueError, match="at least one picture"):
        survey(model, [])
