"""The filters of the patch embedding: as images, and their principal components.

A filter is one row of the weights: the numbers that every patch is multiplied by to get one
dimension of its embedding. Shape suffixes as in ``vit_core.model``; V is the number of values of a
patch, channels · patch height · patch width.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vit_core.model import PatchEmbed


class PrincipalFilters(NamedTuple):
    """The R = min(D, V) directions in which the filters differ most, in order.

    Attributes:
        filters: (R, channels, ph, pw), each of length 1. The sign is arbitrary; here the value of
            the largest size is positive.
        shares: (R,), each direction's share of the filters' variance. They sum to 1, or are all 0
            if all filters are the same.
        mean: (channels, ph, pw), the mean filter, which was subtracted.
    """

    filters: Tensor
    shares: Tensor
    mean: Tensor


def filter_images(weight_DV: Tensor, patch_hw: tuple[int, int], channels: int = 1) -> Tensor:
    """Return each filter in the shape of a patch: (D, V) → (D, channels, ph, pw).

    Args:
        weight_DV: ``patch_embed.proj.weight``.
        patch_hw: (ph, pw), height and width of a patch in pixels.

    Raises:
        ValueError: V is not channels · ph · pw.
    """
    height, width = patch_hw
    if weight_DV.ndim != 2 or weight_DV.shape[1] != channels * height * width:
        raise ValueError(
            f"weights of shape {tuple(weight_DV.shape)} hold no filters of {channels} x {height} x "
            f"{width} values; it must be (filters, {channels * height * width})"
        )
    return weight_DV.reshape(-1, channels, height, width)


def principal_filters(
    weight_DV: Tensor, patch_hw: tuple[int, int], channels: int = 1
) -> PrincipalFilters:
    """Return the principal components of the filters, in order of falling variance.

    The D filters are D points with V coordinates. Their mean is subtracted, then the singular
    value decomposition W - mean = U S Aᵀ gives the components, the columns of A; a component's
    share of the variance is its s² over the sum of all s². Computed in float64.

    Source: "An Image is Worth 16x16 Words", section 4.5 and figure 7 (left), "the top principal
    components of the learned embedding filters". It does not say whether the mean was subtracted;
    here it is, as principal component analysis does.

    Args:
        weight_DV, patch_hw, channels: as ``filter_images`` takes them.

    Raises:
        ValueError: V is not channels · ph · pw.
    """
    filters = filter_images(weight_DV, patch_hw, channels)
    points_DV = weight_DV.detach().double()
    mean_V = points_DV.mean(dim=0)
    spread, directions_RV = torch.linalg.svd(points_DV - mean_V, full_matrices=False)[1:]
    largest = directions_RV.gather(1, directions_RV.abs().argmax(dim=1, keepdim=True))
    variances = spread.square()
    # if all filters are the same, rounding leaves a little variance that does not count
    noise = torch.finfo(weight_DV.dtype).eps * points_DV.norm()
    total = variances.sum() if spread.norm() > noise else torch.inf
    return PrincipalFilters(
        (directions_RV * largest.sign()).reshape(-1, *filters.shape[1:]).to(weight_DV),
        (variances / total).to(weight_DV),
        mean_V.reshape(filters.shape[1:]).to(weight_DV),
    )


def neighbour_agreement(filters: Tensor) -> float:
    """Return how similar neighbouring weights are, for filters (D, channels, height, width).

    The mean product of two neighbours in a row or a column, divided by the mean square of all
    weights. About 0 for independent random weights, ± 1 / √(number of pairs); 1 for uniform grey;
    negative for a chequered pattern. NaN if no weight has a neighbour, or all are 0.
    """
    filters = filters.double()
    across = filters[..., 1:] * filters[..., :-1]
    down = filters[..., 1:, :] * filters[..., :-1, :]
    products = torch.cat((across.flatten(), down.flatten()))
    return float(products.mean() / filters.square().mean())


def embed_by_convolution(embedding: PatchEmbed, images: Tensor) -> Tensor:
    """Embed the patches by a convolution with the filters as kernels: images → (B, P, D).

    The result equals ``embedding(images)`` up to rounding, because a convolution whose stride is
    the size of its kernel covers each patch once.

    Args:
        images: (B, channels, height, width), normalised as for the model.
    """
    weight, bias = embedding.proj.weight, embedding.proj.bias
    kernel = filter_images(weight, embedding.patch_size, images.shape[1])
    maps = F.conv2d(images, kernel, bias, stride=embedding.patch_size)
    return maps.flatten(2).transpose(1, 2)
