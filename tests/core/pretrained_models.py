"""Folders and state dicts of small models, as others' libraries write them."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from vit_core import ViTConfig, build

RECORDED = Path(__file__).parent / "recorded"


def timm_shape(**values: Any) -> ViTConfig:
    """Return a small shape whose width tells its heads."""
    plain = {"image_size": 32, "in_channels": 3, "patch_size": 8, "embed_dim": 192, "depth": 1}
    return ViTConfig(**plain | {"num_heads": 3, "num_classes": 4} | values)


def timm_tensors(config: ViTConfig) -> dict[str, Tensor]:
    """Return random weights as timm has them: this project's names are timm's."""
    tensors = build(config, seed=0).state_dict()
    generator = torch.Generator().manual_seed(0)
    tensors = {
        name: torch.randn(value.shape, generator=generator) * 0.1 for name, value in tensors.items()
    }
    shape = (config.embed_dim, config.in_channels, *config.patch_hw)
    kernel = tensors["patch_embed.proj.weight"].reshape(shape).contiguous()
    return tensors | {"patch_embed.proj.weight": kernel}


def timm_config(config: ViTConfig, **values: Any) -> dict[str, Any]:
    """Return what timm's ``save_for_hf`` writes beside the weights."""
    height, width = config.image_hw
    half = [0.5] * config.in_channels
    cfg = {
        "tag": "mine",
        "custom_load": False,
        "input_size": [config.in_channels, height, width],
        "fixed_input_size": True,
        "interpolation": "bicubic",
        "crop_pct": 0.9,
        "crop_mode": "center",
        "mean": half,
        "std": half,
        "num_classes": 1000,
        "first_conv": "patch_embed.proj",
        "classifier": "head",
    }
    return {
        "architecture": "vit_tiny_patch16_224",
        "num_classes": config.num_classes,
        "num_features": config.embed_dim,
        "global_pool": "token",
        "pretrained_cfg": cfg,
    } | values


def write(folder: Path, config: object, tensors: dict[str, Tensor] | None) -> Path:
    """Write a model's folder, without weights where there are none."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    if tensors is not None:
        plain = {name: value.contiguous() for name, value in tensors.items()}
        save_file(plain, folder / "model.safetensors")
    return folder


def recorded(name: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return a recorded model of Hugging Face: its tensors and its configuration."""
    folder = RECORDED / name
    config = json.loads((folder / "config.json").read_text())
    return load_file(folder / "model.safetensors"), config
