"""Equality with PyTorch's, torchvision's and timm's modules at copied weights, in float64."""

import pytest
import torch
from peer_models import timm_twin, torchvision_twin
from torch import Tensor, nn

from vit_core import ViTConfig


def assert_equal(found: Tensor, expected: Tensor) -> None:
    assert expected.abs().max() > 0.01
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-11)


# PyTorch


@pytest.mark.parametrize("fast_path", [False, True])
def test_a_block_is_pytorchs_encoder_layer(fast_path: bool, random_model) -> None:
    config = ViTConfig(embed_dim=24, num_heads=3, depth=1, mlp_ratio=2.0, norm_eps=1e-5)
    block = random_model(config).blocks[0]
    layer = nn.TransformerEncoderLayer(
        d_model=24,
        nhead=3,
        dim_feedforward=48,
        dropout=0.0,
        activation="gelu",
        layer_norm_eps=1e-5,
        batch_first=True,
        norm_first=True,
        dtype=torch.float64,
    )
    names = {
        "norm1": "norm1",
        "norm2": "norm2",
        "linear1": "mlp.fc1",
        "linear2": "mlp.fc2",
        "self_attn.in_proj_": "attn.qkv.",
        "self_attn.out_proj": "attn.proj",
    }
    ours = block.state_dict()
    theirs = {}
    for key in layer.state_dict():
        prefix = next(name for name in names if key.startswith(name))
        theirs[key] = ours[key.replace(prefix, names[prefix])]
    layer.load_state_dict(theirs)
    tokens = torch.randn(2, 9, 24, dtype=torch.float64)
    layer.train(not fast_path)
    with torch.set_grad_enabled(not fast_path):
        assert_equal(block(tokens), layer(tokens))


def test_attention_is_pytorchs_multi_head_attention(random_model) -> None:
    """Also the pattern itself, head by head."""
    attention = random_model(ViTConfig(embed_dim=24, num_heads=3, depth=1)).blocks[0].attn
    theirs = nn.MultiheadAttention(24, 3, batch_first=True, dtype=torch.float64)
    theirs.load_state_dict(
        {
            "in_proj_weight": attention.qkv.weight,
            "in_proj_bias": attention.qkv.bias,
            "out_proj.weight": attention.proj.weight,
            "out_proj.bias": attention.proj.bias,
        }
    )
    tokens = torch.randn(2, 9, 24, dtype=torch.float64)
    seen: dict[str, Tensor] = {}
    mixed = attention(tokens, lambda name, tensor: seen.setdefault(name, tensor))
    expected, pattern = theirs(tokens, tokens, tokens, average_attn_weights=False)
    assert_equal(mixed, expected)
    assert_equal(attention(tokens), expected)
    assert_equal(seen["pattern"], pattern)


# torchvision and timm


def test_the_model_is_torchvisions(random_model, random_images) -> None:
    config = ViTConfig(
        image_size=32,
        in_channels=3,
        num_classes=7,
        patch_size=8,
        embed_dim=24,
        depth=3,
        num_heads=3,
        mlp_ratio=2.0,
    )
    model = random_model(config)
    images = random_images(config)
    assert_equal(model(images), torchvision_twin(model)(images))


SHAPE = dict(image_size=(16, 24), in_channels=3, patch_size=(8, 6), embed_dim=24, num_heads=3)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"qkv_bias": False, "mlp_ratio": 2.5, "num_classes": 4},
        {"final_norm": False},
        {"layer_scale": 0.1},
        {"num_registers": 3},
        {"pool": "mean"},
        {"pool": "mean", "num_registers": 2, "layer_scale": 1e-5, "qkv_bias": False},
        {"pos_embed": "sincos"},
        {"pos_embed": "sincos2d", "pool": "mean"},
    ],
    ids=str,
)
def test_the_model_is_timms(values: dict, random_model, random_images) -> None:
    model = random_model(ViTConfig(depth=2, **SHAPE, **values))
    images = random_images(model.config)
    theirs = timm_twin(model)
    assert_equal(model(images), theirs(images))
    assert_equal(model.forward_features(images), theirs.forward_features(images))


def test_the_model_is_timms_where_the_class_token_has_no_position(
    random_model, random_images
) -> None:
    """DINOv2's layout with registers: only patches have a position."""
    config = ViTConfig(depth=2, num_registers=4, layer_scale=1.0, **SHAPE)
    model, images = random_model(config), random_images(config)
    with torch.no_grad():
        model.pos_embed[:, 0] = 0
    assert_equal(model(images), timm_twin(model, no_embed_class=True)(images))
