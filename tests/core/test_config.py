"""A configuration that exists is valid; one that cannot be says what is allowed."""

import dataclasses
import json
import math

import pytest

from vit_core import TrainConfig, ViTConfig
from vit_core.model import ViT

LONG = 10**400  # a whole number that no float can hold
ENDLESS = 10**5000  # one that Python refuses to print

INVALID_SHAPES = [
    # each whole number: its type and its range
    ({"embed_dim": 0}, ["embed_dim", "whole number from 1 to", "not 0"]),
    ({"embed_dim": -8}, ["embed_dim", "from 1 to", "not -8"]),
    ({"embed_dim": 64.0}, ["embed_dim", "whole number", "64.0"]),
    ({"embed_dim": "64"}, ["embed_dim", "whole number", "'64'"]),
    ({"embed_dim": None}, ["embed_dim", "whole number", "None"]),
    ({"embed_dim": ENDLESS}, ["embed_dim", "whole number from 1 to", "too long to show"]),
    ({"depth": True}, ["depth", "whole number", "True"]),
    ({"depth": 0}, ["depth", "from 1 to 1000", "not 0"]),
    ({"depth": 1_000_000, "embed_dim": 1, "num_heads": 1}, ["depth", "from 1 to 1000"]),
    ({"depth": math.nan}, ["depth", "whole number", "nan"]),
    ({"num_heads": 0}, ["num_heads", "from 1 to"]),
    ({"num_heads": False}, ["num_heads", "whole number", "False"]),
    ({"in_channels": 0}, ["in_channels", "from 1 to"]),
    ({"in_channels": [1]}, ["in_channels", "whole number", "[1]"]),
    ({"num_classes": -1}, ["num_classes", "from 0 to"]),
    ({"num_registers": -1}, ["num_registers", "from 0 to"]),
    ({"num_registers": True}, ["num_registers", "whole number"]),
    # sizes
    ({"image_size": 0}, ["image_size", "from 1 to 65536"]),
    ({"image_size": -28}, ["image_size", "from 1 to 65536"]),
    ({"image_size": 28.5}, ["image_size", "whole number", "28.5"]),
    ({"image_size": "28"}, ["image_size", "whole number", "'28'"]),
    ({"image_size": (28, True)}, ["image_size", "whole number", "True"]),
    ({"image_size": (28, 28, 28)}, ["image_size", "one number or (height, width)"]),
    ({"image_size": (28,)}, ["image_size", "one number or (height, width)"]),
    ({"image_size": [28, 28]}, ["image_size", "one number or (height, width)", "[28, 28]"]),
    ({"image_size": 70_000}, ["image_size", "from 1 to 65536"]),
    ({"patch_size": 0}, ["patch_size", "from 1 to"]),
    ({"patch_size": None}, ["patch_size", "whole number", "None"]),
    ({"patch_size": 5}, ["height of 28", "patch_size 5", "4 and 7"]),
    ({"patch_size": 30}, ["height of 28", "patch_size 30", "28"]),
    ({"patch_size": (4, 5)}, ["width of 28", "patch_size 5", "4 and 7"]),
    ({"image_size": (28, 30)}, ["width of 30", "patch_size 4", "3 and 5"]),
    # widths and heads
    ({"embed_dim": 65}, ["embed_dim 65", "num_heads 4", "64 and 68"]),
    ({"embed_dim": 3}, ["embed_dim 3", "num_heads 4", "nearest widths that are: 4"]),
    ({"embed_dim": 66, "num_heads": 6, "pos_embed": "sincos2d"}, ["by 4", "64 and 68"]),
    ({"embed_dim": 2, "num_heads": 1, "pos_embed": "sincos2d"}, ["by 4", "nearest: 4"]),
    # choices and switches
    ({"pos_embed": "rotary"}, ["pos_embed", "learned, sincos, sincos2d, none", "'rotary'"]),
    ({"pos_embed": None}, ["pos_embed", "learned, sincos, sincos2d, none", "None"]),
    ({"pos_embed": ["learned"]}, ["pos_embed", "one of"]),
    ({"pool": "max"}, ["pool", "cls, mean", "'max'"]),
    ({"pool": True}, ["pool", "cls, mean"]),
    ({"qkv_bias": 1}, ["qkv_bias", "True or False", "not 1"]),
    ({"final_norm": "yes"}, ["final_norm", "True or False", "'yes'"]),
    # real numbers
    ({"mlp_ratio": 0}, ["mlp_ratio", "above 0"]),
    ({"mlp_ratio": -1.0}, ["mlp_ratio", "above 0"]),
    ({"mlp_ratio": math.nan}, ["mlp_ratio", "finite", "above 0", "nan"]),
    ({"mlp_ratio": math.inf}, ["mlp_ratio", "finite", "at most 1024"]),
    ({"mlp_ratio": 1e308}, ["mlp_ratio", "at most 1024"]),
    ({"mlp_ratio": LONG}, ["mlp_ratio", "at most 1024"]),
    ({"mlp_ratio": "4"}, ["mlp_ratio", "number", "'4'"]),
    ({"mlp_ratio": True}, ["mlp_ratio", "number", "True"]),
    ({"mlp_ratio": 0.01}, ["mlp_ratio 0.01", "no hidden unit", "at least 0.0156"]),
    ({"norm_eps": 0.0}, ["norm_eps", "at least 1e-12"]),
    ({"norm_eps": 1e-60}, ["norm_eps", "at least 1e-12"]),
    ({"norm_eps": 1e30}, ["norm_eps", "at most 1"]),
    ({"layer_scale": 0.0}, ["layer_scale", "above 0"]),
    ({"layer_scale": 1e300}, ["layer_scale", "at most 1024"]),
    ({"layer_scale": False}, ["layer_scale", "number", "False"]),
    ({"dropout": 1.0}, ["dropout", "at least 0 and below 1"]),
    ({"dropout": -0.1}, ["dropout", "at least 0 and below 1"]),
    ({"dropout": math.nan}, ["dropout", "at least 0 and below 1"]),
    # sizes that are absurd only together
    ({"embed_dim": 100_000}, ["GiB", "allowed are 2 GiB", "smaller embed_dim"]),
    ({"image_size": 65_536, "patch_size": 1}, ["allowed are 2 GiB", "larger patch_size"]),
    ({"image_size": 448, "patch_size": 2, "num_heads": 1}, ["allowed are 2 GiB"]),
    ({"num_registers": 1_000_000}, ["allowed are 2 GiB"]),
    ({"num_classes": 1_000_000, "embed_dim": 1024}, ["allowed are 2 GiB"]),
    ({"in_channels": 1_000_000}, ["allowed are 2 GiB"]),
    ({"mlp_ratio": 1024.0, "embed_dim": 1024}, ["allowed are 2 GiB"]),
]

