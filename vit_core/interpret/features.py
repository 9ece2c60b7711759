"""What a model without a head offers: its features, image by image and patch by patch.

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
        scores: (P, R), each patch's place along each direction, the mean patch at 0. A direction's
            sign is free; here the largest score in size is positive.
        directions: (R, D), each of length 1, that of the most variance first.
        shares: (R,), of the patches' variance; all 0 where all patches are the same.
    """

    scores: Tensor
    directions: Tensor
    shares: Tensor


def principal_map(patches_PD: Tensor, components: int = COMPONENTS) -> PrincipalMap:
    """Return the first principal components of patch tokens, computed in float64.

    The P tokens are P points with D coordinates. Their mean is subtracted, then the singular value
    decomposition X - mean = U S Aᵀ gives the directions, the columns of A, and the scores U S.
    Source: "DINOv2: Learning Robust Visual Features without Supervision", section 7.5 and figure 1,
    https://arxiv.org/abs/2304.07193; there over several images at once and after leaving out the
    background, here over one image and all of its patches.

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
    # what rounding leaves of patches that are all the same is no variance
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
    """Return the cosine of the angle between one feature vector and each of others, (B,).

    1 for the same direction, 0 for a right angle; 0 for a vector of length 0.
    """
    return F.cosine_similarity(feature_D[None].double(), others_BD.double(), dim=1).to(feature_D)
