"""Vision Transformers of torchvision."""

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor, nn

from vit_core.config import ViTConfig
from vit_core.model import ViT
from vit_core.pretrained.errors import PretrainedError
from vit_core.pretrained.imagenet import imagenet_names
from vit_core.pretrained.preprocessing import Preprocessing
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

RULES = (
    (r"class_token", "cls_token"),
    (r"conv_proj\.(.*)", r"patch_embed.proj.\1"),
    (r"encoder\.pos_embedding", "pos_embed"),
    (r"encoder\.ln\.(.*)", r"norm.\1"),
    (r"heads\.head\.(.*)", r"head.\1"),
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
RESIZE = {224: 256}  # crop → shorter side before it, of weights trained at 224 pixels


def from_torchvision(
    source: nn.Module | Mapping[str, Tensor],
    image_size: int | None = None,
    num_heads: int | None = None,
) -> tuple[ViT, Preprocessing]:
    """Read ``torchvision.models.VisionTransformer`` into this project's own model, in float32.

    Args:
        source: the module, or its state dict.
        image_size: pixels; the source's own if None. Positions are resampled as
            ``torchvision.models.vision_transformer.interpolate_embeddings`` does it.
        num_heads: of a state dict; taken from the width where that is a common one.

    Raises:
        PretrainedError: the weights do not fit, or the model has parts that this project's has not.
    """
    own = None
    if isinstance(source, nn.Module):
        tensors = source.state_dict()
        try:
            num_heads = source.encoder.layers[0].self_attention.num_heads
            own = source.image_size
        except (AttributeError, IndexError):
            raise PretrainedError("this module is no VisionTransformer of torchvision") from None
    else:
        tensors = dict(source)
    if any(name.startswith(("conv_proj.conv", "conv_proj.0")) for name in tensors):
        raise PretrainedError(
            "this model embeds its patches by several convolutions, and this project's by one"
        )
    if any(name.startswith("heads.pre_logits") for name in tensors):
        raise PretrainedError("this model's head has a hidden layer, and this project's has none")
    found = renamed(tensors, RULES)
    kernel = found.get("patch_embed.proj.weight")
    if kernel is None or kernel.ndim != 4 or "pos_embed" not in found:
        raise PretrainedError("these weights are not those of torchvision's VisionTransformer")
    model = config_of(found, kernel, image_size or own, num_heads)
    found["patch_embed.proj.weight"] = as_linear(kernel)
    grid = learned_grid(found, model)
    found["pos_embed"] = resampled(
        found["pos_embed"], model.grid_size, 1, align_corners=True, antialias=False
    )
    return build_from(model, found), replace(preprocessing_of(model), learned_grid=grid)


def config_of(
    tensors: Mapping[str, Tensor], kernel: Tensor, image_size: int | None, num_heads: int | None
) -> ViTConfig:
    width, channels, patch, _ = kernel.shape
    head, hidden = tensors.get("head.weight"), tensors.get("blocks.0.mlp.fc1.weight")
    grid = round((tensors["pos_embed"].shape[1] - 1) ** 0.5)
    return shape(
        image_size=image_size or grid * patch,
        in_channels=channels,
        num_classes=0 if head is None else len(head),
        patch_size=patch,
        embed_dim=width,
        depth=depth_of(tensors),
        num_heads=heads_of(width, num_heads),
        mlp_ratio=4.0 if hidden is None else len(hidden) / width,
        norm_eps=EPS,
    )


def preprocessing_of(config: ViTConfig) -> Preprocessing:
    """Return torchvision's own steps for its ViTs: resize, cut out the middle, normalise."""
    size = config.image_hw[0]
    return Preprocessing(
        size=size,
        resize=RESIZE.get(size, size),
        interpolation="bilinear" if size == 224 else "bicubic",
        class_names=imagenet_names(config.num_classes) if config.num_classes else (),
        source="torchvision",
    )