INVALID_TRAINING = [
    ({"epochs": 0}, ["epochs", "from 1 to 10000"]),
    ({"epochs": True}, ["epochs", "whole number"]),
    ({"epochs": 2.0}, ["epochs", "whole number"]),
    ({"repeats": 0}, ["repeats", "from 1 to 10000"]),
    ({"batch_size": 0}, ["batch_size", "from 1 to 65536"]),
    ({"seed": -1}, ["seed", "from 0 to"]),
    ({"seed": 2**31}, ["seed", "from 0 to 2147483647"]),
    ({"optimizer": "sgd"}, ["optimizer", "muon, adamw, adam", "'sgd'"]),
    ({"schedule": "step"}, ["schedule", "linear, cosine, constant"]),
    ({"augment": True}, ["augment", "none, shift, affine"]),
    ({"precision": "fp16"}, ["precision", "fp32, bf16"]),
    ({"flip": 1}, ["flip", "True or False"]),
    ({"patch_drop": 0.95}, ["patch_drop", "at most 0.9"]),
    ({"randaugment": 31}, ["randaugment", "from 0 to 30"]),
    ({"randaugment": 9.0}, ["randaugment", "whole number"]),
    ({"mixup": -0.1}, ["mixup", "at least 0"]),
    ({"cutmix": math.nan}, ["cutmix", "at least 0"]),
    ({"grad_accumulation": 0}, ["grad_accumulation", "from 1 to 65536"]),
    ({"clip_norm": 0.0}, ["clip_norm", "above 0"]),
    ({"ema": 1.0}, ["ema", "above 0 and below 1"]),
    ({"ema": 0}, ["ema", "above 0 and below 1"]),
    ({"compile": "yes"}, ["compile", "True or False"]),
    ({"lr": 0.0}, ["lr", "above 0"]),
    ({"lr": math.inf}, ["lr", "finite"]),
    ({"lr": LONG}, ["lr", "at most 100"]),
    ({"lr": "fast"}, ["lr", "number", "'fast'"]),
    ({"muon_lr": -1}, ["muon_lr", "above 0"]),
    ({"weight_decay": -0.1}, ["weight_decay", "at least 0"]),
    ({"weight_decay": math.nan}, ["weight_decay", "at least 0"]),
    ({"beta2": 1.0}, ["beta2", "below 1"]),
    ({"label_smoothing": 1}, ["label_smoothing", "below 1"]),
    ({"warmup": 1.01}, ["warmup", "at most 1"]),
    ({"clean_fraction": -0.01}, ["clean_fraction", "at least 0"]),
    ({"augment_strength": 5}, ["augment_strength", "at most 4"]),
    ({"softmax_before_loss": 0}, ["softmax_before_loss", "True or False"]),
    ({"residual": 1}, ["residual", "True or False"]),
    ({"layer_norm": "no"}, ["layer_norm", "True or False"]),
    ({"scale_scores": None}, ["scale_scores", "True or False"]),
    ({"shuffled_labels": 1}, ["shuffled_labels", "True or False"]),
    ({"shuffle": None}, ["shuffle", "True or False"]),
]


