"""Queries and keys of one head as points of one plane, so that pairs which attend lie together.

Source: "AttentionViz: A Global View of Transformer Attention", Yeh et al. 2023,
https://arxiv.org/abs/2305.03210, which draws queries and keys of many inputs in one projection.
There it is t-SNE or UMAP; here it is the first two principal components, which give the same
picture each time.

Shape suffixes as in ``vit_core.model``; n counts points.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from vit_core.interpret.embedding_map import principal_plane
from vit_core.model import ViT


class HeadTokens(NamedTuple):
    """Queries, keys and weights of one head for some pictures.

    Attributes:
        queries, keys: (B, N, K).
        pattern: (B, N, N) attention weights, rows are queries.
    """

    queries: Tensor
    keys: Tensor
    pattern: Tensor


class QueryKeyPlane(NamedTuple):
    """Queries and keys as points of one plane.

    Attributes:
        queries: (n, 2).
        keys: (m, 2).
        shares: (2,) each component's share of the variance of all points, 0 to 1.
        factor: what the queries were multiplied by, and the keys divided by.
    """

    queries: Tensor
    keys: Tensor
    shares: Tensor
    factor: float


@torch.no_grad()
def head_tokens(model: ViT, images: Tensor, block: int, head: int) -> HeadTokens:
    """Run pictures, and keep one head's queries, keys and pattern, as they ran.

    Args:
        images: (B, channels, height, width), normalised as for the model.
        block, head: from 0.
    """
    prefix = f"blocks.{block}.attn."
    found: dict[str, Tensor] = {}

    def keep(name: str, tensor: Tensor) -> Tensor:
        if name in (f"{prefix}q", f"{prefix}k", f"{prefix}pattern"):
            found[name.removeprefix(prefix)] = tensor[:, head].clone()
        return tensor

    model.forward_features(images, keep)
    return HeadTokens(found["q"], found["k"], found["pattern"])


def query_key_plane(queries_NK: Tensor, keys_NK: Tensor) -> QueryKeyPlane:
    """Project queries and keys together, after two steps that leave every softmax as it is.

    A head compares queries with keys by their dot product only. So all queries may be multiplied by
    a number c if all keys are divided by it; and all keys may be moved by the same vector, since
    that adds the same number to all scores of a query, which its softmax does not see. c makes the
    spread of both equal, and the keys are moved until their mean is the queries'. Without that,
    queries and keys often lie so far apart that a plane shows that alone.

    Args:
        queries_NK, keys_NK: (n, K) and (m, K), n and m at least 1.
    """
    queries, keys = queries_NK.double(), keys_NK.double()
    spread_q, spread_k = spread(queries), spread(keys)
    factor = math.sqrt(spread_k / spread_q) if spread_q > 0 and spread_k > 0 else 1.0
    queries, keys = factor * queries, keys / factor
    keys = keys + queries.mean(dim=0) - keys.mean(dim=0)
    plane = principal_plane(torch.cat((queries, keys)))
    count = len(queries)
    return QueryKeyPlane(plane.points[:count], plane.points[count:], plane.shares, factor)


def spread(points_NK: Tensor) -> float:
    """Return the root of the points' mean squared distance from their mean."""
    return float((points_NK - points_NK.mean(dim=0)).square().sum(dim=1).mean().sqrt())
