"""The pixels of an image's patches."""

import numpy as np

from explainer.inputs.pictures import batches
from explainer.observation.observe import Observation
from vit_core.model import patchify


def patches_of(seen: Observation, patch: tuple[int, int]) -> np.ndarray:
    """Return the patches of a given size (height, width), (P, V) uint8, from ``patchify``."""
    return patchify(batches.batch_of(seen.pixels), patch)[0].numpy()
