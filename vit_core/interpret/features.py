"""The features of a model without a head, for each image and each patch.

Shape suffixes as in ``vit_core.model``; P is the number of patches.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

COMPONENTS = 3  # one for each of red, green and blue


class PrincipalMap(NamedTuple):
    """The directions in which the patches of one image differ most.

    Attributes:
        scores: (P, R), each patch's coordinate along each direction; the mean patch is at 0. The
            sign of a direction is arbitrary; here the score of the largest size is positive.
        directions: (R, D), each of length 1, in order of falling variance.
        shares: (R,), each direction's share of the patches' variance, 0 to 1; all 0 if all patches
            are the same.
    """

    scores: Tensor
    directions: Tensor
    shares: Tensor


def principal_map(patches_PD: Tensor, components: int = COMPONENTS) -> PrincipalMap:
    """Return the first principal components of patch tokens, computed in float64.

    The P tokens are P points with D coordinates. Their mean is subtracted, then the singular value
    decomposition X - mean = U S Aᵀ gives the directions, the columns of A, and the scores U S.
    Source: "DINOv2: Learning Robust Visual Features without Supervision", section 7.5 and figure 1,
    https://arxiv.org/abs/2304.07193. The paper takes several images at once and leaves out the
    background; this function takes one image with all its patches.

    Args:
        patches_PD: patch tokens alone, without the class token and registers.

    Raises:
        ValueError: there are fewer patches or dimensions than components.
    """
    if patches_PD.ndim != 2 or min(patches_PD.shape) < components:
        raise ValueError(
            f"{components} components need as many patches and dimensions, not a tensor of shape "
            f"{tuple(patches_PD.shape)}"
        )
    points_PD = patches_PD.detach().double()
    centred_PD = points_PD - points_PD.mean(dim=0)
    left, spread, right = torch.linalg.svd(centred_PD, full_matrices=False)
    # if all patches are the same, rounding leaves a little variance that does not count
    noise = torch.finfo(patches_PD.dtype).eps * points_PD.norm()
    total = spread.square().sum() if spread.norm() > noise else torch.inf
    scores = left[:, :components] * spread[:components]
    largest = scores.gather(0, scores.abs().argmax(dim=0, keepdim=True))[0]
    signs = torch.where(largest < 0, -1.0, 1.0)
    return PrincipalMap(
        (scores * signs).to(patches_PD.dtype),
        (right[:components] * signs[:, None]).to(patches_PD.dtype),
        (spread[:components].square() / total).to(patches_PD.dtype),
    )


def cosine_similarities(feature_D: Tensor, others_BD: Tensor) -> Tensor:
    """Return the cosine similarity of one feature vector and each of several others: (B,).

    1 for the same direction, 0 for a right angle, and 0 if a vector has length 0.

    Args:
        feature_D: one vector.
        others_BD: B vectors of the same length.
    """
    return F.cosine_similarity(feature_D[None].double(), others_BD.double(), dim=1).to(feature_D)
