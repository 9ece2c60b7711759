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
