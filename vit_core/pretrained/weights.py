"""From another library's tensors to this project's model: names, shapes and positions."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from vit_core.config import ViTConfig
from vit_core.model import ViT
from vit_core.pretrained.errors import PretrainedError

Renaming = Sequence[tuple[str, str]]
LISTED = 3  # names in a message
# width → heads, of the shapes that the field has in common; a state dict does not tell
HEADS = {192: 3, 384: 6, 768: 12, 1024: 16, 1280: 16}


def renamed(
    tensors: Mapping[str, Tensor], rules: Renaming, left_out: str = ""
) -> dict[str, Tensor]:
    """Return the tensors under this project's names.

    Args:
        rules: (pattern of a whole name, its new name); the first that fits counts, and a name that
            none fits stays as it is.
        left_out: pattern of names that the model has no use for.
    """
    found = {}
    for name, tensor in tensors.items():
        if left_out and re.fullmatch(left_out, name):
            continue
        for pattern, new in rules:
            if re.fullmatch(pattern, name):
                name = re.sub(pattern, new, name)
                break
        found[name] = tensor
    return found


def joined_qkv(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Lay ``attn.q``, ``attn.k`` and ``attn.v`` of each block below one another: ``attn.qkv``."""
    found = dict(tensors)
    for name in tensors:
        if match := re.fullmatch(r"(blocks\.\d+\.attn\.)q\.(weight|bias)", name):
            start, end = match.groups()
            names = [f"{start}{part}.{end}" for part in "qkv"]
            if all(one in found for one in names):
                found[f"{start}qkv.{end}"] = torch.cat([found.pop(one) for one in names])
    return found


def as_linear(kernel: Tensor) -> Tensor:
    """Flatten a patch embedding's convolution (D, channels, ph, pw) to (D, channels · ph · pw)."""
    return kernel.flatten(1) if kernel.ndim == 4 else kernel


def depth_of(names: Iterable[str]) -> int:
    """Count the blocks of renamed tensors."""
    numbers = [int(match[1]) for name in names if (match := re.match(r"blocks\.(\d+)\.", name))]
    return max(numbers, default=-1) + 1


def heads_of(width: int, num_heads: int | None) -> int:
    """Return the number of heads, which the shapes of the weights do not tell.

    Raises:
        PretrainedError: it is not given, and no common shape has that width.
    """
    if num_heads is not None:
        return num_heads
    if width not in HEADS:
        raise PretrainedError(
            f"the weights do not say how many heads a width of {width} is divided into; "
            f"give num_heads"
        )
    return HEADS[width]


def resampled(
    pos_embed: Tensor, grid: tuple[int, int], prefix: int, *, align_corners: bool, antialias: bool
) -> Tensor:
    """Return position embeddings (1, prefix + P, D) for another grid of patches, bicubic.

    In float32, whatever they were stored in: half precision would shift them.

    Args:
        grid: rows and columns of patches.
        prefix: positions before the first patch, which stay as they are.

    Raises:
        PretrainedError: the positions are not those of a square grid.
    """
    pos_embed = pos_embed.float()
    before, patches = pos_embed[:, :prefix], pos_embed[:, prefix:]
    side = math.isqrt(patches.shape[1])
    if side * side != patches.shape[1]:
        raise PretrainedError(
            f"{patches.shape[1]} positions of patches are not those of a square grid"
        )
    if (side, side) == grid:
        return pos_embed
    plane = patches.reshape(1, side, side, -1).permute(0, 3, 1, 2)
    plane = F.interpolate(
        plane, size=grid, mode="bicubic", align_corners=align_corners, antialias=antialias
    )
    found = plane.permute(0, 2, 3, 1).reshape(1, grid[0] * grid[1], -1)
    return torch.cat((before, found), dim=1)


def learned_grid(tensors: Mapping[str, Tensor], config: ViTConfig) -> tuple[int, int] | None:
    """Return the grid that the source's positions were learned for; None if it is the model's own.

    Args:
        tensors: the source's, under this project's names.
    """
    positions = tensors["pos_embed"].shape[1] if "pos_embed" in tensors else 0
    for prefix in (config.num_prefix_tokens, 1, 0):  # registers may have positions or not
        side = math.isqrt(max(positions - prefix, 0))
        if side and side * side == positions - prefix:
            return None if (side, side) == config.grid_size else (side, side)
    return None


def build_from(
    config: ViTConfig, tensors: Mapping[str, Tensor], original: Callable[[str], str] = str
) -> ViT:
    """Return the model in evaluation mode with these weights, in float32.

    Args:
        tensors: under this project's names; they become the model's own where they are float32.
        original: gives a name as the source has it, for messages.

    Raises:
        PretrainedError: tensors are missing, extra, of another shape or not finite.
    """
    with torch.device("meta"):  # no memory is taken twice
        model = ViT(config)
    expected = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    problems = [
        f"missing {listed(key for key in expected if key not in tensors)}",
        f"not expected {listed(original(key) for key in tensors if key not in expected)}",
        *(
            f"{key} is {tuple(tensors[key].shape)} where {expected[key]} is expected"
            for key in expected
            if key in tensors and tuple(tensors[key].shape) != expected[key]
        ),
    ]
    problems = [one for one in problems if not one.endswith(" ")][: LISTED + 1]
    if problems:
        raise PretrainedError(f"these weights do not fit the model: {'; '.join(problems)}")
    held = {key: tensors[key].detach().to("cpu", torch.float32).contiguous() for key in expected}
    if bad := [key for key, value in held.items() if not value.isfinite().all()]:
        raise PretrainedError(f"these weights are not finite numbers, in {bad[0]}")
    model.load_state_dict(held, assign=True)
    return model.requires_grad_().eval()


def listed(names: Iterable[str]) -> str:
    """Name a few, and how many more there are; empty for none."""
    names = list(names)
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def shape(**values: object) -> ViTConfig:
    """Return a configuration; one that is not allowed is the weights' fault.

    Raises:
        PretrainedError: it says what is not allowed.
    """
    try:
        return replace(ViTConfig(), **values)
    except (ValueError, TypeError) as error:
        raise PretrainedError(f"this model cannot be shown: {error}") from None
