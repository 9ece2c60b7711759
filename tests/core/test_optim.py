"""The optimizers hold every parameter once, and the learning rate follows its schedule."""

import dataclasses

import pytest

from vit_core import PRESETS, TrainConfig, ViTConfig, build
from vit_core.lean.optimizers import Adam, AdamW
from vit_core.training.muon import Muon
from vit_core.training.optimizers import build_optimizers, lr_factor

SHAPE = ViTConfig(
    patch_size=14, embed_dim=8, depth=1, num_heads=2, layer_scale=0.1, num_registers=1
)


@pytest.mark.parametrize("optimizer", ["muon", "adamw", "adam"])
def test_every_parameter_is_held_once(optimizer: str) -> None:
    model = build(SHAPE)
    optimizers = build_optimizers(model, TrainConfig(optimizer=optimizer))
    held = [id(p) for o in optimizers for g in o.param_groups for p in g["params"]]
    assert sorted(held) == sorted(id(p) for p in model.parameters())
    assert len(optimizers) == (2 if optimizer == "muon" else 1)


def test_only_matrices_decay() -> None:
    model = build(SHAPE)
    for optimizer in build_optimizers(model, TrainConfig(weight_decay=0.3)):
        for group in optimizer.param_groups:
            matrices = {parameter.ndim == 2 for parameter in group["params"]}
            assert matrices == {group["weight_decay"] > 0}


def test_muon_gets_the_blocks_matrices_and_nothing_else() -> None:
    model = build(SHAPE)
    muon = build_optimizers(model, TrainConfig(optimizer="muon"))[1]
    assert isinstance(muon, Muon)
    names = {p: name for name, p in model.named_parameters()}
    assert sorted(names[p] for p in muon.param_groups[0]["params"]) == sorted(
        f"blocks.0.{name}.weight" for name in ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
    )


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("linear", [0.5, 1.0, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]),
        ("constant", [0.5, 1.0] + [1.0] * 8),
    ],
)
def test_schedule_by_hand(schedule: str, expected: list[float]) -> None:
    config = TrainConfig(schedule=schedule, warmup=0.2)
    assert [lr_factor(step, 10, config) for step in range(10)] == pytest.approx(expected)


def test_cosine_is_half_way_at_half_time() -> None:
    config = TrainConfig(schedule="cosine", warmup=0.0)
    assert lr_factor(0, 10, config) == 1
    assert lr_factor(5, 10, config) == pytest.approx(0.5)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_builds_the_optimizers_it_names(name: str) -> None:
    preset = PRESETS[name]
    model = build(dataclasses.replace(preset.model, depth=1))
    optimizers = build_optimizers(model, preset.train)
    kinds = {
        "muon": [AdamW, Muon],
        "adamw": [AdamW],
        "adam": [Adam],
    }
    assert [type(optimizer) for optimizer in optimizers] == kinds[preset.train.optimizer]
    held = [p for o in optimizers for g in o.param_groups for p in g["params"]]
    assert sum(p.numel() for p in held) == model.config.num_parameters
