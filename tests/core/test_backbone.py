"""A model without a head: the same pass, which ends at the features."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from vit_core import ViTConfig, build, load_checkpoint, save_checkpoint, trace
from vit_core.data import DataInfo
from vit_core.interpret.heads import head_effects, switch_heads_off
from vit_core.interpret.position import shuffle_experiment

CONFIG = ViTConfig(image_size=8, patch_size=4, embed_dim=16, depth=2, num_heads=2, num_classes=0)
POOLS = pytest.mark.parametrize("pool", ["cls", "mean"])
images = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@POOLS
def test_it_gives_what_a_head_would_read(pool: str) -> None:
    model = build(replace(CONFIG, pool=pool))
    found = trace(model, images)
    assert list(found)[-1] == "pooled"
    assert torch.equal(found.output, found["pooled"])
    assert torch.allclose(model(images), found["pooled"], atol=1e-6)
    assert found.output.shape == (3, 16)
    tokens = found["final_norm"]
    read = tokens[:, 0] if pool == "cls" else tokens.mean(dim=1)
    assert torch.allclose(found.output, read, atol=1e-6)


def test_it_is_the_body_of_a_classifier() -> None:
    whole, body = build(replace(CONFIG, num_classes=7)), build(CONFIG)
    state = {k: v for k, v in whole.state_dict().items() if not k.startswith("head.")}
    assert set(state) == set(body.state_dict())
    body.load_state_dict(state)
    expected = trace(whole, images)
    assert torch.equal(trace(body, images).output, expected["pooled"])
    assert torch.equal(trace(whole, images).output, expected.logits)


def test_its_parameters_are_counted_without_a_head() -> None:
    model = build(CONFIG)
    assert CONFIG.parameters_by_part["head"] == 0
    assert CONFIG.num_parameters == sum(p.numel() for p in model.parameters())


def test_asking_it_for_logits_says_what_there_is() -> None:
    found = trace(build(CONFIG), images)
    for ask in (lambda: found.logits, lambda: found.probabilities):
        with pytest.raises(KeyError, match="no head and gives no logits; it gives 'pooled'"):
            ask()
    assert "3 images" in repr(found)


def test_a_checkpoint_comes_back_without_a_head(tmp_path: Path) -> None:
    model = build(CONFIG, seed=3).eval()
    info = DataInfo("pictures", "", (0.5,), (0.2,), ())
    save_checkpoint(model, tmp_path / "backbone.safetensors", data=info)
    found = load_checkpoint(tmp_path / "backbone.safetensors")
    assert found.config == CONFIG
    assert found.data == info
    assert torch.equal(found.model(images), model(images))


def test_heads_and_places_can_be_switched_off_in_it() -> None:
    model = build(CONFIG, seed=1).eval()
    effects = head_effects(model, images)
    assert effects.shape == (2, 2, 3, 16)
    off = trace(model, images, switch_heads_off(CONFIG, [(1, 0)])).output
    assert torch.allclose(effects[1, 0], off, atol=1e-6)
    found = shuffle_experiment(model, images, torch.tensor([3, 2, 1, 0]))
    assert found.in_order.shape == (3, 16)
    assert torch.allclose(found.in_order_without, found.shuffled_without, atol=1e-5)
    assert not torch.allclose(found.in_order, found.shuffled, atol=1e-3)
