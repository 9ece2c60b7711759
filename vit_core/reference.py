"""The same weights in PyTorch's own modules: how far do this model's numbers lie from theirs?"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vit_core.model import EncoderBlock, ViT

TOLERANCE = 1e-5  # of the largest value; both round, in float32 to about 6e-8 at each step


@dataclass(frozen=True)
class Difference:
    """How far this model's numbers lie from those of PyTorch's module.

    Attributes:
        module: full name of PyTorch's module.
        largest: the largest absolute difference of any number.
        scale: the largest absolute number that PyTorch's module gave.
    """

    module: str
    largest: float
    scale: float

    @property
    def equal(self) -> bool:
        """Whether rounding alone explains it: at most ``TOLERANCE`` of the largest number."""
        return self.largest <= TOLERANCE * self.scale


@torch.no_grad()
def attention_difference(
    model: ViT, block: int, norm1_BND: Tensor, attn_out_BND: Tensor
) -> Difference:
    """Compare one block's attention with ``nn.MultiheadAttention``.

    Args:
        model: in evaluation mode when the tensors were recorded.
        block: index of the encoder block, from 0.
        norm1_BND: what the attention received.
        attn_out_BND: what it gave.

    Raises:
        ValueError: there is no such block, or PyTorch's module cannot express it.
    """
    ours = expressible(model, block)
    theirs = nn.MultiheadAttention(
        model.config.embed_dim,
        model.config.num_heads,
        batch_first=True,
        device="meta",  # takes no time, no memory, and nothing from the random generator
    )
    theirs.load_state_dict(attention_weights(ours), assign=True)
    expected, _ = theirs.eval()(norm1_BND, norm1_BND, norm1_BND, need_weights=False)
    return difference("nn.MultiheadAttention", attn_out_BND, expected)


@torch.no_grad()
def block_difference(
    model: ViT, block: int, resid_pre_BND: Tensor, resid_post_BND: Tensor
) -> Difference:
    """Compare one whole block with ``nn.TransformerEncoderLayer(norm_first=True)``.

    Args:
        model: in evaluation mode when the tensors were recorded.
        block: index of the encoder block, from 0.
        resid_pre_BND: what the block received.
        resid_post_BND: what it gave.

    Raises:
        ValueError: there is no such block, or PyTorch's module cannot express it.
    """
    ours, config = expressible(model, block), model.config
    theirs = nn.TransformerEncoderLayer(
        config.embed_dim,
        config.num_heads,
        config.mlp_dim,
        activation="gelu",
        layer_norm_eps=config.norm_eps,
        norm_first=True,
        batch_first=True,
        device="meta",
    )
    weights = {f"self_attn.{name}": value for name, value in attention_weights(ours).items()}
    parts = {
        "norm1": ours.norm1,
        "norm2": ours.norm2,
        "linear1": ours.mlp.fc1,
        "linear2": ours.mlp.fc2,
    }
    for name, part in parts.items():
        weights |= {f"{name}.weight": part.weight, f"{name}.bias": part.bias}
    theirs.load_state_dict(weights, assign=True)
    expected = theirs.eval()(resid_pre_BND)
    return difference("nn.TransformerEncoderLayer", resid_post_BND, expected)


def expressible(model: ViT, block: int) -> EncoderBlock:
    """Return the block, if PyTorch's modules have all of its parts.

    Raises:
        ValueError: they have not, or there is no such block.
    """
    if not 0 <= block < model.config.depth:
        raise ValueError(f"block must be from 0 to {model.config.depth - 1}, not {block}")
    if model.config.layer_scale is not None:
        raise ValueError("PyTorch's modules have no LayerScale, so they cannot be this block")
    return model.blocks[block]


def attention_weights(block: EncoderBlock) -> dict[str, Tensor]:
    """Return a block's attention weights under the names of ``nn.MultiheadAttention``."""
    qkv, proj = block.attn.qkv, block.attn.proj
    bias = qkv.weight.new_zeros(len(qkv.weight)) if qkv.bias is None else qkv.bias
    return {
        "in_proj_weight": qkv.weight,
        "in_proj_bias": bias,
        "out_proj.weight": proj.weight,
        "out_proj.bias": proj.bias,
    }


def difference(module: str, found: Tensor, expected: Tensor) -> Difference:
    if found.shape != expected.shape:
        raise ValueError(
            f"{module} gives {tuple(expected.shape)}, which cannot be compared with "
            f"{tuple(found.shape)}"
        )
    return Difference(module, float((found - expected).abs().max()), float(expected.abs().max()))
