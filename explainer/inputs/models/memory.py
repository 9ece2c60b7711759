"""How much memory a model's tensors take, and what follows from it."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from explainer.inputs.models.passes import one_large_batch
from vit_core import ViTConfig
from vit_core.interpret.heads import block_bytes

LARGE = 8 * 1024**2  # bytes of one image's tensors, above which a model's are kept apart
BATCH_BYTES = 64 * 1024**2  # of the largest tensors while a batch runs whose tensors nobody keeps


def is_large(config: ViTConfig) -> bool:
    """Whether the tensors of one image are too large to keep those of many."""
    return pass_bytes(config) > LARGE


def turn(config: ViTConfig) -> AbstractContextManager[Any]:
    """Return what to hold while a model runs for its output alone: large ones take turns."""
    return one_large_batch if is_large(config) else nullcontext()


def images_at_once(config: ViTConfig, most: int) -> int:
    """Return how many images a batch has whose tensors nobody keeps, from 1 to ``most``."""
    return max(1, min(most, BATCH_BYTES // block_bytes(config)))


def pass_bytes(config: ViTConfig) -> int:
    """Return about how much memory all tensors of one image take."""
    return config.memory_bytes - 4 * config.num_parameters
