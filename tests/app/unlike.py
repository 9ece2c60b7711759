"""Models that are as unlike one another as the pages can show, put where the app finds them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from vit_core import TrainConfig, ViTConfig, save_checkpoint
from vit_core.data import DataInfo, mnist_info
from vit_core.mistakes import MISTAKES, build_with

DIGITS = ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2, mlp_ratio=2.0)
COLOUR = replace(DIGITS, image_size=32, in_channels=3, patch_size=8)
CIFAR = DataInfo(
    "cifar10",
    "",
    (0.4914, 0.4822, 0.4465),
    (0.247, 0.2435, 0.2616),
    ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
)
SHAPES: Mapping[str, ViTConfig] = {
    "LayerScale": replace(DIGITS, layer_scale=0.1),
    "LayerScale, registers, no class token": replace(
        COLOUR, layer_scale=1e-5, num_registers=3, pool="mean", num_classes=0, qkv_bias=False
    ),
    "no class token": replace(DIGITS, pool="mean"),
    "no head": replace(COLOUR, num_classes=0),
    "one head": replace(DIGITS, num_heads=1),
    "one block": replace(DIGITS, depth=1),
    "one patch": replace(DIGITS, patch_size=28),
    "two classes": replace(COLOUR, num_classes=2),
    "odd grid": replace(DIGITS, image_size=35),
    "odd grid of 15": replace(COLOUR, image_size=240, patch_size=16, depth=1),
    "patches of four pixels": replace(DIGITS, image_size=8, patch_size=2),
    "patches of one pixel": replace(DIGITS, image_size=8, patch_size=1),
    "registers": replace(DIGITS, num_registers=2, pos_embed="sincos2d"),
    "one number for each head": replace(DIGITS, embed_dim=2, pos_embed="sincos"),
    "CIFAR-10": COLOUR,
    "no final LayerNorm": replace(DIGITS, final_norm=False),
    "no final LayerNorm, no class token": replace(COLOUR, final_norm=False, pool="mean"),
    "no final LayerNorm, no head": replace(
        COLOUR, final_norm=False, pool="mean", num_registers=1, num_classes=0
    ),
}
KINDS = ("no_residual", "no_layer_norm", "no_scaling", "no_position")


@dataclass(frozen=True)
class Unlike:
    """A model's settings.

    Attributes:
        training: with the switches of the mistake that it was made with, if any.
        is_blank: whether all its numbers are 0.
    """

    config: ViTConfig
    training: TrainConfig | None = None
    is_blank: bool = False


UNLIKE: Mapping[str, Unlike] = {name: Unlike(config) for name, config in SHAPES.items()} | {
    **{kind: Unlike(*MISTAKES[kind].apply(DIGITS, TrainConfig())) for kind in KINDS},
    "only zeros": Unlike(DIGITS, is_blank=True),
}


def info_of(config: ViTConfig) -> DataInfo:
    """Return data that the model may have learned from."""
    if (config.in_channels, *config.image_hw) == (1, 28, 28):
        return mnist_info()
    if config.image_hw == (32, 32) and config.num_classes == 10:
        return CIFAR
    names = tuple("abcdefghij"[: config.num_classes])
    mean, std = (CIFAR.mean, CIFAR.std) if config.in_channels == 3 else ((0.45,), (0.22,))
    return DataInfo("photographs", "", mean, std, names)


def put(folder: Path, one: Unlike, spread: float = 0.3, name: str = "default") -> None:
    """Write a model with random weights where a shipped one is."""
    model = build_with(one.config, one.training, seed=2)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():  # so that no bias, gain, scale or token is a telling 0 or 1
        for parameter in model.parameters():
            parameter += spread * torch.randn(parameter.shape, generator=generator)
            if one.is_blank:
                parameter.zero_()
    save_checkpoint(
        model,
        folder / f"{name}.safetensors",
        train_config=one.training,
        data=info_of(one.config),
        metrics={"epoch": 3, "step": 1287, "test_accuracy": 0.5},
    )
