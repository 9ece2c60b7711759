"""Augmentation of a whole batch at once, as tensor code on the batch's own device."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from vit_core.data.share import Share

ROTATION, SCALE, SHEAR, SHIFT = math.radians(8), 0.08, 0.08, 0.06  # at strength 1
WARP, WARP_NODES = 0.10, 5  # at strength 1: standard deviation in half images, nodes on each axis
CROP = 0.65  # largest share of the area that a crop removes at strength 1
SMALLEST_CROP = 0.08  # smallest share of the area that a crop keeps at any strength
ASPECT = 4 / 3  # largest ratio of a crop's longer side to its shorter side at strength 1


def augment(
    images: Tensor,
    kind: str,
    strength: float,
    generator: torch.Generator,
    share: Share | None = None,
) -> Tensor:
    """Return randomly changed copies of ``images``, each with its own draws; gaps become 0.

    Args:
        images: (B, channels, height, width), in any range in which 0 is the background.
        kind: "none" | "shift" | "affine" | "elastic" | "crop" as in ``TrainConfig``.
        strength: scales the ranges below; 1 is usual.
        generator: on the images' device.
        share: which images of a larger batch these are; random numbers are drawn for all of it.

    Returns:
        The shape of ``images``; float32, or their own type for "none" and "shift".
    """
    share = share or Share.whole(len(images))
    if kind == "shift":
        return shift(images, round(strength), generator, share)
    if kind in ("affine", "elastic"):
        grid = affine_grid(images, strength, generator, share)
        if kind == "elastic":
            grid = grid + warp(images, strength, generator, share)
        return F.grid_sample(images.float(), grid, align_corners=False)
    if kind == "crop":
        return crop(images, strength, generator, share)
    return images


def flip(images: Tensor, generator: torch.Generator, share: Share | None = None) -> Tensor:
    """Mirror each image left to right with probability ½."""
    share = share or Share.whole(len(images))
    draws = torch.rand(share.total, generator=generator, device=images.device)
    mirrored = share.select(draws) < 0.5
    return torch.where(mirrored[:, None, None, None], images.flip(-1), images)


def shift(
    images: Tensor, pixels: int, generator: torch.Generator, share: Share | None = None
) -> Tensor:
    """Move each image by whole pixels, uniform in ± ``pixels`` on both axes."""
    share = share or Share.whole(len(images))
    batch, _, height, width = images.shape
    device = images.device
    padded = F.pad(images, (pixels,) * 4)
    size = (2, share.total, 1)
    draws = torch.randint(2 * pixels + 1, size, generator=generator, device=device)
    draws = share.select(draws, 1)
    rows = draws[0] + torch.arange(height, device=device)
    columns = draws[1] + torch.arange(width, device=device)
    index = torch.arange(batch, device=device)[:, None, None]
    # with advanced indices on both sides of the channel axis, that axis comes out last
    moved = padded[index, :, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def affine_grid(
    images: Tensor, strength: float, generator: torch.Generator, share: Share | None = None
) -> Tensor:
    """Return where to sample for a rotation, scale, shear and shift, each uniform in ± its range.

    Returns:
        (B, height, width, 2); the last axis is (x, y), from −1 to 1 across the image, as
        ``grid_sample`` takes it.
    """
    share = share or Share.whole(len(images))
    batch = len(images)
    draws = torch.rand((7, share.total), generator=generator, device=images.device) * 2 - 1
    turn, scale_x, scale_y, shear_x, shear_y, move_x, move_y = share.select(draws, 1) * strength
    cos, sin = (turn * ROTATION).cos(), (turn * ROTATION).sin()
    rotation = torch.stack((cos, -sin, sin, cos), dim=1).view(batch, 2, 2)
    stretch = torch.stack(
        (1 + scale_x * SCALE, shear_x * SHEAR, shear_y * SHEAR, 1 + scale_y * SCALE), dim=1
    ).view(batch, 2, 2)
    # affine_grid's unit is half an image: a shift of 6 % of the width is 0.12
    move = 2 * SHIFT * torch.stack((move_x, move_y), dim=1)[:, :, None]
    theta = torch.cat((rotation @ stretch, move), dim=2)
    return F.affine_grid(theta, list(images.shape), align_corners=False)


def warp(
    images: Tensor, strength: float, generator: torch.Generator, share: Share | None = None
) -> Tensor:
    """Return a smooth random displacement, (B, height, width, 2), in units of half an image.

    The nodes of a coarse lattice get independent normal displacements, which are interpolated
    bicubically. It is an elastic distortion as in Simard et al. 2003, "Best practices for
    convolutional neural networks applied to visual document analysis"; they smooth noise with a
    Gaussian instead.
    """
    share = share or Share.whole(len(images))
    nodes = torch.randn(
        (share.total, 2, WARP_NODES, WARP_NODES), generator=generator, device=images.device
    )
    field = F.interpolate(
        share.select(nodes) * (WARP * strength),
        size=images.shape[-2:],
        mode="bicubic",
        align_corners=True,
    )
    return field.permute(0, 2, 3, 1)


def smallest_area(strength: float) -> float:
    """Return the smallest share of an image's area that a crop may have."""
    return max(1 - CROP * strength, SMALLEST_CROP)


def widest_crop(strength: float) -> float:
    """Return the largest ratio of a crop's width to its height, and of its height to its width."""
    return float(ASPECT ** min(strength, 1.0))


def crop(
    images: Tensor, strength: float, generator: torch.Generator, share: Share | None = None
) -> Tensor:
    """Cut a random rectangle out of each image and resize it to the whole image.

    Its share of the area, the logarithm of its aspect ratio and its position are uniform: the crop
    of C. Szegedy et al. 2015, https://arxiv.org/abs/1409.4842, section 6.
    """
    share = share or Share.whole(len(images))
    draws = share.select(torch.rand((4, share.total), generator=generator, device=images.device), 1)
    smallest, widest = smallest_area(strength), math.log(widest_crop(strength))
    area = smallest + (1 - smallest) * draws[0]
    aspect = (widest * (2 * draws[1] - 1)).exp()
    width, height = (area * aspect).sqrt().clamp(max=1), (area / aspect).sqrt().clamp(max=1)
    left, top = (1 - width) * (2 * draws[2] - 1), (1 - height) * (2 * draws[3] - 1)
    zero = torch.zeros_like(width)
    rows = (torch.stack((width, zero, left), 1), torch.stack((zero, height, top), 1))
    grid = F.affine_grid(torch.stack(rows, dim=1), list(images.shape), align_corners=False)
    return F.grid_sample(images.float(), grid, padding_mode="border", align_corners=False)
