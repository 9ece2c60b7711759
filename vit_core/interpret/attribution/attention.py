"""Attention: what the token that is read looks at in the last block.

It is no explanation of the answer: it leaves out what the earlier blocks have mixed into each
token, what the values say, and the MLPs ("Attention is not Explanation", Jain & Wallace 2019,
https://arxiv.org/abs/1902.10186).
"""

import torch
from torch import Tensor

from vit_core.interpret.attribution.reading import read_row
from vit_core.interpret.attribution.result import Attribution
from vit_core.interpret.attribution.task import Task


@torch.no_grad()
def attention(task: Task) -> Attribution:
    """Return the last block's pattern, the mean of its heads, of the row that is read: (B, P)."""
    config = task.config
    last = f"blocks.{config.depth - 1}.attn.pattern"
    parts: list[Tensor] = []

    def tap(name: str, tensor: Tensor) -> Tensor:
        if name == last:
            parts.append(read_row(config, tensor.mean(dim=1)))
        return tensor

    for some in task.chunks(len(task.images)):
        task.model(task.images[some], tap)
    kind = "share of the last block's attention, mean of the heads, 0 to 1"
    return Attribution("attention", torch.cat(parts), kind, False, None, passes=1)
