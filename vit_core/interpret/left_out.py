"""A pass that sees only some patches of each picture: the tokens of all others are left out.

Every token that stays keeps its position, and the class token and the registers always stay. So the
model meets a shorter sequence, and no pixel is painted with a value that it may take for something.
Sources: "Missingness Bias in Model Debugging", https://arxiv.org/abs/2204.08945, which drops tokens
to measure what a patch is worth; "PatchDropout", https://arxiv.org/abs/2208.07220, in training.

Shape suffixes as in ``vit_core.model``; V is a picture's variants, S the patches that stay, R the
rows of one batch (a picture's variant each).
"""

from collections.abc import Callable

import torch
from torch import Tensor

from vit_core.config import ViTConfig
from vit_core.interpret.cover import check_patch
from vit_core.interpret.heads import AT_ONCE, block_bytes
from vit_core.model import ViT

Progress = Callable[[int, int], None]

# multiplications and additions of one chunk: about 0.1 s of one core
WORK_AT_ONCE = 3_000_000_000


@torch.no_grad()
def output_of_kept(
    model: ViT, images: Tensor, kept_BVS: Tensor, progress: Progress | None = None
) -> Tensor:
    """Return the model's output where it sees only some patches: (B, V, num_classes or D).

    Each picture has V variants of its own, and each of these its own S patches that stay. All run
    through the tap "embed", so a flawed or changed model runs as it is, and nothing is kept on it.
    A model with mean pooling has no token to read once no patch is left (S = 0): its mean of no
    patches counts as zeros, so that the head answers with its bias.

    The passes are made in chunks of at most 0.1 s of one core and 8 MiB.

    Args:
        model: used as it is, in its training or evaluation mode.
        images: (B, channels, height, width), normalised as for the model.
        kept_BVS: indices of patches in reading order from 0, int64, in any order; no index twice.
        progress: called as progress(done, total) after each chunk, in passes; an exception that
            it raises ends the computation.

    Raises:
        ValueError: there is no such patch, or the pictures are not as many as ``kept_BVS`` says.
    """
    config, (pictures, variants, stay) = model.config, kept_BVS.shape
    if len(images) != pictures:
        raise ValueError(f"{len(images)} pictures do not fit patches of {pictures} pictures")
    if kept_BVS.numel():
        check_patch(int(kept_BVS.min()), config.num_patches)
        check_patch(int(kept_BVS.max()), config.num_patches)
    prefix = config.num_prefix_tokens
    # in reading order, so that the order in which patches were named cannot change a sum
    kept_RS = kept_BVS.to(images.device).flatten(0, 1).sort(dim=1).values + prefix
    always_RT = torch.arange(prefix, device=images.device).expand(len(kept_RS), -1)
    tokens_RT = torch.cat((always_RT, kept_RS), dim=1)
    outputs: list[Tensor] = []
    at_once = passes_at_once(config, prefix + stay)
    for first in range(0, len(tokens_RT), at_once):
        some_RT = tokens_RT[first : first + at_once]
        done = first + len(some_RT)
        start, end = first // variants, (done - 1) // variants + 1
        picture_R = torch.arange(first, done, device=images.device) // variants - start
        outputs.append(one_pass(model, images[start:end], picture_R, some_RT))
        if progress is not None:
            progress(done, len(tokens_RT))
    if not outputs:
        return images.new_zeros((pictures, variants, config.num_classes or config.embed_dim))
    return torch.unflatten(torch.cat(outputs), 0, (pictures, variants))


def one_pass(model: ViT, images: Tensor, picture_R: Tensor, tokens_RT: Tensor) -> Tensor:
    """Run one batch of which row r has some tokens of picture ``picture_R[r]``."""
    config = model.config
    has_patches = tokens_RT.shape[1] > config.num_prefix_tokens

    def tap(name: str, tensor: Tensor) -> Tensor:
        if name == "embed":
            return tensor[picture_R[:, None], tokens_RT]
        if name == "pooled" and config.pool == "mean" and not has_patches:
            return torch.zeros_like(tensor)  # the mean of nothing is not a number
        return tensor

    output: Tensor = model(images, tap)
    return output


def all_but_one(config: ViTConfig) -> Tensor:
    """Return which patches stay if each patch is left out once: (P, P − 1), row p lacks patch p."""
    every_PP = torch.arange(config.num_patches).expand(config.num_patches, -1)
    others_PP = ~torch.eye(config.num_patches, dtype=torch.bool)
    return every_PP[others_PP].view(config.num_patches, -1)


def passes_at_once(config: ViTConfig, tokens: int | None = None) -> int:
    """Return how many pictures a chunk may have, by its memory and its time; at least 1.

    Args:
        tokens: how many a picture has; None for all.
    """
    N, D = tokens or config.num_tokens, config.embed_dim
    layers = 4 * D * D + 2 * D * config.mlp_dim
    work = 2 * config.depth * (N * layers + 2 * N * N * D)
    memory = block_bytes(config) * N // config.num_tokens
    return max(1, min(AT_ONCE // max(1, memory), WORK_AT_ONCE // max(1, work)))
