"""Run the same weights in PyTorch's own modules and compare the results."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vit_core.model import EncoderBlock, LayerScale, ViT

TOLERANCE = 1e-5  # relative to the largest value; float32 rounds by about 6e-8 at each step


@dataclass(frozen=True)
class Difference:
    """How far this model's numbers are from those of PyTorch's module.

    Attributes:
        module: full name of PyTorch's module.
        largest: the largest absolute difference of any number.
        scale: the largest absolute number that PyTorch's module gave.
        has_layer_scale: whether the block has LayerScale. PyTorch's modules do not, so its factors
            are multiplied into the matrices before it, which computes the same.
    """

    module: str
    largest: float
    scale: float
    has_layer_scale: bool = False

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
        norm1_BND: the input of the attention.
        attn_out_BND: its output, after LayerScale if there is one.

    Raises:
        ValueError: there is no such block.
    """
    ours = block_of(model, block)
    theirs = nn.MultiheadAttention(
        model.config.embed_dim,
        model.config.num_heads,
        batch_first=True,
        device="meta",  # takes no time and no memory, and draws no random numbers
    )
    theirs.load_state_dict(attention_weights(ours), assign=True)
    expected, _ = theirs.eval()(norm1_BND, norm1_BND, norm1_BND, need_weights=False)
    return difference("nn.MultiheadAttention", attn_out_BND, expected, ours)


@torch.no_grad()
def block_difference(
    model: ViT, block: int, resid_pre_BND: Tensor, resid_post_BND: Tensor
) -> Difference:
    """Compare one whole block with ``nn.TransformerEncoderLayer(norm_first=True)``.

    Args:
        model: in evaluation mode when the tensors were recorded.
        block: index of the encoder block, from 0.
        resid_pre_BND: the input of the block.
        resid_post_BND: its output.

    Raises:
        ValueError: there is no such block.
    """
    ours, config = block_of(model, block), model.config
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
    parts: dict[str, nn.LayerNorm | nn.Linear] = {
        "norm1": ours.norm1,
        "norm2": ours.norm2,
        "linear1": ours.mlp.fc1,
    }
    for name, part in parts.items():
        weights |= {f"{name}.weight": part.weight, f"{name}.bias": part.bias}
    weights |= scaled("linear2", ours.mlp.fc2, ours.ls2)
    theirs.load_state_dict(weights, assign=True)
    expected = theirs.eval()(resid_pre_BND)
    return difference("nn.TransformerEncoderLayer", resid_post_BND, expected, ours)


def block_of(model: ViT, block: int) -> EncoderBlock:
    """Return one encoder block.

    Raises:
        ValueError: there is no such block.
    """
    if not 0 <= block < model.config.depth:
        raise ValueError(f"block must be from 0 to {model.config.depth - 1}, not {block}")
    encoder_block = model.blocks[block]
    assert isinstance(encoder_block, EncoderBlock)  # a ModuleList has no type for its elements
    return encoder_block


def scaled(name: str, layer: nn.Linear, scale: nn.Module) -> dict[str, Tensor]:
    """Return a layer's weights with LayerScale multiplied in: γ ⊙ (W x + b) = (γ W) x + γ b."""
    if not isinstance(scale, LayerScale):
        return {f"{name}.weight": layer.weight, f"{name}.bias": layer.bias}
    gamma_D = scale.gamma
    return {
        f"{name}.weight": nn.Parameter(layer.weight * gamma_D[:, None]),
        f"{name}.bias": nn.Parameter(layer.bias * gamma_D),
    }


def attention_weights(block: EncoderBlock) -> dict[str, Tensor]:
    """Return a block's attention weights under the names of ``nn.MultiheadAttention``."""
    qkv = block.attn.qkv
    bias = qkv.weight.new_zeros(len(qkv.weight)) if qkv.bias is None else qkv.bias
    return {
        "in_proj_weight": qkv.weight,
        "in_proj_bias": bias,
        **scaled("out_proj", block.attn.proj, block.ls1),
    }


def difference(module: str, ours: Tensor, expected: Tensor, block: EncoderBlock) -> Difference:
    """Return how far ``ours`` is from ``expected``, which PyTorch's ``module`` gave.

    Raises:
        ValueError: they have different shapes.
    """
    if ours.shape != expected.shape:
        raise ValueError(
            f"{module} gives {tuple(expected.shape)}, which cannot be compared with "
            f"{tuple(ours.shape)}"
        )
    return Difference(
        module,
        float((ours - expected).abs().max()),
        float(expected.abs().max()),
        isinstance(block.ls1, LayerScale),
    )
