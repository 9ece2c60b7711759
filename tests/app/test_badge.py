"""The badge says what was measured: equal, different, or nothing to compare with."""

import math

import pytest

from explainer.inputs.models import load
from explainer.observation import observe
from explainer.shell.badge import badge, compare
from explainer.state.choice import SOURCES, Choice
from explainer.state.link import State
from vit_core import ViTConfig
from vit_core.reference import Difference


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("what", ["attention", "block"])
def test_every_block_of_every_source_equals_pytorch(source: str, what: str) -> None:
    found = load.load_source(source, State().shaped)
    config = found.model.config
    choice = Choice(source, config, 0, 7, 0, gallery=found.gallery)
    seen = observe.observe(choice)
    for block in range(config.depth):
        found = compare(what, choice, seen, block)
        assert isinstance(found, Difference) and found.equal
        assert "Equals PyTorch" in badge(found) and found.module in badge(found)


@pytest.mark.parametrize("largest", [0.3, math.nan])
def test_a_difference_is_never_hidden(largest: float) -> None:
    shown = badge(Difference("nn.MultiheadAttention", largest, 2.0))
    assert "Differs from PyTorch" in shown and "Equals" not in shown
    assert f"largest difference {largest:.1e}" in shown


def test_what_counts_as_equal_is_said() -> None:
    shown = badge(Difference("nn.MultiheadAttention", 2.4e-07, 2.0))
    assert "largest difference 2.4e-07" in shown
    assert "up to 1e-05 of the largest number, here 2.0e-05" in shown


@pytest.mark.parametrize("what", ["attention", "block"])
def test_what_was_done_with_layer_scale_is_said(what: str) -> None:
    choice = Choice("untrained", ViTConfig(patch_size=14, layer_scale=0.1), 0, 7, 0)
    found = compare(what, choice, observe.observe(choice), 0)
    assert found.equal and found.has_layer_scale
    assert "Equals PyTorch" in badge(found) and "has no LayerScale" in badge(found)
    plain = Choice("untrained", ViTConfig(patch_size=14), 0, 7, 0)
    assert "LayerScale" not in badge(compare(what, plain, observe.observe(plain), 0))
