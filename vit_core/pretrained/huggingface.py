"""Read ViT, DeiT and DINOv2 (with and without registers) of Hugging Face's transformers."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from vit_core.config import MEMORY_LIMIT, ViTConfig
from vit_core.model import ViT
from vit_core.pretrained.class_names import names_of
from vit_core.pretrained.errors import PretrainedError, in_a_sentence
from vit_core.pretrained.fields import Fields
from vit_core.pretrained.folder import CONFIG, PREPROCESSOR, read_json, read_tensors, weight_files
from vit_core.pretrained.hf_fields import NO_EFFECT, kind_of, refuse_other_fields
from vit_core.pretrained.hf_pictures import pictures_of
from vit_core.pretrained.layouts import one_head, unwrapped
from vit_core.pretrained.preprocessing import Preprocessing
from vit_core.pretrained.weights import (
    as_linear,
    build_from,
    checked_config,
    classes_of,
    grid_of,
    joined_qkv,
    kernel_of,
    learned_grid,
    mlp_ratio_of,
    positions_of,
    renamed,
    resampled,
    resampling_note,
)

MOST = 100_000  # the largest allowed width, depth or count
LEFT_OUT = r"embeddings\.mask_token"
POOLER = r"pooler\..*"
EMBEDDINGS = (
    (r"embeddings\.cls_token", "cls_token"),
    (r"embeddings\.(?:register_tokens|distillation_token)", "reg_token"),
    (r"embeddings\.position_embeddings", "pos_embed"),
    (r"embeddings\.patch_embeddings\.projection\.(.*)", r"patch_embed.proj.\1"),
    (r"layernorm\.(.*)", r"norm.\1"),
)
# names in the files; the second half has the names that transformers uses since version 5
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


@in_a_sentence
def from_huggingface(
    source: str | Path | Mapping[str, Tensor],
    config: Mapping[str, Any] | None = None,
    image_size: int | None = None,
    preprocessor: Mapping[str, Any] | None = None,
    most_bytes: int = MEMORY_LIMIT,
) -> tuple[ViT, Preprocessing]:
    """Read a model of Hugging Face's transformers into this project's own, in float32.

    A DeiT's distillation token becomes a register. A register has no position here, so the token's
    position is added to its value, which gives the same sum. Weights in half precision are
    converted to float32.

    Args:
        source: a folder with ``config.json`` and ``model.safetensors``, or a state dict.
        config: the content of ``config.json``, for a state dict.
        image_size: height and width in pixels. If None, the preprocessor's; if it has none, 224 for
            DINOv2 and the model's own for others. Positions are resampled as in the source.
        preprocessor: the content of ``preprocessor_config.json``, for a state dict.
        most_bytes: memory that the weights of a folder may take, in bytes.

    Raises:
        PretrainedError: a file is missing or damaged, the weights do not fit, or the model has
            parts that this project's model lacks.
    """
    name = "a state dict"
    files: list[Path] = []
    if isinstance(source, str | Path):
        folder = Path(source)
        config = read_json(folder / CONFIG)
        preprocessor = read_json(folder / PREPROCESSOR, required=False)
        files, name = weight_files(folder), folder.name
    if config is None:
        raise PretrainedError("a state dict needs the model's config as well")
    fields = Fields(config, CONFIG)
    kind = kind_of(fields)
    refuse_other_fields(fields)
    values, model_hw = shape_of(kind, fields)
    prepared = pictures_of(kind, preprocessor, model_hw, values["in_channels"], image_size, name)
    labels = fields.get("id2label") or inverted(fields.get("label2id"))
    fields.without_effect(NO_EFFECT)
    fields.refuse_others()
    tensors, notes = unwrapped(
        read_tensors(files, most_bytes) if isinstance(source, str | Path) else source
    )
    refuse_other_tensors(kind, tensors)
    state, of_head = one_head(convert(tensors))
    model, state, old = fit_weights(kind, values, model_hw, state, prepared)
    names, of_names = names_of(labels, model.num_classes, CONFIG)
    if any(one.startswith("pooler.") for one in tensors):
        notes += ("Its pooler, one more layer on the class token, is left out.",)
    resampling = resampling_note(old, model.grid_size)
    all_notes = (*notes, *of_head, *resampling, *prepared.notes, *of_names)
    grid = learned_grid(old, model.grid_size)
    prepared = replace(prepared, class_names=names, notes=all_notes, learned_grid=grid)
    return build_from(model, state), prepared


def inverted(numbers: object) -> dict[Any, str] | None:
    """Return number → name for a mapping name → number; None if it is no mapping."""
    if not isinstance(numbers, Mapping):
        return None
    return {number: name for name, number in numbers.items() if isinstance(number, int | str)}


def refuse_other_tensors(kind: str, tensors: Mapping[str, Tensor]) -> None:
    """Refuse heads that this project's model lacks.

    Raises:
        PretrainedError: there is such a head.
    """
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


def shape_of(kind: str, config: Fields) -> tuple[dict[str, Any], tuple[int, int]]:
    """Return fields of ``ViTConfig``, and height and width of the model's images in pixels.

    Raises:
        PretrainedError: a field has a value that is not allowed.
    """
    width = config.integer("hidden_size", 1, MOST) or 768
    ratio = config.number("mlp_ratio", 0.0, 1024.0) or 4.0
    hidden = config.integer("intermediate_size", 1, MOST)
    if not kind.startswith("dinov2"):
        ratio = mlp_ratio_of(hidden or 4 * width, width)
    registers = config.integer("num_register_tokens", 0, MOST)
    tokens = {"deit": 1, "dinov2_with_registers": 4 if registers is None else registers}
    bias, eps = config.flag("qkv_bias"), config.number("layer_norm_eps", 0.0, 1.0)
    size = config.pair("image_size") or (224, 224)
    is_dino = kind.startswith("dinov2")
    patch = config.pair("patch_size") or ((14, 14) if is_dino else (16, 16))
    rows, columns = size[0] // patch[0], size[1] // patch[1]
    values = dict(
        in_channels=config.integer("num_channels", 1, MOST) or 3,
        patch_size=patch,
        embed_dim=width,
        depth=config.integer("num_hidden_layers", 1, MOST) or 12,
        num_heads=config.integer("num_attention_heads", 1, MOST) or 12,
        mlp_ratio=ratio,
        qkv_bias=bias is not False,
        norm_eps=eps or (1e-6 if is_dino else 1e-12),
        layer_scale=1.0 if is_dino else None,
        num_registers=tokens.get(kind, 0),
    )
    # the source cuts whole patches and ignores the rest of the image
    return values, (rows * patch[0], columns * patch[1])


def convert(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors under this project's names, with queries, keys and values joined."""
    return joined_qkv(renamed(tensors, (*EMBEDDINGS, *BLOCKS), rf"{LEFT_OUT}|{POOLER}"))


