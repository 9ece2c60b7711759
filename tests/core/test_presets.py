"""Every preset's size, pinned: a new preset needs a line here."""

import pytest

from vit_core import PRESETS, ViTConfig, build

# fast has 33 positions fewer than default, and 33 pixels more in a patch
PARAMETERS = {
    "seed": 1_986,
    "seed-faithful": 1_994,
    "fast": 204_938,
    "default": 205_066,
    "best": 803_082,
    "photographs": 2_693_578,
    "cifar10": 2_693_578,
}


def test_every_preset_has_its_number_of_parameters_pinned() -> None:
    assert {name: preset.model.num_parameters for name, preset in PRESETS.items()} == PARAMETERS


@pytest.mark.parametrize("name", PRESETS)
def test_the_predicted_parts_are_those_of_the_model(name: str) -> None:
    assert_parts(PRESETS[name].model)


@pytest.mark.parametrize("name", ["cls_config", "mean_config"])
def test_the_predicted_parts_of_other_shapes(name: str, request: pytest.FixtureRequest) -> None:
    assert_parts(request.getfixturevalue(name))


def assert_parts(config: ViTConfig) -> None:
    parts = dict.fromkeys(config.parameters_by_part, 0)
    model = build(config)
    for key, parameter in model.named_parameters():
        parts[key.split(".")[0]] += parameter.numel()
    assert config.parameters_by_part == parts
    assert config.num_parameters == sum(p.numel() for p in model.parameters())


def test_known_models_have_their_published_number_of_parameters() -> None:
    """As counted by torchvision (vit_b_16, vit_l_32) and timm (vit_tiny_patch16_224)."""
    imagenet = dict(image_size=224, in_channels=3, num_classes=1000)
    base = ViTConfig(patch_size=16, embed_dim=768, depth=12, num_heads=12, **imagenet)
    large = ViTConfig(patch_size=32, embed_dim=1024, depth=24, num_heads=16, **imagenet)
    tiny = ViTConfig(patch_size=16, embed_dim=192, depth=12, num_heads=3, **imagenet)
    assert base.num_parameters == 86_567_656
    assert large.num_parameters == 306_535_400
    assert tiny.num_parameters == 5_717_416


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_takes_its_datas_images_and_says_what_it_is_for(name: str) -> None:
    preset = PRESETS[name]
    images = ((32, 32), 3) if name in ("photographs", "cifar10") else ((28, 28), 1)
    assert (preset.model.image_hw, preset.model.in_channels) == images
    assert preset.model.num_classes == 10
    assert len(preset.summary) > 20
    assert preset.summary.endswith(".")


def test_the_shapes_that_the_texts_rely_on() -> None:
    """The reference's shape, 16 patches to train live, 49 to look at, and under a million."""
    seed = PRESETS["seed"].model
    assert (seed.num_patches, seed.embed_dim, seed.num_heads, seed.depth) == (49, 8, 2, 2)
    assert (seed.mlp_ratio, seed.pos_embed, PRESETS["seed"].train.epochs) == (4.0, "sincos", 5)
    faithful = PRESETS["seed-faithful"]
    assert faithful.model == ViTConfig(embed_dim=8, num_heads=2, depth=2, pos_embed="sincos")
    assert faithful.train.softmax_before_loss
    assert faithful.train.schedule == "constant"
    assert PRESETS["fast"].model.num_patches == 16
    assert (PRESETS["default"].model.num_patches, PRESETS["default"].model.pool) == (49, "cls")
    assert PRESETS["best"].model.num_parameters < 1_000_000
