"""What "equals PyTorch" says, and that a mistake would not pass for equal."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from vit_core import ViT, ViTConfig, build, trace
from vit_core.model import SelfAttention
from vit_core.reference import Difference, attention_difference, block_difference

CONFIGS = [
    ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=4),
    ViTConfig(patch_size=14, embed_dim=9, depth=1, num_heads=3, qkv_bias=False, pool="mean"),
    ViTConfig(patch_size=7, embed_dim=8, depth=2, num_heads=1, mlp_ratio=2.5, norm_eps=1e-5),
    ViTConfig(patch_size=7, embed_dim=12, depth=1, num_heads=2, num_registers=2, dropout=0.3),
    ViTConfig(patch_size=14, embed_dim=8, depth=2, num_heads=2, layer_scale=0.1, qkv_bias=False),
]


def compare(model: ViT, images: Tensor, block: int) -> tuple[Difference, Difference]:
    recorded = trace(model, images)
    name = f"blocks.{block}"
    return (
        attention_difference(model, block, recorded[f"{name}.norm1"], recorded[f"{name}.attn_out"]),
        block_difference(
            model, block, recorded[f"{name}.resid_pre"], recorded[f"{name}.resid_post"]
        ),
    )


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_every_block_equals_pytorch_in_float64(config, random_model, random_images) -> None:
    model, images = random_model(config), random_images(config)
    for block in range(config.depth):
        for found in compare(model, images, block):
            assert found.equal
            assert found.largest < 1e-11 < 0.01 < found.scale


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_rounding_alone_still_counts_as_equal(config, random_model, random_images) -> None:
    model, images = random_model(config).float(), random_images(config).float()
    for found in compare(model, images, config.depth - 1):
        assert found.equal
        assert found.largest < 1e-4


def test_each_says_which_module_it_was(random_images) -> None:
    config = ViTConfig(patch_size=14, depth=1)
    attention, block = compare(build(config).eval(), random_images(config).float(), 0)
    assert attention.module == "nn.MultiheadAttention"
    assert block.module == "nn.TransformerEncoderLayer"


def wrong(scale: Callable[[int], float], dim: int) -> Callable[..., Tensor]:
    def spelled_out(q: Tensor, k: Tensor, v: Tensor, tap: Callable) -> Tensor:
        scores = q @ k.transpose(-2, -1) / scale(q.shape[-1])
        return tap("z", scores.softmax(dim=dim) @ v)

    return spelled_out


@pytest.mark.parametrize(
    "mistake",
    [
        wrong(lambda head_dim: math.sqrt(4 * head_dim), -1),  # the whole width instead of a head's
        wrong(lambda head_dim: 1.0, -1),  # no division
        wrong(math.sqrt, -2),  # softmax over the queries
    ],
    ids=["full width", "no scaling", "wrong axis"],
)
def test_a_classic_mistake_is_reported(mistake, random_model, random_images, monkeypatch) -> None:
    config = CONFIGS[0]
    model, images = random_model(config), random_images(config)
    monkeypatch.setattr(SelfAttention, "spelled_out", staticmethod(mistake))
    for found in compare(model, images, 0):
        assert not found.equal
        assert found.largest > 1e-3


def test_not_a_number_is_never_equal() -> None:
    assert not Difference("m", math.nan, 1.0).equal
    assert not Difference("m", math.nan, math.nan).equal
    assert Difference("m", 0.0, 0.0).equal


def test_layer_scale_is_compared_as_well(random_model, random_images) -> None:
    config = ViTConfig(patch_size=14, embed_dim=8, depth=1, num_heads=2, layer_scale=0.1)
    model, images = random_model(config), random_images(config)
    assert all(found.equal and found.has_layer_scale for found in compare(model, images, 0))
    recorded = trace(model, images)
    without = recorded["blocks.0.attn_out"] / model.blocks[0].ls1.gamma
    assert not attention_difference(model, 0, recorded["blocks.0.norm1"], without).equal
    plain = random_model(CONFIGS[0])
    assert not any(one.has_layer_scale for one in compare(plain, random_images(CONFIGS[0]), 0))


def test_what_cannot_be_compared_is_refused() -> None:
    tokens = torch.zeros(1, 5, 64)
    with pytest.raises(ValueError, match="block must be from 0 to 3, not 4"):
        attention_difference(build(ViTConfig(patch_size=14)), 4, tokens, tokens)
    with pytest.raises(ValueError, match="cannot be compared"):
        block_difference(build(ViTConfig(patch_size=14)), 0, tokens, tokens[:, 1:])


def test_the_model_and_the_random_state_stay_as_they_were(random_model, random_images) -> None:
    config = CONFIGS[0]
    model, images = random_model(config), random_images(config)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    compare(model, images, 1)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.requires_grad for parameter in model.parameters())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
