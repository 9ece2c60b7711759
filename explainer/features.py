"""What a model without a head offers for an image, computed once for all visitors."""

from dataclasses import dataclass

import numpy as np
import torch

from explainer.services import Observation
from vit_core.interpret.features import COMPONENTS, principal_map
from vit_core.interpret.lens import stream_keys

LAST = "final_norm"  # the tokens that a reader of the features gets


@dataclass(frozen=True)
class Principal:
    """The first three principal components of the patches of one image.

    Attributes:
        scores: (P, 3).
        shares: (3,), of the patches' variance.
    """

    scores: np.ndarray
    shares: np.ndarray


def principal(seen: Observation, key: str = LAST) -> Principal:
    """Return the components of the patches' rows in the tensor ``key``, (N, D).

    Where there are fewer than three, the rest are zeros.
    """
    rows = torch.from_numpy(seen.tensors[key][seen.config.num_prefix_tokens :].copy())
    count = min(COMPONENTS, *rows.shape)
    found = principal_map(rows, count)
    missing = COMPONENTS - count
    return Principal(
        np.pad(found.scores.numpy(), ((0, 0), (0, missing))),
        np.pad(found.shares.numpy(), (0, missing)),
    )


def stages(seen: Observation) -> tuple[str, ...]:
    """Return where the patches can be looked at: before the first block, after each, at the end."""
    return (*stream_keys(seen.config), LAST)