def one_sentence(message: str) -> bool:
    """Whether a message is a line short enough to be read."""
    return "\n" not in message and 10 < len(message) < 600


@pytest.mark.parametrize(("values", "said"), INVALID_SHAPES)
def test_an_invalid_shape_is_refused_with_what_is_allowed(values: dict, said: list[str]) -> None:
    with pytest.raises(ValueError) as caught:
        ViTConfig(**values)
    message = str(caught.value)
    assert one_sentence(message)
    assert [part for part in said if part not in message] == [], message


@pytest.mark.parametrize(("values", "said"), INVALID_TRAINING)
def test_an_invalid_training_is_refused_with_what_is_allowed(values: dict, said: list[str]) -> None:
    with pytest.raises(ValueError) as caught:
        TrainConfig(**values)
    message = str(caught.value)
    assert one_sentence(message)
    assert [part for part in said if part not in message] == [], message


def test_every_field_has_an_invalid_value_in_the_tables() -> None:
    for config, table in ((ViTConfig, INVALID_SHAPES), (TrainConfig, INVALID_TRAINING)):
        tried = {name for values, _ in table for name in values}
        assert {field.name for field in dataclasses.fields(config)} == tried


@pytest.mark.parametrize(
    "values",
    [
        {"patch_size": 28},
        {"patch_size": 1, "image_size": 1, "embed_dim": 1, "num_heads": 1, "depth": 1},
        {"mlp_ratio": 4},
        {"mlp_ratio": 1 / 64},
        {"layer_scale": 1},
        {"dropout": 0},
        {"num_classes": 1},
        {"embed_dim": 6, "num_heads": 2, "pos_embed": "sincos"},
        {"embed_dim": 7, "num_heads": 7, "pos_embed": "sincos"},
        {"image_size": (28, 14), "patch_size": (7, 2)},
        {"image_size": 224, "patch_size": 16, "in_channels": 3, "depth": 12},
    ],
)
def test_what_is_at_the_edge_of_the_allowed_is_accepted_and_builds(values: dict) -> None:
    model = ViT(ViTConfig(**values))
    assert sum(p.numel() for p in model.parameters()) == model.config.num_parameters
    assert all(p.dtype.is_floating_point for p in model.parameters())


