"""Turn another library's tensors into this project's model: names, shapes and positions."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vit_core.checks import quoted
from vit_core.config import ViTConfig
from vit_core.data.image_file import MODES
from vit_core.model import ViT
from vit_core.pretrained.errors import PretrainedError
from vit_core.pretrained.fields import listed
from vit_core.pretrained.folder import is_plain_number

Renaming = Sequence[tuple[str, str]]
PROBLEMS = 4  # at most so many in one message
# width → number of heads, of the common model sizes; a state dict does not say it
HEADS = {192: 3, 384: 6, 768: 12, 1024: 16, 1280: 16}


def renamed(
    tensors: Mapping[str, Tensor], rules: Renaming, left_out: str = ""
) -> dict[str, Tensor]:
    """Return the tensors under this project's names.

    Args:
        rules: (pattern of a whole name, new name). The first rule that matches is applied; a name
            without one stays as it is.
        left_out: pattern of the names of tensors that the model does not use.
    """
    result = {}
    for name, tensor in tensors.items():
        if left_out and re.fullmatch(left_out, name):
            continue
        for pattern, new in rules:
            if re.fullmatch(pattern, name):
                name = re.sub(pattern, new, name)
                break
        result[name] = tensor
    return result


def joined_qkv(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Concatenate ``attn.q``, ``attn.k`` and ``attn.v`` of each block to ``attn.qkv``.

    Weights: three (D, D) → (3 · D, D); biases: three (D,) → (3 · D,).

    Raises:
        PretrainedError: the three differ in shape.
    """
    joined = dict(tensors)
    for name in tensors:
        if match := re.fullmatch(r"(blocks\.\d+\.attn\.)q\.(weight|bias)", name):
            start, end = match.groups()
            names = [f"{start}{part}.{end}" for part in "qkv"]
            if all(one in joined for one in names):
                shapes = {tuple(joined[one].shape) for one in names}
                if len(shapes) > 1 or () in shapes:
                    raise PretrainedError(
                        f"{start}q, k and v have {end}s of the shapes "
                        f"{', '.join(str(tuple(joined[one].shape)) for one in names)}; they must "
                        f"be of one shape"
                    )
                joined[f"{start}qkv.{end}"] = torch.cat([joined.pop(one) for one in names])
    return joined


def as_linear(kernel: Tensor) -> Tensor:
    """Flatten a patch embedding's convolution (D, channels, ph, pw) to (D, channels · ph · pw)."""
    return kernel.flatten(1) if kernel.ndim == 4 else kernel


def mlp_ratio_of(hidden: int, width: int) -> float:
    """Return the ``mlp_ratio`` for which int(width · ratio) is exactly ``hidden``."""
    ratio = hidden / width
    while int(width * ratio) < hidden:  # rounding may end just below
        ratio = math.nextafter(ratio, math.inf)
    return ratio


def hidden_of(tensors: Mapping[str, Tensor], width: int) -> int:
    """Return the width of the MLP; 4 · ``width`` if the tensors have no MLP."""
    hidden = tensors.get("blocks.0.mlp.fc1.weight")
    return 4 * width if hidden is None or hidden.ndim == 0 else max(1, len(hidden))


def classes_of(tensors: Mapping[str, Tensor]) -> int:
    """Return the number of classes; 0 if there is no head."""
    head = tensors.get("head.weight")
    return head.shape[0] if head is not None and head.ndim else 0


def depth_of(names: Iterable[str]) -> int:
    """Return the number of blocks, from the names of renamed tensors."""
    matches = (re.match(r"blocks\.([0-9]{1,6})\.", name) for name in names)
    return max((int(match[1]) for match in matches if match), default=-1) + 1


def heads_of(width: int, num_heads: int | None) -> tuple[int, tuple[str, ...]]:
    """Return the number of heads, and notes for people if it was not given.

    The shapes of the weights do not depend on it.

    Raises:
        PretrainedError: it is not given, and no common model has that width.
    """
    if num_heads is not None:
        return num_heads, ()
    if width not in HEADS:
        raise PretrainedError(
            f"the weights do not say how many heads a width of {width} is divided into; "
            f"give num_heads"
        )
    heads = HEADS[width]
    note = (
        f"The weights do not say how many heads there are; {heads} were taken, which is usual for "
        f"a width of {width}."
    )
    return heads, (note,)


def grid_of(positions: int, grid: tuple[int, int] | None) -> tuple[int, int]:
    """Return the rows and columns of patches that a number of positions belongs to.

    Args:
        grid: rows and columns as configured, taken if their product is ``positions``; otherwise
            the grid must be a square.

    Raises:
        PretrainedError: the number fits neither.
    """
    if grid is not None and grid[0] * grid[1] == positions:
        return grid
    side = math.isqrt(max(positions, 0))
    if not side or side * side != positions:
        expected = f", nor of {grid[0]} x {grid[1]} patches" if grid else ""
        raise PretrainedError(
            f"{positions} positions of patches are not those of a square grid{expected}"
        )
    return side, side


