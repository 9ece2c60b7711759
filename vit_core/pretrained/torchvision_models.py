"""Read Vision Transformers of torchvision."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from vit_core.config import ViTConfig
from vit_core.model import ViT
from vit_core.pretrained.class_names import names_of
from vit_core.pretrained.errors import PretrainedError, in_a_sentence
from vit_core.pretrained.layouts import check_head, one_head, unwrapped
from vit_core.pretrained.preprocessing import HALF, IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from vit_core.pretrained.weights import (
    as_linear,
    build_from,
    checked_config,
    classes_of,
    depth_of,
    grid_of,
    heads_of,
    hidden_of,
    kernel_of,
    learned_grid,
    mlp_ratio_of,
    positions_of,
    renamed,
    resampled,
    resampling_note,
)

RULES = (
    (r"class_token", "cls_token"),
    (r"conv_proj\.(.*)", r"patch_embed.proj.\1"),
    (r"encoder\.pos_embedding", "pos_embed"),
    (r"encoder\.ln\.(.*)", r"norm.\1"),
    *(
        (rf"encoder\.layers\.encoder_layer_(\d+)\.{old}", rf"blocks.\1.{new}")
        for old, new in (
            (r"ln_1\.(.*)", r"norm1.\2"),
            (r"ln_2\.(.*)", r"norm2.\2"),
            (r"self_attention\.in_proj_(.*)", r"attn.qkv.\2"),
            (r"self_attention\.out_proj\.(.*)", r"attn.proj.\2"),
            (r"mlp\.(?:0|linear_1)\.(.*)", r"mlp.fc1.\2"),
            (r"mlp\.(?:3|linear_2)\.(.*)", r"mlp.fc2.\2"),
        )
    ),
)
EPS = 1e-6  # torchvision's, of every LayerNorm
RESIZE = {224: 256}  # size of the centre crop → shorter side before it, in pixels
STEPS = "The weights do not say how pictures are prepared; torchvision's usual steps were taken."


@in_a_sentence
def from_torchvision(
    source: nn.Module | Mapping[str, Tensor],
    image_size: int | None = None,
    num_heads: int | None = None,
) -> tuple[ViT, Preprocessing]:
    """Read ``torchvision.models.VisionTransformer`` into this project's own model, in float32.

    Args:
        source: the module, its state dict, or a checkpoint that holds one.
        image_size: height and width in pixels; the source's own if None. Positions are resampled as
            in ``torchvision.models.vision_transformer.interpolate_embeddings``.
        num_heads: for a state dict; the usual number for the width if None.

    Raises:
        PretrainedError: the weights do not fit, or the model has parts that this project's model
            lacks.
    """
    own, eps = None, EPS
    if isinstance(source, nn.Module):
        num_heads, own, eps = read_module(source)
        source = source.state_dict()
    tensors, notes = unwrapped(source)
    if any(name.startswith(("conv_proj.conv", "conv_proj.0")) for name in tensors):
        raise PretrainedError(
            "this model embeds its patches by several convolutions, and this project's by one"
        )
    if any(name.startswith("heads.pre_logits") for name in tensors):
        raise PretrainedError("this model's head has a hidden layer, and this project's has none")
    state, of_head = one_head(renamed(tensors, RULES))
    if "patch_embed.proj.weight" not in state or "pos_embed" not in state:
        raise PretrainedError("these weights are not those of torchvision's VisionTransformer")
    kernel = kernel_of(state, "torchvision")
    positions = positions_of(state, len(kernel))
    old = grid_of(positions.shape[1] - 1, None)
    heads, of_heads = heads_of(len(kernel), num_heads)
    model = config_of(state, kernel, image_size or own or old[0] * kernel.shape[2], heads, eps)
    state["patch_embed.proj.weight"] = as_linear(kernel)
    state["pos_embed"] = resampled(
        positions, old, model.grid_size, 1, align_corners=True, antialias=False
    )
    all_notes = (*notes, *of_head, *of_heads, *resampling_note(old, model.grid_size), STEPS)
    prepared = preprocessing_of(model, all_notes)
    grid = learned_grid(old, model.grid_size)
    return build_from(model, state), replace(prepared, learned_grid=grid)


def read_module(module: nn.Module) -> tuple[int, int, float]:
    """Return a module's number of heads, image size in pixels, and LayerNorm epsilon.

    The weights do not depend on them.

    Raises:
        PretrainedError: it is no VisionTransformer of torchvision, or has parts that this project's
            model lacks.
    """
    source: Any = module  # of a class of torchvision, which need not be installed
    try:
        blocks = list(source.encoder.layers)
        heads = {block.self_attention.num_heads for block in blocks}
        norms = {norm.eps for block in blocks for norm in (block.ln_1, block.ln_2)}
        norms.add(source.encoder.ln.eps)
        activations = {type(block.mlp[1]) for block in blocks}
        size = source.image_size
        layers = list(source.heads.modules())
    except (AttributeError, IndexError, TypeError):
        raise PretrainedError("this module is no VisionTransformer of torchvision") from None
    if len(heads) != 1 or len(norms) != 1 or activations != {nn.GELU}:
        raise PretrainedError(
            "this model's blocks are not alike, or compute another activation than the exact GELU"
        )
    if not hasattr(source.heads, "pre_logits"):  # that case has a message of its own
        check_head(layers)
    return heads.pop(), size, norms.pop()


def config_of(
    tensors: Mapping[str, Tensor], kernel: Tensor, image_size: int, heads: int, eps: float
) -> ViTConfig:
    width, channels, *patch = kernel.shape
    return checked_config(
        image_size=image_size,
        in_channels=channels,
        num_classes=classes_of(tensors),
        patch_size=tuple(patch),
        embed_dim=width,
        depth=depth_of(tensors),
        num_heads=heads,
        mlp_ratio=mlp_ratio_of(hidden_of(tensors, width), width),
        norm_eps=eps,
    )


def preprocessing_of(config: ViTConfig, notes: tuple[str, ...]) -> Preprocessing:
    """Return torchvision's steps for its ViTs: resize, crop the centre, normalise."""
    size = config.image_hw[0]
    names, of_names = names_of(None, config.num_classes, "the weights")
    prepared = Preprocessing(
        size=size,
        resize=RESIZE.get(size, size),
        interpolation="bilinear" if size == 224 else "bicubic",
        mean=IMAGENET_MEAN if config.in_channels == 3 else HALF[:1] * config.in_channels,
        std=IMAGENET_STD if config.in_channels == 3 else HALF[:1] * config.in_channels,
        class_names=names,
        source="torchvision",
    )
    return replace(prepared, notes=(*notes, *of_names))
