"""Read Vision Transformers of timm (PyTorch Image Models). Its tensors have the same names."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from vit_core.checks import quoted
from vit_core.config import ViTConfig
from vit_core.model import ViT
from vit_core.pretrained.errors import PretrainedError, in_a_sentence
from vit_core.pretrained.fields import Fields
from vit_core.pretrained.hf_fields import NO_EFFECT, refuse_other_fields
from vit_core.pretrained.layouts import check_head, one_head, unwrapped
from vit_core.pretrained.preprocessing import Preprocessing
from vit_core.pretrained.timm_config import KnownSettings, arguments_of, input_size_of
from vit_core.pretrained.timm_pictures import NO_EFFECT_ON_PICTURES, preprocessing_of
from vit_core.pretrained.timm_positions import old_grid, with_positions
from vit_core.pretrained.weights import (
    as_linear,
    build_from,
    checked_config,
    classes_of,
    depth_of,
    heads_of,
    hidden_of,
    kernel_of,
    learned_grid,
    mlp_ratio_of,
    positions_of,
    renamed,
    resampling_note,
)

OTHER_PARTS = {  # part of a tensor's name → what this project's model does not do
    "head_dist": "answers with the mean of two heads",
    "fc_norm": "normalises after taking the mean of the patches",
    "norm_pre": "normalises before the first block",
    "q_norm": "normalises queries and keys",
    "attn_pool": "reads its patches by one more attention",
    "w12": "has a gated MLP (SwiGLU)",
    "fc1_g": "has a gated MLP",
    "relative_position": "adds relative positions in its attention",
    "patch_embed.backbone": "embeds its patches by a convolutional network",
    "patch_embed.norm": "normalises its embedded patches",
}
RULES = (
    (r"dist_token", "reg_token"),
    (r"register_tokens", "reg_token"),
    (
        r"blocks\.(\d+)\.gamma_([12])",
        r"blocks.\1.ls\2.gamma",
    ),  # names in the files of DeiT III's authors
)
LEFT_OUT = r"mask_token|pre_logits\..*"
# the wrapper of transformers around timm's models
WRAPPER = "timm_wrapper"
WRAPPED = ("TimmWrapperModel", "TimmWrapperForImageClassification")
DINO_SIZES = (224, 518)  # pixels: the size used here, and the original one with 1,369 patches


@in_a_sentence
def from_timm(
    source: nn.Module | Mapping[str, Tensor],
    image_size: int | None = None,
    num_heads: int | None = None,
    config: Mapping[str, Any] | None = None,
) -> tuple[ViT, Preprocessing]:
    """Read a Vision Transformer of timm into this project's own model, in float32.

    Args:
        source: a module of ``timm.create_model``, its state dict, or a checkpoint that holds one.
        image_size: height and width in pixels; the source's own if None. Positions are resampled
            as in timm.
        num_heads: for a state dict; if None, the configuration's, or the usual for the width.
        config: for a state dict: timm's ``config.json``, or its ``pretrained_cfg`` alone.

    Raises:
        PretrainedError: the weights do not fit, or the model has parts that this project's model
            lacks.
    """
    known, whole, cfg = KnownSettings(), None, None
    tensors, notes = unwrapped(source.state_dict() if isinstance(source, nn.Module) else source)
    for part, does in OTHER_PARTS.items():
        if any(part in name for name in tensors):
            raise PretrainedError(f"this model {does}, and this project's does not")
    if isinstance(source, nn.Module):
        known = read_module(source)
        own = config or getattr(source, "pretrained_cfg", None)
        cfg = None if own is None else Fields(as_mapping(own), "pretrained_cfg")
    elif config is not None:
        known, whole, cfg = read_config(config)
    state, of_head = one_head(renamed(tensors, RULES, LEFT_OUT))
    kernel = kernel_of(state, "timm")
    size = (image_size, image_size) if image_size else None
    model, old, of_shape = config_of(state, kernel, known, size, num_heads)
    check_sizes(known, model)
    state["patch_embed.proj.weight"] = as_linear(kernel)
    state = with_positions(state, model, old)
    prepared = preprocessing_of(
        whole, cfg, model.image_hw, model.in_channels, model.num_classes, model.layer_scale
    )
    if whole is not None and whole is not cfg:
        whole.without_effect((*NO_EFFECT_ON_PICTURES, "pretrained_cfg"))
        whole.refuse_others()
    all_notes = (*notes, *of_head, *of_shape, *prepared.notes)
    grid = learned_grid(old, model.grid_size)
    return build_from(model, state), replace(prepared, notes=all_notes, learned_grid=grid)


def as_mapping(config: object) -> object:
    """Return a module's configuration as a mapping, if timm has wrapped it in an object."""
    return config.to_dict() if hasattr(config, "to_dict") else config


