"""In how many parts a processor computes the gradient of a batch.

What the backward pass needs of a part is freed before the next part begins. So a step in parts
needs less memory; it takes no longer as long as the parts are not too small, since less data stays
in the processor's caches.
"""

import math

import torch

from vit_core.config import TrainConfig, ViTConfig

# bytes that the backward pass needs, by the count below. A batch of the preset "fast" (36 MB) stays
# whole: half of it is computed 4 % slower, since each call then has little to do. Parts of "best"
# and "default" have 20 MB at most, about 20 to 30 images
MOST_WHOLE, MOST_IN_PART = 36_000_000, 20_000_000
# of the images in a part together; with half as many a wide model took a fifth longer
LEAST_TOKENS = 256


def parts_of_step(
    model: ViTConfig, config: TrainConfig, images: int, tokens: int, device: torch.device
) -> int:
    """Return the number of parts for a step of one process that has the whole batch.

    Other devices have memory for a whole batch and are faster with it. With dropout each part draws
    the masks of the whole batch, and ``torch.compile`` makes code for one size; then too the number
    is the setting's.

    Args:
        images: in the batch.
        tokens: of an image, without the patches that are dropped.

    Returns:
        At least ``config.grad_accumulation``.
    """
    if device.type != "cpu" or model.dropout or config.compile:
        return config.grad_accumulation
    needed = images * image_bytes(model, tokens)
    if needed <= MOST_WHOLE:
        return config.grad_accumulation
    parts = min(math.ceil(needed / MOST_IN_PART), images * tokens // LEAST_TOKENS, images)
    return max(config.grad_accumulation, parts)


def image_bytes(model: ViTConfig, tokens: int) -> int:
    """Count the bytes of one image that the forward pass of all blocks keeps for the backward pass.

    For each token of a block these are the input and the output of both LayerNorms, the queries,
    keys and values, what attention returns twice, in two orders of its axes, and the MLP's hidden
    layer before and after GELU.
    """
    return 4 * tokens * model.depth * (9 * model.embed_dim + 2 * model.mlp_dim)
