"""Which patches are similar for a model, after each of its blocks, within one picture or two.

Shape suffixes as in ``vit_core.model``; P and Q are numbers of patches, S = depth + 1 the stages of
the residual stream: before the first block, and after each.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from vit_core.interpret.lens import stream_keys
from vit_core.model import ViT

Progress = Callable[[int, int], None]


class Matches(NamedTuple):
    """For each patch of one picture the patch of another that is most similar to it.

    Attributes:
        patches: (P,) indices of patches of the other picture.
        cosines: (P,) their cosines.
        are_mutual: (P,) whether the match's own best match is this patch.
    """

    patches: Tensor
    cosines: Tensor
    are_mutual: Tensor


@torch.no_grad()
def patch_stages(
    model: ViT, images: Tensor, progress: Progress = lambda done, total: None
) -> Tensor:
    """Return the patches' rows in the residual stream, (B, S, P, D): stage 0 is before block 1.

    The class token and the registers are left out: they have no place in the picture.

    Args:
        images: (B, channels, height, width), normalised as for the model.
        progress: called with the blocks that are done and all of them; what it raises ends the
            pass.
    """
    keys = {key: stage for stage, key in enumerate(stream_keys(model.config))}
    stages: dict[int, Tensor] = {}

    def tap(name: str, tensor: Tensor) -> Tensor:
        if name in keys:
            stages[keys[name]] = tensor[:, model.config.num_prefix_tokens :].clone()
            progress(keys[name], model.config.depth)
        return tensor

    model.forward_features(images, tap)
    return torch.stack([stages[stage] for stage in range(len(keys))], dim=1)


def directions(rows: Tensor) -> Tensor:
    """Return rows (…, D) divided by their lengths; a row of zeros stays one.

    The product of two such rows is the cosine of the angle between them.
    """
    lengths = rows.norm(dim=-1, keepdim=True)
    return rows / torch.where(lengths > 0, lengths, 1.0)


def cosines(rows_PD: Tensor, others_QD: Tensor) -> Tensor:
    """Return the cosine of each row with each of some others, (P, Q) from -1 to 1.

    The cosine of a row of zeros is 0.
    """
    products_PQ: Tensor = directions(rows_PD) @ directions(others_QD).transpose(-1, -2)
    return products_PQ.clamp(-1, 1)


def best_matches(rows_PD: Tensor, others_QD: Tensor) -> Matches:
    """Return for each row the most similar of some others; of equal ones, the first.

    A match is mutual if both are most similar to each other. Such pairs are more often the same
    part of a thing than the others. Source: "Deep ViT Features as Dense Visual Descriptors",
    https://arxiv.org/abs/2112.05814, where such pairs are called best buddies.
    """
    cosines_PQ = cosines(rows_PD, others_QD)
    best, patches = cosines_PQ.max(dim=1)
    back = cosines_PQ.argmax(dim=0)
    here = torch.arange(len(rows_PD), device=rows_PD.device)
    return Matches(patches, best, back[patches] == here)