def read_config(values: Mapping[str, Any]) -> tuple[KnownSettings, Fields | None, Fields]:
    """Return the model's settings, the whole configuration, and its part about pictures.

    timm's older files have both in one object. A ``pretrained_cfg`` alone gives None for the whole.

    Raises:
        PretrainedError: a field has a value that is not allowed.
    """
    config = Fields(values, "config.json")
    if "architecture" not in config:
        return KnownSettings(), None, Fields(values, "pretrained_cfg")
    if config.get("model_type") == WRAPPER:
        refuse_other_fields(config, WRAPPED)
        config.without_effect((*NO_EFFECT, "do_pooling"))
    known = arguments_of(config)
    if "pretrained_cfg" not in config and "model_args" not in config:
        # it describes the model before fine-tuning, whose size and classes may differ
        _, size = input_size_of(config)
        return replace(known, image_size=None, usual_size=size, sizes={}), config, config
    cfg = config.part("pretrained_cfg") if "pretrained_cfg" in config else config
    channels, size = input_size_of(cfg)
    sizes = dict(known.sizes or {})
    sizes["in_chans"] = sizes.get("in_chans") or channels
    return replace(known, image_size=known.image_size or size, sizes=sizes), config, cfg


def read_module(module: nn.Module) -> KnownSettings:
    """Return what a module knows and its weights do not.

    Raises:
        PretrainedError: it is no Vision Transformer of timm, or has parts that this project's model
            lacks.
    """
    source: Any = module  # of a class of timm, which need not be installed
    try:
        block = source.blocks[0]
        activation = block.mlp.act
        known = KnownSettings(
            num_heads=block.attn.num_heads,
            norm_eps=block.norm1.eps,
            class_token=source.cls_token is not None,
            pool=source.global_pool,
            registers=source.num_prefix_tokens - (source.cls_token is not None),
            no_embed_class=source.no_embed_class,
            final_norm=not isinstance(source.norm, nn.Identity),
            image_size=tuple(source.patch_embed.img_size),
        )
        norms = [source.norm, *(norm for one in source.blocks for norm in (one.norm1, one.norm2))]
        before = [source.norm_pre, source.fc_norm, source.patch_embed.norm, block.mlp.norm]
        check_head(one for one in source.head.modules())
    except (AttributeError, IndexError, TypeError) as error:
        raise PretrainedError(f"this module is no Vision Transformer of timm: {error}") from None
    if type(activation).__name__ != "GELU" or getattr(activation, "approximate", "none") != "none":
        raise PretrainedError(
            f"this model's MLP computes {type(activation).__name__} where this project's "
            f"computes the exact GELU"
        )
    if known.pool not in ("token", "avg"):
        raise PretrainedError(f"this model pools its tokens by {known.pool!r}")
    for norm in norms:
        if not isinstance(norm, nn.Identity) and (
            not isinstance(norm, nn.LayerNorm) or norm.eps != known.norm_eps
        ):
            raise PretrainedError("this model's norms are not all LayerNorm of one epsilon")
    if known.pool == "avg" and getattr(source, "pool_include_prefix", False):
        raise PretrainedError(
            "this model has pool_include_prefix: its mean is that of all tokens, and this "
            "project's is that of the patches alone"
        )
    if any(not isinstance(norm, nn.Identity) for norm in before) and known.pool == "token":
        raise PretrainedError("this model has norms that this project's has not")
    if {type(one).__name__ for one in source.blocks} != {"Block"}:
        raise PretrainedError(f"this model's blocks are {type(block).__name__}, not plain ones")
    return known


