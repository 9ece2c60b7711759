"""Models of every kind that an attribution has to explain, with random weights, in float64."""

from dataclasses import replace

import torch
from torch import Tensor

from vit_core import TrainConfig, ViT, ViTConfig
from vit_core.interpret.changed import ChangedViT
from vit_core.interpret.heads import switch_heads_off
from vit_core.mistakes import MISTAKES, build_with

SMALL = ViTConfig(image_size=6, patch_size=2, embed_dim=8, depth=2, num_heads=2, num_classes=4)
OBLONG = replace(SMALL, image_size=(4, 9), patch_size=(2, 3), in_channels=3)
KINDS: dict[str, tuple[ViTConfig, tuple[str, ...]]] = {
    "class token": (replace(SMALL, depth=3), ()),
    "mean pooling": (replace(SMALL, pool="mean", pos_embed="sincos"), ()),
    "registers, LayerScale, oblong": (replace(OBLONG, num_registers=2, layer_scale=0.3), ()),
    "registers, no class token": (replace(OBLONG, num_registers=1, pool="mean"), ()),
    "one head, one block": (replace(SMALL, num_heads=1, depth=1, pos_embed="none"), ()),
    "no last LayerNorm, no bias": (replace(SMALL, final_norm=False, qkv_bias=False), ()),
    "no head": (replace(SMALL, num_classes=0), ()),
    "no head, mean pooling": (replace(OBLONG, num_classes=0, pool="mean"), ()),
    "no residual": (SMALL, ("no_residual",)),
    "no LayerNorm, no scaling": (replace(OBLONG), ("no_layer_norm", "no_scaling")),
    "dropout, as in training": (replace(SMALL, dropout=0.5), ()),
    "a head switched off": (SMALL, ()),
}


def explained(kind: str, seed: int = 2) -> ViT:
    """Return the model of this kind; every weight, bias and token is random."""
    config, mistakes = KINDS[kind]
    training = TrainConfig()
    for mistake in mistakes:
        config, training = MISTAKES[mistake].apply(config, training)
    model = build_with(config, training, seed=1)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            draws = torch.randn(parameter.shape, generator=generator)
            parameter += (0.6 if parameter.ndim == 2 else 0.3) * draws
    model = model.double().train(kind == "dropout, as in training")
    if kind == "a head switched off":
        return ChangedViT(model, switch_heads_off(config, [(1, 0)]))
    return model


def pictures(config: ViTConfig, count: int = 3, seed: int = 5) -> Tensor:
    """Return pictures (count, channels, height, width) that fit, float64."""
    generator = torch.Generator().manual_seed(seed)
    shape = (count, config.in_channels, *config.image_hw)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def classes_of(config: ViTConfig, count: int = 3) -> Tensor | None:
    """Return a class to explain for each picture; None where the model has none."""
    return torch.arange(count) % config.num_classes if config.num_classes else None
