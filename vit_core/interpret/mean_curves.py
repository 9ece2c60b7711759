"""Deletion and insertion over many pictures: their mean and spread, a chunk at a time.

Shape suffixes as in ``vit_core.model``; n is the number of pictures so far.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vit_core.interpret.deletion import MOST_STEPS, Curves, deletion_insertion
from vit_core.interpret.left_out import passes_at_once
from vit_core.model import ViT

Maps = Callable[[Tensor, Tensor | None], Tensor]


@dataclass(frozen=True, eq=False)
class MeanCurves:
    """Curves of many pictures, as far as they are computed.

    Attributes:
        count, total: pictures so far, and of all.
        deletion, insertion: (count, steps + 1), the curves of each picture.
        deletion_area, insertion_area: (count,).
        shares: (steps + 1,), the share of the patches that are gone (or back) at each point.
    """

    count: int
    total: int
    deletion: Tensor
    insertion: Tensor
    deletion_area: Tensor
    insertion_area: Tensor
    shares: Tensor

    @property
    def means(self) -> tuple[Tensor, Tensor]:
        """Mean of deletion and of insertion, (steps + 1,) each."""
        return self.deletion.mean(dim=0), self.insertion.mean(dim=0)

    @property
    def spreads(self) -> tuple[Tensor, Tensor]:
        """Standard deviation of the pictures around the means, (steps + 1,) each; 0 for one."""
        correction = min(1, self.count - 1)
        return tuple(  # type: ignore[return-value]
            curves.std(dim=0, correction=correction) for curves in (self.deletion, self.insertion)
        )


def mean_curves(
    model: ViT,
    images: Tensor,
    targets: Tensor | None,
    maps: Maps,
    fill: str = "drop",
    steps: int = MOST_STEPS,
    *,
    at_once: int | None = None,
    black: Tensor | None = None,
) -> Iterator[MeanCurves]:
    """Yield the curves of more and more pictures; whoever stops asking stops the work.

    Args:
        model, images, targets, fill, steps, black: as ``deletion_insertion`` takes them.
        maps: makes the maps (B, P) of some of the pictures and their targets.
        at_once: pictures of a chunk; None for as many as take about 0.1 s for each of the steps.

    Raises:
        AttributionError: as ``deletion_insertion`` does.
    """
    size = at_once or passes_at_once(model.config)
    parts: list[Curves] = []
    for first in range(0, len(images), size):
        some = slice(first, first + size)
        asked = None if targets is None else targets[some]
        patches = maps(images[some], asked)
        parts.append(
            deletion_insertion(model, images[some], asked, patches, fill, steps, black=black)
        )
        yield joined(parts, len(images))


def joined(parts: Sequence[Curves], total: int) -> MeanCurves:
    """Return the curves of all parts as one."""
    deletion = torch.cat([part.deletion for part in parts])
    return MeanCurves(
        len(deletion),
        total,
        deletion,
        torch.cat([part.insertion for part in parts]),
        torch.cat([part.deletion_area for part in parts]),
        torch.cat([part.insertion_area for part in parts]),
        parts[0].shares,
    )