def test_defaults_are_the_documented_ones() -> None:
    assert ViTConfig().to_dict() == {
        "image_size": 28,
        "in_channels": 1,
        "num_classes": 10,
        "patch_size": 4,
        "embed_dim": 64,
        "depth": 4,
        "num_heads": 4,
        "mlp_ratio": 4.0,
        "pos_embed": "learned",
        "pool": "cls",
        "qkv_bias": True,
        "norm_eps": 1e-6,
        "final_norm": True,
        "layer_scale": None,
        "num_registers": 0,
        "dropout": 0.0,
    }


def test_a_configuration_is_frozen_and_hashable(mean_config: ViTConfig) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        mean_config.depth = 3  # type: ignore[misc]
    assert len({mean_config, dataclasses.replace(mean_config), ViTConfig()}) == 2


def test_replacing_a_field_is_checked_too(cls_config: ViTConfig) -> None:
    with pytest.raises(ValueError, match="nearest widths that are: 15 and 20"):
        dataclasses.replace(cls_config, num_heads=5)


def test_derived_sizes(cls_config: ViTConfig, mean_config: ViTConfig) -> None:
    sizes = ["grid_size", "num_patches", "patch_dim", "num_tokens", "head_dim", "mlp_dim"]
    assert [getattr(cls_config, name) for name in sizes] == [(4, 4), 16, 49, 17, 4, 64]
    assert [getattr(mean_config, name) for name in sizes] == [(2, 4), 8, 36, 10, 8, 60]
    assert cls_config.num_prefix_tokens == 1
    assert mean_config.num_prefix_tokens == 2


@pytest.mark.parametrize("name", ["cls_config", "mean_config"])
def test_json_round_trip(name: str, request: pytest.FixtureRequest) -> None:
    config = request.getfixturevalue(name)
    assert ViTConfig.from_json(config.to_json()) == config
    assert ViTConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_json_round_trip_of_training() -> None:
    config = TrainConfig(epochs=3, lr=1e-5, augment="none", softmax_before_loss=True, seed=7)
    assert TrainConfig.from_json(config.to_json()) == config


def test_json_may_leave_fields_at_their_defaults() -> None:
    assert ViTConfig.from_json('{"depth": 2}') == ViTConfig(depth=2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a JSON text of ViTConfig"),
        ("{", "not a JSON text of ViTConfig"),
        ("[" * 100_000, "not a JSON text of ViTConfig"),
        ('{"depth": ' + "1" * 5000 + "}", "not a JSON text of ViTConfig"),
        ("[]", "takes a mapping of names to values, not []"),
        ("null", "takes a mapping of names to values, not None"),
        ('"depth"', "takes a mapping of names to values"),
        ('{"deepth": 2}', "has no 'deepth'; its fields are image_size, in_channels"),
        ('{"a\\nb": 2}', "has no 'a\\nb'; its fields are"),
        ('{"' + "x" * 100_000 + '": 2}', "its fields are"),
        ('{"depth": NaN}', "depth must be a whole number"),
        ('{"depth": [2]}', "depth must be a whole number"),
        ('{"depth": {"a": 1}}', "depth must be a whole number"),
        ('{"image_size": [28, [28]]}', "image_size must be a whole number"),
        ('{"image_size": []}', "image_size must be one number or (height, width)"),
        ('{"mlp_ratio": 1e999}', "mlp_ratio must be a finite number"),
        ('{"mlp_ratio": ' + "1" * 400 + "}", "mlp_ratio must be a finite number"),
    ],
)
def test_json_that_is_no_configuration_is_refused_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        ViTConfig.from_json(text)
    assert said in str(caught.value)
    assert one_sentence(str(caught.value))


def test_names_that_are_no_text_are_refused() -> None:
    with pytest.raises(ValueError, match="has no 1, None"):
        ViTConfig.from_dict({1: 2, None: 3})  # type: ignore[dict-item]
