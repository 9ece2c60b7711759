"""What another grid of patches asks of a model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from explainer.state.link import PATCHES
from vit_core import ViTConfig

FINER = (2, 4, 8, 16, 32)  # patches per side to compare, where those of digits leave broken ones
LEAST_PATCH = 2  # pixels


@dataclass(frozen=True)
class Cost:
    """What a grid of ``side`` × ``side`` patches asks of a model that is otherwise the same."""

    side: int
    patch: int
    values: int
    tokens: int
    pairs: int
    all_pairs: int


def cost_of(config: ViTConfig, side: int) -> Cost:
    cut = replace(config, patch_size=config.image_hw[0] // side)
    pairs = cut.num_tokens**2
    return Cost(
        side,
        cut.patch_hw[0],
        cut.patch_dim,
        cut.num_tokens,
        pairs,
        pairs * cut.num_heads * cut.depth,
    )


def sides_of(config: ViTConfig) -> list[int]:
    """Return the patches per side to compare, the model's own among them."""
    size = config.image_hw[0]
    sides: Sequence[int] = PATCHES
    if any(size % side for side in sides):
        sides = [side for side in FINER if size % side == 0 and size >= side * LEAST_PATCH]
    if len(sides) < 2:  # an odd number of pixels
        most = min(FINER[-1], size // LEAST_PATCH)
        sides = [side for side in range(1, most + 1) if size % side == 0]
    return sorted({*sides, config.grid_size[0]})


def grids_to_compare(config: ViTConfig) -> tuple[int, int]:
    """Return patches per side of two grids that fit the image, the model's own among them.

    Twice as many where the image can be cut so, else the model's own and the next coarser.
    """
    side, size = config.grid_size[0], config.image_hw[0]
    if side * 2 in sides_of(config):
        return side, side * 2
    if side == 1:
        return 1, next(many for many in range(2, size + 1) if size % many == 0)
    # of a whole number of patches every divisor is one as well
    return next(few for few in range(side // 2, 0, -1) if side % few == 0), side