def config_of(
    tensors: Mapping[str, Tensor],
    kernel: Tensor,
    known: KnownSettings,
    size: tuple[int, int] | None,
    num_heads: int | None,
) -> tuple[ViTConfig, tuple[int, int], tuple[str, ...]]:
    """Return the configuration, the grid of the learned positions, and notes for people.

    Args:
        kernel: the patch embedding's convolution (D, channels, ph, pw).
        size: height and width in pixels; the source's own if None.

    Raises:
        PretrainedError: the weights do not fit what is known, or the model pools its tokens in
            another way.
    """
    width, channels, *patch = kernel.shape
    registers = tensors.get("reg_token")
    has_class = "cls_token" in tensors if known.class_token is None else known.class_token
    count = registers.shape[1] if registers is not None and registers.ndim == 3 else 0
    count = count or known.registers or 0
    if known.pool == "token" and not has_class:
        raise PretrainedError("this model reads a class token that its weights do not have")
    if has_class and known.pool == "avg":
        raise PretrainedError(
            "this model has a class token and reads the mean of the patches; this project's "
            "reads the one that it has"
        )
    positions = positions_of(tensors, width)
    own = known.image_size
    hint = own or known.usual_size
    grid = None if hint is None else (hint[0] // patch[0], hint[1] // patch[1])
    old = old_grid(positions.shape[1], has_class, count, known.no_embed_class, grid)
    original = (old[0] * patch[0], old[1] * patch[1])
    own = own or original
    if size is None and known.is_dino and own == (DINO_SIZES[1],) * 2:
        size = (DINO_SIZES[0],) * 2
    size = size or own
    heads, notes = heads_of(width, num_heads or known.num_heads)
    depth = depth_of(tensors)
    if known.depth and depth != known.depth and not (known.sizes or {}).get("depth"):
        notes += (f"Its architecture has {known.depth} blocks, and these weights have {depth}.",)
    if known.width and width != known.width and num_heads is None:
        notes += (
            f"Its architecture is {known.width} wide and has {heads} heads, and these weights are "
            f"{width} wide; {heads} heads were taken.",
        )
    config = checked_config(
        image_size=size,
        in_channels=channels,
        num_classes=classes_of(tensors),
        patch_size=tuple(patch),
        embed_dim=width,
        depth=depth,
        num_heads=heads,
        mlp_ratio=mlp_ratio_of(hidden_of(tensors, width), width),
        pool="cls" if has_class else "mean",
        qkv_bias=bool(known.qkv_bias) or "blocks.0.attn.qkv.bias" in tensors,
        norm_eps=known.norm_eps,
        layer_scale=1.0 if known.layer_scale or "blocks.0.ls1.gamma" in tensors else None,
        num_registers=count,
        final_norm=known.final_norm is not False,
    )
    return config, old, (*notes, *resampling_note(old, config.grid_size))


def check_sizes(known: KnownSettings, model: ViTConfig) -> None:
    """Refuse weights whose sizes differ from the configuration's.

    Raises:
        PretrainedError: a size differs; the message names the field.
    """
    of_weights = {
        "embed_dim": model.embed_dim,
        "depth": model.depth,
        "patch_size": model.patch_hw,
        "in_chans": model.in_channels,
        "num_classes": model.num_classes,
    }
    for name, configured in (known.sizes or {}).items():
        if name == "mlp_ratio":
            matches = configured is None or abs(configured * model.embed_dim - model.mlp_dim) < 2
        else:
            matches = configured is None or configured == of_weights[name]
        if not matches:
            raise PretrainedError(
                f"the configuration has {name} {quoted(configured)}, and the weights have "
                f"{of_weights.get(name, round(model.mlp_ratio, 3))}"
            )
