"""Generic attention explainability: attention that would move the answer, multiplied through.

H. Chefer, S. Gur & L. Wolf 2021, "Generic Attention-model Explainability for Interpreting
Bi-Modal and Encoder-Decoder Transformers", https://arxiv.org/abs/2103.15679, section 3.1, for
self-attention alone. A weight of a pattern counts by how much the target would rise with it; heads
through which the target would fall count as nothing. Values and MLPs are left out of the product,
and the gradient says what a tiny change would do.
"""

import torch
from torch import Tensor

from vit_core.interpret.attribution.reading import gradients, is_pattern, read_row, with_graph
from vit_core.interpret.attribution.result import Attribution
from vit_core.interpret.attribution.task import Task


def gradient_attention(task: Task) -> Attribution:
    """Return R ← R + E_h[(∇A ⊙ A)⁺] R over all blocks from R = I, the row that is read: (B, P).

    A is a block's pattern and ∇A the target's gradient by it. What is below 0 becomes 0 in each
    head, then comes the mean over the heads.
    """
    chunks = task.chunks(len(task.images), backward=True)
    parts = [read_row(task.config, relevance(task, some)) for some in chunks]
    kind = f"attention times the gradient of {task.target.words} by it, all blocks; at least 0"
    return Attribution("gradient_attention", torch.cat(parts), kind, False, None, passes=1)


def relevance(task: Task, some: Tensor) -> Tensor:
    """Return R after the last block for some of the pictures, (R, N, N)."""
    patterns: list[Tensor] = []  # of each block, in the order of the pass

    def tap(name: str, tensor: Tensor) -> Tensor:
        if is_pattern(name):
            tensor = with_graph(tensor)
            patterns.append(tensor)
        return tensor

    output_RC = task.model(task.images[some], tap)
    slopes = gradients(task.target.score(output_RC, some), patterns)
    N = task.config.num_tokens
    related_RNN = torch.eye(N, dtype=output_RC.dtype, device=output_RC.device)
    related_RNN = related_RNN.expand(len(some), N, N)
    for pattern_RHNN, slope_RHNN in zip(patterns, slopes, strict=True):
        through_RNN = (slope_RHNN * pattern_RHNN.detach()).clamp_min(0).mean(dim=1)
        related_RNN = related_RNN + through_RNN @ related_RNN
    return related_RNN
