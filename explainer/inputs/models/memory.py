"""How much memory a model's tensors take, and how many images may run at once."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from explainer.inputs.models.passes import one_large_batch
from vit_core import ViTConfig
from vit_core.interpret.heads import block_bytes

LARGE = 8 * 1024**2  # bytes of one image's tensors; above this a model counts as large
BATCH_BYTES = 64 * 1024**2  # of the largest tensors of a batch that runs for its output alone


def is_large(config: ViTConfig) -> bool:
    """Return whether one image's tensors are so large that only a few images can be kept."""
    return pass_bytes(config) > LARGE


def forward_lock(config: ViTConfig) -> AbstractContextManager[Any]:
    """Return the context in which a model runs for its output alone: large ones run one by one."""
    return one_large_batch if is_large(config) else nullcontext()


def images_at_once(config: ViTConfig, maximum: int) -> int:
    """Return how many images may run at once for their output alone, from 1 to ``maximum``."""
    return max(1, min(maximum, BATCH_BYTES // block_bytes(config)))


def pass_bytes(config: ViTConfig) -> int:
    """Return roughly how many bytes all tensors of one image take."""
    return config.memory_bytes - 4 * config.num_parameters
