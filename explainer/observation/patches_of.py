"""The patches of an image, as they are drawn."""

import numpy as np

from explainer.inputs.pictures import batches
from explainer.observation.observe import Observation
from vit_core.model import patchify


def patches_of(seen: Observation, patch: tuple[int, int]) -> np.ndarray:
    """Return the patches of one size, (P, V) uint8, cut by the model's own ``patchify``."""
    return patchify(batches.batch_of(seen.pixels), patch)[0].numpy()
