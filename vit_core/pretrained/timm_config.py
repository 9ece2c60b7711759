"""Read timm's ``config.json``, field by field."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vit_core.pretrained.errors import PretrainedError
from vit_core.pretrained.fields import LARGEST_SIDE, Fields, as_integer
from vit_core.pretrained.timm_architectures import ARCHITECTURES, width_of

EPS = 1e-6  # of every LayerNorm in timm's ViTs; models with another one are refused
MOST = 100_000  # the largest allowed width, depth or count
DISTILLED = "it answers with the mean of two heads, and this project's model has one"
# arguments of the model's constructor that change nothing once the weights are loaded
NO_EFFECT_ON_WEIGHTS = (
    "drop_rate",
    "pos_drop_rate",
    "patch_drop_rate",
    "proj_drop_rate",
    "attn_drop_rate",
    "drop_path_rate",
    "drop_block_rate",  # none of these drops anything but in training
    "weight_init",
    "fix_init",  # before the weights are read
    "device",
    "dtype",  # computed in float32 here
    "dynamic_img_pad",
    "strict_img_size",
    "img_size_multiple",  # of images that do not fit, which are not given here
    "pretrained",
    "pretrained_strict",
    "checkpoint_path",
    "scriptable",
    "exportable",
    "no_jit",
    "cache_dir",
)


@dataclass(frozen=True)
class KnownSettings:
    """What a source says about a model besides its tensors; None if it does not say."""

    num_heads: int | None = None
    norm_eps: float = EPS
    class_token: bool | None = None
    pool: str | None = None
    registers: int | None = None
    no_embed_class: bool | None = None
    final_norm: bool | None = None
    layer_scale: bool | None = None
    qkv_bias: bool | None = None
    image_size: tuple[int, int] | None = None
    usual_size: tuple[int, int] | None = None  # used if the number of positions fits it
    depth: int | None = None
    width: int | None = None  # of the architecture that the number of heads comes from
    sizes: Mapping[str, Any] | None = None  # sizes that the tensors must have
    is_dino: bool = False


def arguments_of(config: Fields) -> KnownSettings:
    """Read ``architecture`` and ``model_args``, and refuse parts that this project's model lacks.

    Raises:
        PretrainedError: there is such a part or a wrong value; the message names the field.
    """
    name = str(config.text("architecture")).split(".")[0]
    if name not in ARCHITECTURES:
        raise PretrainedError(
            f"timm's architecture {name!r} is not read here; allowed are the plain Vision "
            f"Transformers among its vit_* and deit* models"
        )
    given = config.part("model_args")
    merged = ARCHITECTURES[name] | given.values
    args = Fields(merged, f"timm's {name}{' with its model_args' if given.values else ''}")
    refuse_other_parts(args)
    pool = args.text("global_pool", ("token", "avg")) or "token"
    noted = config.text("global_pool", ("token", "avg"))
    if noted and "global_pool" in given and noted != pool:
        raise PretrainedError(
            f"config.json has global_pool {noted!r}, and {pool!r} in its model_args"
        )
    pool = noted or pool
    norm_after = args.flag("fc_norm")
    if norm_after or (norm_after is None and pool == "avg"):
        raise PretrainedError(
            f"{args.where} has fc_norm: it normalises after taking the mean of the patches, and "
            f"this project's model does not"
        )
    classes = config.integer("num_classes", 0, MOST)
    if classes is None:
        classes = args.integer("num_classes", 0, MOST)
    known = KnownSettings(
        num_heads=args.integer("num_heads", 1, MOST) or 12,
        class_token=args.flag("class_token") is not False,
        pool=pool,
        registers=args.integer("reg_tokens", 0, MOST) or 0,
        no_embed_class=bool(args.flag("no_embed_class")),
        final_norm=args.flag("final_norm") is not False,
        layer_scale=bool(args.number("init_values")),  # for timm, 0 means none
        qkv_bias=args.flag("qkv_bias") is not False,
        image_size=args.pair("img_size"),
        depth=args.integer("depth", 1, MOST) or 12,
        width=None if {"num_heads", "embed_dim"} & given.values.keys() else width_of(name),
        sizes={
            "embed_dim": args.integer("embed_dim", 1, MOST),
            "depth": given.integer("depth", 1, MOST),
            "mlp_ratio": args.number("mlp_ratio", 0.0, 1024.0),
            "patch_size": args.pair("patch_size"),
            "in_chans": args.integer("in_chans", 1, MOST),
            "num_classes": classes,
        },
        is_dino="dinov2" in name,
    )
    args.integer("num_classes", 0, MOST)
    args.flag("dynamic_img_size")
    args.without_effect(NO_EFFECT_ON_WEIGHTS)
    args.refuse_others()
    return known


def refuse_other_parts(args: Fields) -> None:
    """Refuse arguments of the constructor that make another model than this project's.

    Raises:
        PretrainedError: there is one; the message names it.
    """
    gelu = "this project's model computes the exact GELU in its MLP"
    args.only("act_layer", "gelu", because=gelu)
    args.only("distilled", False, because=DISTILLED)
    for name, allowed, because in (
        ("norm_layer", ("layernorm",), "this project's model has LayerNorm, with epsilon 1e-6"),
        ("embed_norm_layer", (), "this project's patch embedding has no norm"),
        ("pre_norm", (False,), "it normalises before the first block, and this project's does not"),
        ("qk_norm", (False,), "it normalises queries and keys, and this project's model does not"),
        ("scale_attn_norm", (False,), "its attention has one more norm than this project's"),
        ("scale_mlp_norm", (False,), "its MLP has one more norm than this project's"),
        ("proj_bias", (True,), "this project's projections have a bias"),
        ("pos_embed", ("learn",), "this project's positions are learned"),
        ("pool_include_prefix", (False,), "this project's mean is that of the patches alone"),
        ("block_fn", (), "this project's model has plain pre-norm blocks"),
        ("mlp_layer", (), "this project's MLP has two layers and no gate"),
        ("attn_layer", ("", "attn"), "this project's model has plain self-attention"),
        ("embed_layer", (), "this project's patch embedding is one linear layer"),
    ):
        args.only(name, *allowed, because=because)


def input_size_of(cfg: Fields) -> tuple[int | None, tuple[int, int] | None]:
    """Return the channels, and (height, width) in pixels, of ``input_size``; None if missing.

    Raises:
        PretrainedError: the value is not three whole numbers.
    """
    value = cfg.get("input_size")
    if value is None:
        return None, None
    sides = list(value) if isinstance(value, list | tuple) else []
    numbers = [n for side in sides if (n := as_integer(side, 1, LARGEST_SIDE)) is not None]
    if len(sides) != 3 or len(numbers) != 3:
        raise cfg.refused("input_size", f"channels, height and width, from 1 to {LARGEST_SIDE}")
    return numbers[0], (numbers[1], numbers[2])
