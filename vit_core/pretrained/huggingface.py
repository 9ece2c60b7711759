"""ViT, DeiT and DINOv2 (with and without registers) as Hugging Face's transformers keep them."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from vit_core.config import ViTConfig
from vit_core.model import ViT
from vit_core.pretrained.errors import PretrainedError
from vit_core.pretrained.preprocessing import HALF, Preprocessing
from vit_core.pretrained.weights import (
    as_linear,
    build_from,
    joined_qkv,
    learned_grid,
    renamed,
    resampled,
    shape,
)

CONFIG, WEIGHTS, PREPROCESSOR = "config.json", "model.safetensors", "preprocessor_config.json"
KINDS = ("vit", "deit", "dinov2", "dinov2_with_registers")
DINO_SIZE = 224  # pixels; its positions are for 518, which is 1,369 patches
RESAMPLING = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}  # Pillow's numbers
LARGEST_JSON = 4 * 1024**2  # bytes
LEFT_OUT = r"embeddings\.mask_token|pooler\..*"
EMBEDDINGS = (
    (r"embeddings\.cls_token", "cls_token"),
    (r"embeddings\.(?:register_tokens|distillation_token)", "reg_token"),
    (r"embeddings\.position_embeddings", "pos_embed"),
    (r"embeddings\.patch_embeddings\.projection\.(.*)", r"patch_embed.proj.\1"),
    (r"layernorm\.(.*)", r"norm.\1"),
    (r"classifier\.(.*)", r"head.\1"),
)
# the files' names, and in the second half the names that transformers has used since version 5
BLOCKS = tuple(
    (rf"(?:encoder\.)?layers?\.(\d+)\.{old}\.(.*)", rf"blocks.\1.{new}.\2")
    for old, new in (
        (r"attention\.attention\.query", "attn.q"),
        (r"attention\.attention\.key", "attn.k"),
        (r"attention\.attention\.value", "attn.v"),
        (r"attention\.output\.dense", "attn.proj"),
        (r"intermediate\.dense", "mlp.fc1"),
        (r"output\.dense", "mlp.fc2"),
        (r"layernorm_before", "norm1"),
        (r"layernorm_after", "norm2"),
        (r"attention\.q_proj", "attn.q"),
        (r"attention\.k_proj", "attn.k"),
        (r"attention\.v_proj", "attn.v"),
        (r"attention\.o_proj", "attn.proj"),
        (r"norm1", "norm1"),
        (r"norm2", "norm2"),
        (r"mlp\.fc1", "mlp.fc1"),
        (r"mlp\.fc2", "mlp.fc2"),
    )
) + tuple(
    (rf"encoder\.layer\.(\d+)\.layer_scale{number}\.lambda1", rf"blocks.\1.ls{number}.gamma")
    for number in (1, 2)
)


def from_huggingface(
    source: str | Path | Mapping[str, Tensor],
    config: Mapping[str, Any] | None = None,
    image_size: int | None = None,
    preprocessor: Mapping[str, Any] | None = None,
) -> tuple[ViT, Preprocessing]:
    """Read a model of Hugging Face's transformers into this project's own, in float32.

    A DeiT's distillation token is a register whose value has its position added in, which is the
    same sum. Weights that are stored in half precision are computed with in float32.

    Args:
        source: a folder with ``config.json`` and ``model.safetensors``, or a state dict.
        config: of a state dict, as ``config.json`` has it.
        image_size: pixels; the preprocessor's if None, else 224 for DINOv2, else the model's own.
            Positions are resampled as the source resamples them.
        preprocessor: of a state dict, as ``preprocessor_config.json`` has it.

    Raises:
        PretrainedError: a file is missing or damaged, the weights do not fit, or the model has
            parts that this project's has not.
    """
    if isinstance(source, str | Path):
        folder = Path(source)
        config = read_json(folder / CONFIG)
        preprocessor = read_json(folder / PREPROCESSOR, required=False)
        tensors, name = read_tensors(folder / WEIGHTS), folder.name
    else:
        tensors, name = dict(source), "a state dict"
    if config is None:
        raise PretrainedError("a state dict needs the model's config as well")
    kind = kind_of(config)
    refuse_other_parts(kind, config, tensors)
    prepared = preprocessing_of(kind, config, preprocessor or {}, image_size, name)
    found = convert(tensors)
    model = config_of(kind, config, found, prepared.size)
    grid = learned_grid(found, model)
    found = fitted(kind, model, found)
    names = class_names(config, model.num_classes)
    prepared = replace(replace_names(prepared, names), learned_grid=grid)
    return build_from(model, found), prepared


def read_json(path: Path, required: bool = True) -> dict[str, Any] | None:
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise PretrainedError(f"{path} is larger than 4 MB, which no configuration is")
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if required:
            raise PretrainedError(f"{path} is not there; a model's folder has one") from None
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise PretrainedError(f"{path} cannot be read: {error}") from None
    if not isinstance(values, dict):
        raise PretrainedError(f"{path} is no configuration: it holds no names and values")
    return values


def read_tensors(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise PretrainedError(f"{path} is not there; a model's folder has one")
    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise PretrainedError(f"{path} is not a whole safetensors file: {error}") from None


def kind_of(config: Mapping[str, Any]) -> str:
    kind = config.get("model_type")
    if kind not in KINDS:
        raise PretrainedError(
            f"models of type {kind!r} are not read here; allowed are {', '.join(KINDS)}"
        )
    return str(kind)


def refuse_other_parts(kind: str, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Refuse what this project's model has not, rather than leave it out or come near it."""
    if config.get("use_swiglu_ffn"):
        raise PretrainedError("this model's MLP is gated (SwiGLU), and this project's is not")
    if (activation := config.get("hidden_act", "gelu")) != "gelu":
        raise PretrainedError(
            f"this model's MLP computes {activation!r} where this project's computes GELU"
        )
    if any(name.startswith(("cls_classifier", "distillation_classifier")) for name in tensors):
        raise PretrainedError(
            "this model answers with the mean of two heads, on the class token and on the "
            "distillation token, and this project's has one"
        )
    if kind.startswith("dinov2") and any(name.startswith("classifier") for name in tensors):
        raise PretrainedError(
            "this model's head reads the class token beside the mean of the patches, and this "
            "project's reads one of them"
        )


