"""Vision Transformers of timm (PyTorch Image Models), whose names of tensors are this project's."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from vit_core.config import ViTConfig
from vit_core.model import ViT
from vit_core.pretrained.errors import PretrainedError
from vit_core.pretrained.imagenet import imagenet_names
from vit_core.pretrained.preprocessing import HALF, IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from vit_core.pretrained.weights import (
    as_linear,
    build_from,
    depth_of,
    heads_of,
    learned_grid,
    renamed,
    resampled,
    shape,
)

OTHER_PARTS = {  # part of a tensor's name → what the model does that this project's does not
    "head_dist": "answers with the mean of two heads",
    "fc_norm": "normalises after taking the mean of the patches",
    "norm_pre": "normalises before the first block",
    "q_norm": "normalises queries and keys",
    "attn_pool": "reads its patches by one more attention",
    "w12": "has a gated MLP (SwiGLU)",
    "fc1_g": "has a gated MLP",
    "relative_position": "adds relative positions in its attention",
}
RULES = (
    (r"dist_token", "reg_token"),
    (r"register_tokens", "reg_token"),
)
LEFT_OUT = r"mask_token|pre_logits\..*"


def from_timm(
    source: nn.Module | Mapping[str, Tensor],
    image_size: int | None = None,
    num_heads: int | None = None,
    config: Mapping[str, Any] | None = None,
) -> tuple[ViT, Preprocessing]:
    """Read a Vision Transformer of timm into this project's own model, in float32.

    Args:
        source: a module of ``timm.create_model``, or its state dict.
        image_size: pixels; the source's own if None. Positions are resampled as timm does it.
        num_heads: of a state dict; taken from the width where that is a common one.
        config: ``pretrained_cfg`` of a state dict: how its pictures are prepared.

    Raises:
        PretrainedError: the weights do not fit, or the model has parts that this project's has not.
    """
    values: dict[str, Any] = {}
    if isinstance(source, nn.Module):
        values, tensors = read_module(source), source.state_dict()
        config = config or getattr(source, "pretrained_cfg", None)
    else:
        tensors = dict(source)
    for part, does in OTHER_PARTS.items():
        if any(part in name for name in tensors):
            raise PretrainedError(f"this model {does}, and this project's does not")
    found = renamed(tensors, RULES, LEFT_OUT)
    if "patch_embed.proj.weight" not in found:
        raise PretrainedError("these weights have no patch_embed.proj.weight, as timm's ViTs do")
    kernel = found["patch_embed.proj.weight"]
    if kernel.ndim != 4:
        raise PretrainedError("patch_embed.proj.weight is no convolution, as timm's ViTs have it")
    model = config_of(found, kernel, values, image_size, num_heads)
    found["patch_embed.proj.weight"] = as_linear(kernel)
    grid = learned_grid(found, model)
    found = with_positions(found, model, values.get("no_embed_class"))
    prepared = replace(preprocessing_of(config or {}, model), learned_grid=grid)
    return build_from(model, found), prepared


def read_module(module: nn.Module) -> dict[str, Any]:
    """Return what a module knows and its weights do not tell."""
    try:
        block = module.blocks[0]
        activation = block.mlp.act
        known = {
            "num_heads": block.attn.num_heads,
            "norm_eps": block.norm1.eps,
            "pool": module.global_pool,
            "no_embed_class": module.no_embed_class,
            "image_size": module.patch_embed.img_size[0],
        }
    except (AttributeError, IndexError, TypeError) as error:
        raise PretrainedError(f"this module is no Vision Transformer of timm: {error}") from None
    if not isinstance(activation, nn.GELU) or activation.approximate != "none":
        raise PretrainedError(
            f"this model's MLP computes {type(activation).__name__} where this project's "
            f"computes the exact GELU"
        )
    if known["pool"] not in ("token", "avg"):
        raise PretrainedError(f"this model pools its tokens by {known['pool']!r}")
    return known


def config_of(
    tensors: Mapping[str, Tensor],
    kernel: Tensor,
    values: Mapping[str, Any],
    image_size: int | None,
    num_heads: int | None,
) -> ViTConfig:
    width, channels, patch, _ = kernel.shape
    head, registers = tensors.get("head.weight"), tensors.get("reg_token")
    count = 0 if registers is None else registers.shape[1]
    has_class = "cls_token" in tensors
    if not has_class and values.get("pool") == "token":
        raise PretrainedError("this model reads a class token that its weights do not have")
    if has_class and values.get("pool") == "avg":
        raise PretrainedError(
            "this model has a class token and reads the mean of the patches; this project's "
            "reads the one that it has"
        )
    size = image_size or values.get("image_size") or size_of(tensors, patch, has_class + count)
    hidden = tensors.get("blocks.0.mlp.fc1.weight")
    return shape(
        image_size=size,
        in_channels=channels,
        num_classes=0 if head is None else len(head),
        patch_size=patch,
        embed_dim=width,
        depth=depth_of(tensors),
        num_heads=heads_of(width, num_heads or values.get("num_heads")),
        mlp_ratio=4.0 if hidden is None else len(hidden) / width,
        pool="cls" if has_class else "mean",
        qkv_bias="blocks.0.attn.qkv.bias" in tensors,
        norm_eps=values.get("norm_eps", 1e-6),
        layer_scale=1.0 if "blocks.0.ls1.gamma" in tensors else None,
        num_registers=count,
        final_norm="norm.weight" in tensors,
    )


def size_of(tensors: Mapping[str, Tensor], patch: int, prefix: int) -> int:
    """Return the image size that the positions are for, which may leave the prefix tokens out."""
    positions = tensors["pos_embed"].shape[1] if "pos_embed" in tensors else 0
    for count in (positions - prefix, positions - 1, positions):
        side = round(max(count, 0) ** 0.5)
        if side and side * side == count:
            return side * patch
    raise PretrainedError(f"{positions} positions are not those of a square grid")


def with_positions(
    tensors: dict[str, Tensor], config: ViTConfig, no_embed_class: bool | None
) -> dict[str, Tensor]:
    """Resample the positions, and bring those of the prefix tokens to where they belong here."""
    if "pos_embed" not in tensors:
        raise PretrainedError("these weights have no pos_embed, as timm's ViTs do")
    found, positions = dict(tensors), tensors["pos_embed"]
    has_class = config.pool == "cls"
    if no_embed_class is None:
        side = round(positions.shape[1] ** 0.5)
        no_embed_class = side * side == positions.shape[1] and config.num_prefix_tokens > 0
    prefix = 0 if no_embed_class else config.num_prefix_tokens
    if positions.shape[1] - prefix != round((positions.shape[1] - prefix) ** 0.5) ** 2:
        prefix = int(has_class)  # registers without a position, as DINOv2's own files have them
    positions = resampled(positions, config.grid_size, prefix, align_corners=False, antialias=True)
    before, patches = positions[:, :prefix], positions[:, prefix:]
    if prefix > has_class:  # registers with a position: the sum is the same
        found["reg_token"] = tensors["reg_token"].float() + before[:, int(has_class) :]
        before = before[:, : int(has_class)]
    if has_class and not prefix:
        before = torch.zeros_like(patches[:, :1])
    found["pos_embed"] = torch.cat((before, patches), dim=1)
    return found


def preprocessing_of(values: Mapping[str, Any], config: ViTConfig) -> Preprocessing:
    """Read timm's ``pretrained_cfg``; where there is none, what its ViTs have in common."""
    size = config.image_hw[0]
    share = float(values.get("crop_pct") or 0.9)
    mode = values.get("crop_mode") or "center"
    imagenet = not values and config.layer_scale is not None  # DINOv2
    names = tuple(values.get("label_names") or ())
    if config.num_classes and len(names) != config.num_classes:
        names = imagenet_names(config.num_classes)
    return Preprocessing(
        size=size,
        resize=size if mode == "squash" else int(size / share),
        squeeze=mode == "squash",
        interpolation=str(values.get("interpolation") or "bicubic"),
        mean=tuple(values.get("mean") or (IMAGENET_MEAN if imagenet else HALF)),
        std=tuple(values.get("std") or (IMAGENET_STD if imagenet else HALF)),
        class_names=names if config.num_classes else (),
        source=f"timm, {values.get('hf_hub_id') or values.get('architecture') or 'a state dict'}",
    )
