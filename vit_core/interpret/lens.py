"""The residual stream as logits: after each block, and split by what each part added.

Shape suffixes as in ``vit_core.model``; C is the number of classes.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vit_core.config import ViTConfig
from vit_core.mistakes import flaws_of
from vit_core.model import ViT


class Attribution(NamedTuple):
    """The logits as a sum, one summand for each writer into the residual stream.

    Attributes:
        writers: trace keys of the summands: ``embed``, then each block's ``attn_out`` and
            ``mlp_out``, in the order of the forward pass.
        logits: (B, writers, C), what each adds to each logit.
        pooled: (B, writers, D), what each adds to the vector that the head reads.
        constant: (C,), what the biases of the final LayerNorm and of the head add; the same for
            every image.
    """

    writers: tuple[str, ...]
    logits: Tensor
    pooled: Tensor
    constant: Tensor


def stream_keys(config: ViTConfig) -> tuple[str, ...]:
    """Return the trace keys of the residual stream: before the first block, and after each."""
    return ("embed", *(f"blocks.{block}.resid_post" for block in range(config.depth)))


def writer_keys(config: ViTConfig) -> tuple[str, ...]:
    """Return the trace keys of all that is written into the residual stream."""
    sub_layers = ("attn_out", "mlp_out")
    return (
        "embed",
        *(f"blocks.{block}.{name}" for block in range(config.depth) for name in sub_layers),
    )


@torch.no_grad()
def logit_lens(model: ViT, tensors: Mapping[str, Tensor]) -> Tensor:
    """Return the logits that the residual stream would give before the first and after each block.

    Each stage goes through the final LayerNorm, the pooling and the head, as if the later blocks
    did not exist: (B, depth + 1, C) logits. The last stage gives the model's logits. The head was
    trained for the last stage only, so its answers for early stages may be misleading.

    Args:
        tensors: of a trace of ``model``.

    Source: nostalgebraist, "interpreting GPT: the logit lens" (2020).
    """
    norm = model.norm if flaws_of(model).layer_norm else nn.Identity()
    stages = [model.forward_head(norm(tensors[key])) for key in stream_keys(model.config)]
    return torch.stack(stages, dim=1)


@torch.no_grad()
def logit_attribution(model: ViT, tensors: Mapping[str, Tensor]) -> Attribution:
    """Split each logit into what every part wrote into the residual stream.

    The stream before the final LayerNorm is the embedding plus what every sub-layer added. That
    LayerNorm subtracts the mean, which splits exactly, and divides by the standard deviation, which
    does not: it is held at the value that the whole stream has (direct logit attribution with a
    frozen LayerNorm scale). Then everything up to the logits is linear, and the summands and the
    constant add up to the model's logits exactly, but for rounding. It says what each part wrote
    for the head to read, not what would happen without it: later blocks read it, too. In a model
    without residual connections the last writer replaces all that was there, so that the others add
    nothing.

    Args:
        tensors: of a trace of ``model`` in its evaluation mode.

    Raises:
        ValueError: the model is a backbone, which has no logits.

    Source: Elhage et al., "A Mathematical Framework for Transformer Circuits" (2021).
    """
    config, head, flaws = model.config, model.head, flaws_of(model)
    if not isinstance(head, nn.Linear):
        raise ValueError("a backbone has no logits to split; give a model with classes")
    writers = writer_keys(config)
    written_BWND = torch.stack([tensors[key] for key in writers], dim=1)
    if not flaws.residual:
        written_BWND[:, :-1] = 0
    constant_D = torch.zeros_like(head.weight[0])
    if isinstance(model.norm, nn.LayerNorm) and flaws.layer_norm:
        last_BND = tensors[stream_keys(config)[-1]]
        variance_BN1 = last_BND.var(dim=-1, correction=0, keepdim=True)
        scale_BN1 = torch.rsqrt(variance_BN1 + model.norm.eps)
        centred_BWND = written_BWND - written_BWND.mean(dim=-1, keepdim=True)
        written_BWND = centred_BWND * scale_BN1.unsqueeze(1) * model.norm.weight
        constant_D = model.norm.bias
    if config.pool == "cls":
        pooled_BWD = written_BWND[:, :, 0]
    else:
        pooled_BWD = written_BWND[:, :, config.num_prefix_tokens :].mean(dim=2)
    logits_BWC = pooled_BWD @ head.weight.T
    return Attribution(writers, logits_BWC, pooled_BWD, head.weight @ constant_D + head.bias)