def convert(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors under this project's names, with queries, keys and values joined."""
    plain = {name.removeprefix(prefix_of(tensors)): value for name, value in tensors.items()}
    found = joined_qkv(renamed(plain, (*EMBEDDINGS, *BLOCKS), LEFT_OUT))
    if "patch_embed.proj.weight" in found:
        found["patch_embed.proj.weight"] = as_linear(found["patch_embed.proj.weight"])
    return found


def prefix_of(tensors: Mapping[str, Tensor]) -> str:
    """Return what stands before every name of the body where a head stands beside it."""
    name = next((name for name in tensors if name.endswith("embeddings.cls_token")), "")
    return name.removesuffix("embeddings.cls_token")


def config_of(
    kind: str, config: Mapping[str, Any], tensors: Mapping[str, Tensor], size: int
) -> ViTConfig:
    width = config.get("hidden_size", 768)
    ratio = config.get("mlp_ratio", 4)
    if not kind.startswith("dinov2"):
        ratio = config.get("intermediate_size", 4 * width) / width
    head = tensors.get("head.weight")
    registers = tensors.get("reg_token")
    return shape(
        image_size=size,
        in_channels=config.get("num_channels", 3),
        num_classes=0 if head is None else len(head),
        patch_size=config.get("patch_size", 16),
        embed_dim=width,
        depth=config.get("num_hidden_layers", 12),
        num_heads=config.get("num_attention_heads", 12),
        mlp_ratio=float(ratio),
        qkv_bias=bool(config.get("qkv_bias", True)),
        norm_eps=float(config.get("layer_norm_eps", 1e-12)),
        layer_scale=1.0 if kind.startswith("dinov2") else None,
        num_registers=0 if registers is None else registers.shape[1],
    )


def fitted(kind: str, config: ViTConfig, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Resample the positions, and give a distillation token its own."""
    if "pos_embed" not in tensors:
        return tensors
    found, positions = dict(tensors), tensors["pos_embed"]
    if kind == "deit" and config.num_registers:
        found["reg_token"] = tensors["reg_token"].float() + positions[:, 1:2].float()
        positions = positions[:, [0, *range(2, positions.shape[1])]]
    antialias = kind == "dinov2_with_registers"
    found["pos_embed"] = resampled(
        positions, config.grid_size, 1, align_corners=False, antialias=antialias
    )
    return found


def preprocessing_of(
    kind: str,
    config: Mapping[str, Any],
    values: Mapping[str, Any],
    image_size: int | None,
    name: str,
) -> Preprocessing:
    """Read how the source prepares pictures; its models' own defaults where no file says it."""
    is_dino = kind.startswith("dinov2")
    crop = side_of(values.get("crop_size")) if values.get("do_center_crop", is_dino) else None
    whole = values.get("size") or {}
    shortest = whole.get("shortest_edge") if isinstance(whole, Mapping) else None
    own = DINO_SIZE if is_dino else config.get("image_size", 224)
    size = image_size or crop or side_of(whole) or own
    # without a shorter side to aim at, these libraries squeeze the picture into a square
    squeeze = not (is_dino or shortest)
    resize = shortest or side_of(whole) or size
    if image_size:
        resize = round(resize * image_size / crop) if crop else image_size
    half = not is_dino and kind == "vit"
    prepared = Preprocessing(
        size=size,
        resize=resize,
        squeeze=squeeze,
        interpolation=RESAMPLING.get(values.get("resample", 3 if is_dino else 2), "bicubic"),
        source=f"{name}, in Hugging Face's format",
    )
    mean = values.get("image_mean", HALF if half else prepared.mean)
    std = values.get("image_std", HALF if half else prepared.std)
    return replace_values(prepared, mean, std)


def side_of(size: Any) -> int | None:
    """Read a square's side, which may be a number or a mapping."""
    if isinstance(size, Mapping):
        size = size.get("height")
    return size if isinstance(size, int) and size > 0 else None


def replace_values(prepared: Preprocessing, mean: Any, std: Any) -> Preprocessing:
    try:
        mean, std = tuple(map(float, mean)), tuple(map(float, std))
    except (TypeError, ValueError):
        raise PretrainedError("the preprocessor's mean and std are not lists of numbers") from None
    return Preprocessing(**{**vars(prepared), "mean": mean, "std": std})


def replace_names(prepared: Preprocessing, names: tuple[str, ...]) -> Preprocessing:
    return Preprocessing(**{**vars(prepared), "class_names": names})


def class_names(config: Mapping[str, Any], count: int) -> tuple[str, ...]:
    """Return the first of each class's names; numbers where the configuration names none."""
    if not count:
        return ()
    labels = config.get("id2label") or {}
    names = [str(labels.get(str(number), number)).split(",")[0] for number in range(count)]
    return tuple(names)
