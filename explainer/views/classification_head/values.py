"""What the page shows of the head, as arrays."""

import numpy as np

from explainer.observation.lens import Attribution
from vit_core import ViTConfig


def read_rows(config: ViTConfig) -> slice:
    """Return the places of the tokens that the head reads."""
    return slice(0, 1) if config.pool == "cls" else slice(config.num_prefix_tokens, None)


def contributions(split: Attribution) -> np.ndarray:
    """Return what each part adds to each logit, the constant last, (writers + 1, C)."""
    return np.concatenate([split.logits, split.constant[None]])
