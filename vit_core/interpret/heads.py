"""What single attention heads do: where they look, what they add, what they change.

Shape suffixes as in ``vit_core.model``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vit_core.config import ViTConfig
from vit_core.interpret.changed import is_changed
from vit_core.model import EncoderBlock, ViT
from vit_core.tap import Tap
from vit_core.trace import Edit, output_with

# bytes of memory for passes that run together: four times as many take no less time
AT_ONCE = 8 * 1024**2


class Head(NamedTuple):
    """One attention head; both count from 0."""

    block: int
    head: int


def row_entropy(pattern_BHNN: Tensor) -> Tensor:
    """Return the entropy of every query's weights in nats, (…, N, N) → (…, N).

    -Σ_j a_j ln a_j: 0 if one key gets all the attention, ln N if all keys get the same. Divide by
    ln 2 for bits.
    """
    entropy_BHNN: Tensor = torch.special.entr(pattern_BHNN)
    return entropy_BHNN.sum(dim=-1)


def head_entropy(pattern_BHNN: Tensor) -> Tensor:
    """Return each head's entropy in nats, the mean over all queries: (…, N, N) → (…)."""
    return row_entropy(pattern_BHNN).mean(dim=-1)


def patch_distances(grid: tuple[int, int]) -> Tensor:
    """Return the distances between the centres of all pairs of patches, (P, P), in patches.

    Neighbours in a row or a column are 1 apart, diagonal ones √2.

    Args:
        grid: rows and columns of patches.
    """
    rows, columns = grid
    places = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).view(-1, 2).double()
    return torch.cdist(places, places, compute_mode="donot_use_mm_for_euclid_dist").float()


def mean_attention_distance(pattern_BHNN: Tensor, grid: tuple[int, int]) -> Tensor:
    """Return how far each head looks on average, in patches: (…, N, N) → (…).

    For each patch as query, the mean distance to all patches, weighted by the attention; then the
    mean over all queries. The class token and registers have no position in the image. They are
    left out as queries and as keys, and the other weights are scaled to sum to 1 again. A query
    that gives no attention to patches is left out, too. NaN if no query is left.

    Source: "An Image is Worth 16x16 Words", section 4.5 and figure 7 (right), which reports it in
    pixels: multiply by the patch size.

    Args:
        grid: rows and columns of patches, which are the last tokens.

    Raises:
        ValueError: there are fewer tokens than patches.
    """
    distances = patch_distances(grid).to(pattern_BHNN)
    patches = len(distances)
    if pattern_BHNN.shape[-1] < patches:
        raise ValueError(
            f"a pattern of {pattern_BHNN.shape[-1]} tokens has no {grid[0]} x {grid[1]} patches"
        )
    weights = pattern_BHNN[..., -patches:, -patches:]
    return ((weights * distances).sum(dim=-1) / weights.sum(dim=-1)).nanmean(dim=-1)


def head_contributions(block: EncoderBlock, z_BHNK: Tensor) -> Tensor:
    """Return what each head alone writes into the residual stream, (B, H, N, K) → (B, H, N, D).

    The projection of all heads side by side is a sum: z U_msa = Σ_h z_h U_h, where U_h are the K
    columns of the weights that belong to head h (appendix A, equation 8). The contributions and the
    projection's bias, which belongs to no head, add up to the block's ``attn_out``.

    Args:
        z_BHNK: the block's ``attn.z``.
    """
    weight_DHK = torch.unflatten(block.attn.proj.weight, 1, (z_BHNK.shape[1], z_BHNK.shape[3]))
    written_BHND: Tensor = block.ls1(torch.einsum("bhnk,dhk->bhnd", z_BHNK, weight_DHK))
    return written_BHND


def switch_heads_off(config: ViTConfig, heads: Iterable[tuple[int, int]]) -> Mapping[str, Edit]:
    """Return the edits of ``trace`` that switch ``heads`` off, (block, head) pairs from 0.

    A head that is switched off gives zeros instead of its mix of values, before the projection. The
    other heads, the projection's bias and all later layers are not changed. Nothing is scaled up to
    compensate.

    Raises:
        ValueError: the model has no such head.
    """
    off: dict[int, list[int]] = {}
    for block, head in heads:
        if not (0 <= block < config.depth and 0 <= head < config.num_heads):
            raise ValueError(
                f"there is no head {head} in block {block}; blocks are from 0 to "
                f"{config.depth - 1}, heads from 0 to {config.num_heads - 1}"
            )
        off.setdefault(block, []).append(head)
    return {f"blocks.{block}.attn.z": silence(those) for block, those in off.items()}


def silence(heads: list[int]) -> Edit:
    """Return an edit that sets ``attn.z`` of these heads to zero."""

    def edit(z_BHNK: Tensor) -> Tensor:
        z_BHNK[:, heads] = 0
        return z_BHNK

    return edit


@torch.no_grad()
def head_effects(model: ViT, images: Tensor) -> Tensor:
    """Return the logits with each single head switched off, (depth, H, B, num_classes).

    A backbone, which has no logits, gives its pooled features: (depth, H, B, D).

    The result equals ``trace(model, images, switch_heads_off(model.config, [(block, head)]))`` for
    each head, at about half the cost: the heads of one block run as one batch, with a copy of the
    images for each head, from that block on, as many at once as fit into ``AT_ONCE``. A flawed
    model (``vit_core.mistakes``) runs as such traces.

    Args:
        model: used as it is, in its training or evaluation mode.
        images: (B, channels, height, width), normalised as for the model.
    """
    heads, batch = model.config.num_heads, len(images)
    if is_changed(model):  # a single block does not know of it
        edited = [
            output_with(model, images, switch_heads_off(model.config, [(block, head)]))
            for block in range(model.config.depth)
            for head in range(heads)
        ]
        return torch.unflatten(torch.stack(edited), 0, (model.config.depth, heads))
    stream_BND = model.embed(model.patch_embed(images))
    at_once = max(1, AT_ONCE // (batch * block_bytes(model.config)))
    outputs: list[Tensor] = []
    for index, block in enumerate(model.blocks):
        for first in range(0, heads, at_once):
            some = range(first, min(first + at_once, heads))
            copies = block(stream_BND.repeat(len(some), 1, 1), one_off_each(batch, some))
            for later in model.blocks[index + 1 :]:
                copies = later(copies)
            logits = model.forward_head(model.norm(copies))
            outputs.append(torch.unflatten(logits, 0, (len(some), batch)))
        stream_BND = block(stream_BND)
    return torch.unflatten(torch.cat(outputs), 0, (model.config.depth, heads))


def block_bytes(config: ViTConfig) -> int:
    """Return about how much memory one block's pass takes for one image, in bytes."""
    N, D, H, M = config.num_tokens, config.embed_dim, config.num_heads, config.mlp_dim
    return 4 * max(2 * H * N * N + 5 * N * D, 2 * N * M + 3 * N * D)


def one_off_each(batch: int, heads: Sequence[int]) -> Tap:
    """Return a tap that switches the h-th of ``heads`` off in the h-th copy of a batch."""

    def tap(name: str, tensor: Tensor) -> Tensor:
        if name == "attn.z":
            tensor = tensor.clone()
            for index, head in enumerate(heads):
                tensor[index * batch : (index + 1) * batch, head] = 0
        return tensor

    return tap