def fit_weights(
    kind: str,
    values: dict[str, Any],
    model_hw: tuple[int, int],
    tensors: dict[str, Tensor],
    prepared: Preprocessing,
) -> tuple[ViTConfig, dict[str, Tensor], tuple[int, int]]:
    """Return the configuration, the tensors for it, and the grid of the learned positions.

    The positions are resampled to the new grid. A distillation token gets its position added.

    Raises:
        PretrainedError: the weights do not fit the configuration.
    """
    state = dict(tensors)
    kernel = kernel_of(state, "Hugging Face")
    patch = values["patch_size"]
    configured = (values["in_channels"], *patch)
    if tuple(kernel.shape[1:]) != configured:
        raise PretrainedError(
            f"config.json says patches of {' x '.join(map(str, configured))}, and the weights are "
            f"for {' x '.join(map(str, kernel.shape[1:]))}"
        )
    state["patch_embed.proj.weight"] = as_linear(kernel)
    registers = state.get("reg_token")
    model = checked_config(
        **values,
        image_size=prepared.size,
        num_classes=classes_of(state),
    )
    positions = positions_of(state, len(kernel))
    if kind == "deit":
        if registers is None or positions.shape[1] < 2:
            raise PretrainedError("this DeiT has no distillation token with a position of its own")
        state["reg_token"] = registers.float() + positions[:, 1:2].float()
        positions = positions[:, [0, *range(2, positions.shape[1])]]
    # for oblong images, DINOv2's code assumes that the positions are those of a square
    is_square = kind.startswith("dinov2") and model_hw[0] != model_hw[1]
    grid = None if is_square else (model_hw[0] // patch[0], model_hw[1] // patch[1])
    old = grid_of(positions.shape[1] - 1, grid)
    state["pos_embed"] = resampled(
        positions,
        old,
        model.grid_size,
        1,
        align_corners=False,
        antialias=kind == "dinov2_with_registers",
    )
    return model, state, old