def resampled(
    pos_embed: Tensor,
    old: tuple[int, int],
    new: tuple[int, int],
    prefix: int,
    *,
    align_corners: bool,
    antialias: bool,
) -> Tensor:
    """Resample position embeddings to another grid of patches by bicubic interpolation.

    Computed in float32, because half precision would shift the values.

    Args:
        pos_embed: (1, prefix + P, D), P = the product of ``old``.
        old, new: rows and columns of patches.
        prefix: the number of positions before the first patch. They are not changed.
        align_corners, antialias: as ``torch.nn.functional.interpolate`` takes them.

    Returns:
        (1, prefix + P', D), P' = the product of ``new``, in float32.
    """
    pos_embed = pos_embed.float()
    if old == new:
        return pos_embed
    before, patches = pos_embed[:, :prefix], pos_embed[:, prefix:]
    plane = patches.reshape(1, *old, -1).permute(0, 3, 1, 2)
    plane = F.interpolate(
        plane, size=new, mode="bicubic", align_corners=align_corners, antialias=antialias
    )
    resized = plane.permute(0, 2, 3, 1).reshape(1, new[0] * new[1], -1)
    return torch.cat((before, resized), dim=1)


def learned_grid(old: tuple[int, int], new: tuple[int, int]) -> tuple[int, int] | None:
    """Return the grid that the positions were learned for; None if it is the model's grid."""
    return None if old == new else old


def resampling_note(old: tuple[int, int], new: tuple[int, int]) -> tuple[str, ...]:
    """Return a note that the positions were resampled; no note if they were not."""
    if old == new:
        return ()
    return (
        f"Its positions are for {old[0]} x {old[1]} patches and were resampled for "
        f"{new[0]} x {new[1]}.",
    )


def kernel_of(tensors: Mapping[str, Tensor], library: str) -> Tensor:
    """Return the patch embedding's convolution (D, channels, ph, pw).

    Raises:
        PretrainedError: there is none, or its shape is another.
    """
    kernel = tensors.get("patch_embed.proj.weight")
    if kernel is None:
        raise PretrainedError(
            f"these weights have no patch_embed.proj.weight, as {library}'s ViTs do"
        )
    if kernel.ndim != 4 or 0 in kernel.shape:
        raise PretrainedError(
            f"patch_embed.proj.weight is no convolution, as {library}'s ViTs have it: its shape is "
            f"{tuple(kernel.shape)}"
        )
    if kernel.shape[1] not in MODES:
        raise PretrainedError(
            f"this model takes images of {kernel.shape[1]} channels; allowed are 1 and 3, which "
            f"pictures have"
        )
    return kernel


def positions_of(tensors: Mapping[str, Tensor], width: int) -> Tensor:
    """Return the position embeddings, (1, positions, width).

    Raises:
        PretrainedError: there are none, or their shape is another.
    """
    positions = tensors.get("pos_embed")
    if positions is None:
        raise PretrainedError("these weights have no pos_embed: no learned positions")
    for name in ("pos_embed", "reg_token"):  # these two are added before the others are checked
        check_type(name, tensors.get(name))
    if positions.ndim != 3 or len(positions) != 1 or positions.shape[2] != width:
        raise PretrainedError(
            f"pos_embed is {tuple(positions.shape)} where (1, positions, {width}) is expected"
        )
    return positions


def check_type(name: str, tensor: Tensor | None) -> None:
    """Refuse a tensor that holds quantisation codes instead of weights.

    Raises:
        PretrainedError: its type is not a floating-point type of 16 bits or more.
    """
    if tensor is not None and not is_plain_number(tensor):
        raise PretrainedError(
            f"{name} holds numbers of type {str(tensor.dtype).removeprefix('torch.')}; allowed are "
            f"float32, float16, bfloat16 and float64"
        )


def build_from(
    config: ViTConfig, tensors: Mapping[str, Tensor], original: Callable[[str], str] = str
) -> ViT:
    """Return the model in evaluation mode with these weights, in float32.

    Args:
        tensors: under this project's names. Those in float32 are not copied.
        original: returns the source's name for one of this project's names, for messages.

    Raises:
        PretrainedError: tensors are missing, unknown, of a wrong shape or not finite.
    """
    with torch.device("meta"):  # takes no memory; the tensors become the parameters
        model = ViT(config)
    expected = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    missing = listed(key for key in expected if key not in tensors)
    extra = listed(quoted(original(key)).strip("'\"") for key in tensors if key not in expected)
    problems = [f"missing {missing}"] if missing else []
    problems += [f"not expected {extra}"] if extra else []
    problems += [
        f"{key} is {tuple(tensors[key].shape)} where {expected[key]} is expected"
        for key in expected
        if key in tensors and tuple(tensors[key].shape) != expected[key]
    ]
    if problems:
        raise PretrainedError(
            f"these weights do not fit the model: {'; '.join(problems[:PROBLEMS])}"
        )
    for key in expected:
        check_type(key, tensors[key])
    state = {key: tensors[key].detach().to("cpu", torch.float32).contiguous() for key in expected}
    if bad := [key for key, value in state.items() if not value.isfinite().all()]:
        raise PretrainedError(f"these weights are not finite numbers, in {bad[0]}")
    model.load_state_dict(state, assign=True)
    return model.requires_grad_().eval()


def checked_config(**values: object) -> ViTConfig:
    """Return a configuration with these fields.

    Raises:
        PretrainedError: ``ViTConfig`` refuses them; the message says why.
    """
    sizes = ("image_size", "patch_size")
    plain: dict[str, Any] = {
        name: value[0]
        if name in sizes and isinstance(value, tuple) and value[0] == value[-1]
        else value
        for name, value in values.items()
    }
    try:
        return replace(ViTConfig(), **plain)
    except (ValueError, TypeError) as error:
        raise PretrainedError(f"this model cannot be shown: {error}") from None
