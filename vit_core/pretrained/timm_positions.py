"""Split timm's positions into those of patches and those of the tokens before them."""

import torch
from torch import Tensor

from vit_core.config import ViTConfig
from vit_core.pretrained.errors import PretrainedError
from vit_core.pretrained.fields import listed
from vit_core.pretrained.weights import grid_of, resampled


def old_grid(
    positions: int,
    has_class: bool,
    registers: int,
    no_embed_class: bool | None,
    grid: tuple[int, int] | None,
) -> tuple[int, int]:
    """Return the rows and columns of patches that the positions were learned for.

    Args:
        positions: their number, which may include those of class token and registers.
        no_embed_class: whether only patches have positions; None if it is not known.
        grid: rows and columns as configured, if known.

    Raises:
        PretrainedError: no grid fits, or several do.
    """
    grids = {}
    for prefix in prefixes(has_class, registers, no_embed_class):
        try:
            grids[prefix] = grid_of(positions - prefix, grid)
        except PretrainedError as error:
            problem = error
    if not grids:
        raise problem
    if exact := [one for one in grids.values() if one == grid]:
        return exact[0]
    if len(set(grids.values())) > 1:
        raise PretrainedError(
            f"{positions} positions may be of {listed(f'{a} x {b}' for a, b in grids.values())} "
            f"patches; give timm's config.json as well"
        )
    return next(iter(grids.values()))


def prefixes(has_class: bool, registers: int, no_embed_class: bool | None) -> list[int]:
    """Return the possible numbers of positions before those of the patches.

    These belong to all prefix tokens, to the class token alone, or there are none.
    """
    if no_embed_class is not None:
        return [0 if no_embed_class else has_class + registers]
    return list(dict.fromkeys((has_class + registers, int(has_class), 0)))


def with_positions(
    tensors: dict[str, Tensor], config: ViTConfig, old: tuple[int, int]
) -> dict[str, Tensor]:
    """Resample the positions, and add those of registers to the registers themselves.

    In this project's model, registers have no positions; the sum is the same.
    """
    result, positions = dict(tensors), tensors["pos_embed"]
    has_class = config.pool == "cls"
    prefix = positions.shape[1] - old[0] * old[1]
    positions = resampled(
        positions, old, config.grid_size, prefix, align_corners=False, antialias=True
    )
    before, patches = positions[:, :prefix], positions[:, prefix:]
    if prefix > has_class and "reg_token" in tensors:  # registers with positions
        result["reg_token"] = tensors["reg_token"].float() + before[:, int(has_class) :]
        before = before[:, : int(has_class)]
    if has_class and not prefix:
        before = torch.zeros_like(patches[:, :1])
    result["pos_embed"] = torch.cat((before, patches), dim=1)
    return result
