"""Attention rollout: the attention of all blocks, multiplied through.

S. Abnar & W. Zuidema 2020, "Quantifying Attention Flow in Transformers",
https://arxiv.org/abs/2005.00928, section 3 and appendix A.1. It takes attention and the residual
stream for all that moves information, in equal parts: values, projections and MLPs are left out. It
knows no class, so it is the same map for each. It counts the pattern of a head also where what the
head gives is switched off, and the residual stream also in a model in which that does not run.
"""

import torch
from torch import Tensor

from vit_core.interpret.attribution.reading import is_pattern, read_row
from vit_core.interpret.attribution.result import Attribution
from vit_core.interpret.attribution.task import Task


@torch.no_grad()
def rollout(task: Task) -> Attribution:
    """Return R ← (½ Ā + ½ I) R over all blocks from R = I, the row that is read: (B, P).

    Ā is a block's pattern, the mean of its heads. Rows of R sum to 1 over all tokens; what falls on
    the class token and on registers is not shown.
    """
    parts: list[Tensor] = []
    for some in task.chunks(len(task.images)):
        rolled: list[Tensor] = []  # R after each block so far; only the last one is kept

        def tap(name: str, tensor: Tensor, rolled: list[Tensor] = rolled) -> Tensor:
            if is_pattern(name):
                mixed_BNN = half_residual(tensor.mean(dim=1))
                rolled[:] = [mixed_BNN @ rolled[0] if rolled else mixed_BNN]
            return tensor

        task.model(task.images[some], tap)
        parts.append(read_row(task.config, rolled[0]))
    kind = "share of what the read token is mixed of, if attention alone mixed, 0 to 1"
    return Attribution("rollout", torch.cat(parts), kind, False, None, passes=1)


def half_residual(mean_BNN: Tensor) -> Tensor:
    """Return ½ Ā + ½ I: half of a token comes from attention, half is what it was."""
    same_NN = torch.eye(mean_BNN.shape[-1], dtype=mean_BNN.dtype, device=mean_BNN.device)
    return 0.5 * (mean_BNN + same_NN)
