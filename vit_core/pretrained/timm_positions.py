"""Which of timm's positions belong to patches, and which to the tokens before them."""

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
    """Return the rows and columns that positions are for, some of which are those of tokens."""
    found = {}
    for prefix in prefixes(has_class, registers, no_embed_class):
        try:
            found[prefix] = grid_of(positions - prefix, grid)
        except PretrainedError as error:
            problem = error
    if not found:
        raise problem
    if exact := [one for one in found.values() if one == grid]:
        return exact[0]
    if len(set(found.values())) > 1:
        raise PretrainedError(
            f"{positions} positions may be of {listed(f'{a} x {b}' for a, b in found.values())} "
            f"patches; give timm's config.json as well"
        )
    return next(iter(found.values()))


def prefixes(has_class: bool, registers: int, no_embed_class: bool | None) -> list[int]:
    """Return how many positions may stand before the patches': of all tokens, [CLS] or none."""
    if no_embed_class is not None:
        return [0 if no_embed_class else has_class + registers]
    return list(dict.fromkeys((has_class + registers, int(has_class), 0)))


def with_positions(
    tensors: dict[str, Tensor], config: ViTConfig, old: tuple[int, int]
) -> dict[str, Tensor]:
    """Resample the positions, and bring those of the prefix tokens to where they belong here."""
    found, positions = dict(tensors), tensors["pos_embed"]
    has_class = config.pool == "cls"
    prefix = positions.shape[1] - old[0] * old[1]
    positions = resampled(
        positions, old, config.grid_size, prefix, align_corners=False, antialias=True
    )
    before, patches = positions[:, :prefix], positions[:, prefix:]
    if prefix > has_class and "reg_token" in tensors:  # with a position: the sum is the same
        found["reg_token"] = tensors["reg_token"].float() + before[:, int(has_class) :]
        before = before[:, : int(has_class)]
    if has_class and not prefix:
        before = torch.zeros_like(patches[:, :1])
    found["pos_embed"] = torch.cat((before, patches), dim=1)
    return found
