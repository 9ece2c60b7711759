"""Augmentation of a whole batch at once, as tensor code on the batch's own device."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

ROTATION, SCALE, SHEAR, SHIFT = math.radians(8), 0.08, 0.08, 0.06  # at strength 1
WARP, WARP_NODES = 0.10, 5  # at strength 1: standard deviation in half images, nodes on each axis


def augment(images: Tensor, kind: str, strength: float, generator: torch.Generator) -> Tensor:
    """Return randomly changed copies of ``images``, each by its own draw; gaps are filled with 0.

    Args:
        images: (B, channels, height, width), in any range in which 0 is the background.
        kind: "none" | "shift" | "affine" | "elastic" as in ``TrainConfig``.
        strength: scales the ranges below.
        generator: on the images' device.
    """
    if kind == "shift":
        return shift(images, round(strength), generator)
    if kind in ("affine", "elastic"):
        grid = affine_grid(images, strength, generator)
        if kind == "elastic":
            grid = grid + warp(images, strength, generator)
        return F.grid_sample(images.float(), grid, align_corners=False)
    return images


def flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror each image left to right with probability ½."""
    mirrored = torch.rand(len(images), generator=generator, device=images.device) < 0.5
    return torch.where(mirrored[:, None, None, None], images.flip(-1), images)


def shift(images: Tensor, pixels: int, generator: torch.Generator) -> Tensor:
    """Move each image by whole pixels, uniform in ± ``pixels`` on both axes."""
    batch, _, height, width = images.shape
    device = images.device
    padded = F.pad(images, (pixels,) * 4)
    draws = torch.randint(2 * pixels + 1, (2, batch, 1), generator=generator, device=device)
    rows = draws[0] + torch.arange(height, device=device)
    columns = draws[1] + torch.arange(width, device=device)
    index = torch.arange(batch, device=device)[:, None, None]
    # the advanced indices stand around the channel axis, so it comes out last
    moved = padded[index, :, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def affine_grid(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Return where to sample for a rotation, scale, shear and shift, each uniform in ± its range.

    (B, height, width, 2); the last axis is (x, y) in half images from the centre, as
    ``grid_sample`` takes it.
    """
    batch = len(images)
    draws = torch.rand((7, batch), generator=generator, device=images.device) * 2 - 1
    turn, scale_x, scale_y, shear_x, shear_y, move_x, move_y = draws * strength
    cos, sin = (turn * ROTATION).cos(), (turn * ROTATION).sin()
    rotation = torch.stack((cos, -sin, sin, cos), dim=1).view(batch, 2, 2)
    stretch = torch.stack(
        (1 + scale_x * SCALE, shear_x * SHEAR, shear_y * SHEAR, 1 + scale_y * SCALE), dim=1
    ).view(batch, 2, 2)
    # affine_grid measures in half images: a shift of 6 % of the width is 0.12 there
    move = 2 * SHIFT * torch.stack((move_x, move_y), dim=1)[:, :, None]
    theta = torch.cat((rotation @ stretch, move), dim=2)
    return F.affine_grid(theta, list(images.shape), align_corners=False)


def warp(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Return a smooth random displacement, (B, height, width, 2) in half images.

    Independent normal displacements at a coarse lattice of nodes, interpolated bicubically: an
    elastic distortion in the sense of Simard et al. 2003, "Best practices for convolutional neural
    networks applied to visual document analysis", which smooths noise with a Gaussian instead.
    """
    nodes = torch.randn(
        (len(images), 2, WARP_NODES, WARP_NODES), generator=generator, device=images.device
    )
    field = F.interpolate(
        nodes * (WARP * strength), size=images.shape[-2:], mode="bicubic", align_corners=True
    )
    return field.permute(0, 2, 3, 1)
