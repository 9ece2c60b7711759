"""Passes that are recorded or go back: the patterns of all blocks, and safe gradients."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vit_core.config import ViTConfig


def read_row(config: ViTConfig, matrix_BNN: Tensor) -> Tensor:
    """Return the patches' entries of the row that the answer is read from: (B, N, N) → (B, P).

    The class token's row; with mean pooling the mean of the patches' rows. The columns of the class
    token and of registers are left out, and nothing is scaled up for them.
    """
    first = config.num_prefix_tokens
    if config.pool == "cls":
        return matrix_BNN[:, 0, first:]
    return matrix_BNN[:, first:, first:].mean(dim=1)


def is_pattern(name: str) -> bool:
    """Whether a trace key is that of a block's attention pattern."""
    return name.endswith(".attn.pattern")


def gradients(score_B: Tensor, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return the gradient of each picture's score by each of ``inputs``; zeros where it has none.

    A picture's score depends on that picture alone, so the gradient of their sum has them all.
    """
    if not score_B.requires_grad:  # an edit cut the graph: nothing changes the score
        return tuple(torch.zeros_like(one) for one in inputs)
    return torch.autograd.grad(
        score_B.sum(), list(inputs), allow_unused=True, materialize_grads=True
    )


def with_graph(tensor: Tensor) -> Tensor:
    """Return a tensor of which gradients can be asked, also where no graph leads to it."""
    return tensor if tensor.requires_grad else tensor.detach().requires_grad_()
