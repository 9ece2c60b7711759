"""Every derivation ends in the trace's own number, for every tensor, in every kind of model."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from explainer.observation import arithmetic, derivation
from vit_core import ViTConfig, build, trace

BASE = ViTConfig(image_size=12, patch_size=4, embed_dim=16, depth=2, num_heads=4)
CONFIGS = {
    "class token": BASE,
    "mean pooling": replace(BASE, pool="mean", pos_embed="sincos2d"),
    "registers and LayerScale": replace(BASE, num_registers=2, layer_scale=0.3),
    "mean pooling with registers": replace(BASE, num_registers=1, pool="mean"),
    "bare": replace(BASE, pos_embed="none", final_norm=False, qkv_bias=False),
    "one number a head": replace(BASE, num_heads=16, pos_embed="sincos"),
}
TOLERANCE = 1e-6  # of the sum of the terms' sizes, at least of 1
INPUTS = {"patches", "tokens", "pos_embed"}


def run(config: ViTConfig, seed: int, dtype: torch.dtype) -> tuple[dict, dict]:
    """Return tensors and weights of one image; every parameter is drawn, so that each matters."""
    generator = torch.Generator().manual_seed(seed)
    model = build(config, seed).to(dtype).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator).to(dtype)
    recorded = trace(model, torch.randn(1, 1, 12, 12, generator=generator).to(dtype))
    weights = {name: value.detach().numpy() for name, value in model.named_parameters()}
    return {key: recorded[key][0].numpy() for key in recorded}, weights


def derivable(config: ViTConfig, tensors: dict) -> list[str]:
    """Return the trace keys that are computed from others, less what is the same as one of them."""
    return [key for key in tensors if key not in INPUTS and not key.endswith("resid_pre")]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", CONFIGS)
def test_every_tensor_is_derived_to_its_own_number(name: str, dtype: torch.dtype):
    config = CONFIGS[name]
    tensors, weights = run(config, 7, dtype)
    places = np.random.default_rng(3)
    for key in derivable(config, tensors):
        for _ in range(4):
            place = tuple(int(places.integers(size)) for size in tensors[key].shape)
            if key == "embed" and is_register(config, place[0]):
                with pytest.raises(ValueError, match="register"):
                    arithmetic.derive(tensors, weights, config, key, place)
                continue
            found = arithmetic.derive(tensors, weights, config, key, place)
            assert found.shown == tensors[key][place]
            assert abs(found.result - found.shown) <= TOLERANCE * found.scale, (key, place)


def is_register(config: ViTConfig, token: int) -> bool:
    return config.num_prefix_tokens - config.num_registers <= token < config.num_prefix_tokens


@pytest.mark.parametrize("name", ["class token", "mean pooling"])
def test_probabilities_are_the_softmax_of_the_logits(name: str):
    tensors, weights = run(CONFIGS[name], 1, torch.float32)
    expected = torch.tensor(tensors["logits"]).softmax(dim=0).numpy()
    for klass in range(CONFIGS[name].num_classes):
        found = arithmetic.derive(tensors, weights, CONFIGS[name], "probabilities", (klass,))
        assert found.result == pytest.approx(expected[klass], abs=1e-6)
        assert found.chosen == klass


def test_what_is_shown_adds_up_to_the_result():
    """The parts that the page shows lead to the result, each in its own way."""
    tensors, weights = run(BASE, 5, torch.float32)

    def derived(key: str, *place: int) -> derivation.Derivation:
        return arithmetic.derive(tensors, weights, BASE, key, place)

    score = derived("blocks.1.attn.scores", 2, 3, 4)
    left, right = (factor.values for factor in score.factors)
    assert np.array_equal(score.terms, left * right)
    assert score.result == pytest.approx(score.terms.sum() / 2)  # √4
    assert score.numbers["root"] == 4
    out = derived("blocks.0.mlp_out", 1, 2)
    assert out.result == pytest.approx(out.numbers["sum"] + out.numbers["bias"])
    share = derived("blocks.0.attn.pattern", 0, 1, 2)
    assert share.result == pytest.approx(share.terms[2] / share.terms.sum())
    norm = derived("blocks.0.norm1", 1, 2).numbers
    row = tensors["blocks.0.resid_pre"][1].astype(np.float64)
    assert norm["mean"] == pytest.approx(row.mean())
    assert norm["variance"] == pytest.approx(((row - row.mean()) ** 2).mean())
    added = derived("blocks.0.resid_mid", 1, 2)
    assert [factor.name for factor in added.factors] == ["stream", "attn_out"]


def test_the_factors_carry_their_meaning():
    tensors, weights = run(BASE, 5, torch.float32)
    score = arithmetic.derive(tensors, weights, BASE, "blocks.0.attn.scores", (0, 0, 0))
    assert [factor.colour for factor in score.factors] == ["query", "key"]
    mix = arithmetic.derive(tensors, weights, BASE, "blocks.0.attn.z", (0, 0, 0))
    assert [factor.colour for factor in mix.factors] == [None, "value"]


@pytest.mark.parametrize("key", ["patches", "tokens", "pos_embed", "blocks.0.nothing", "nonsense"])
def test_what_is_not_computed_is_refused(key: str):
    tensors, weights = run(BASE, 5, torch.float32)
    with pytest.raises(ValueError, match="not computed"):
        arithmetic.derive(tensors, weights, BASE, key, (0, 0))


def test_the_rounding_of_a_layer_norm_is_that_of_what_it_subtracts() -> None:
    """Of two nearly equal numbers little is left, and all of their rounding."""
    row = np.array([-2.27792811, -2.33564949], dtype=np.float32)
    normed = torch.nn.functional.layer_norm(torch.from_numpy(row), (2,), eps=1e-6)
    shown = float(1.4681205 * normed[1] + 0.25255188)
    found = derivation.layer_norm(row.astype(np.float64), 1, 1.4681205, 0.25255188, 1e-6, shown)
    before = (abs(row[1]) + abs(row.mean())) / math.sqrt(row.astype(float).var() + 1e-6)
    assert found.scale == pytest.approx(before * 1.4681205 + 0.25255188, rel=1e-6)
    assert abs(found.result - shown) <= TOLERANCE * found.scale
    far = derivation.layer_norm(np.array([-1.0, 1.0]), 1, 0.5, 0.0, 1e-6, 0.5)
    assert far.scale == 1.0
