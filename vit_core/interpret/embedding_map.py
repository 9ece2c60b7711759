"""Many pictures as points: what a model makes of each after every block, drawn in two dimensions.

A picture's row is that of its class token, or the mean of its patches where there is none: what
the head reads in the end. The rows of one block are points with D coordinates. Their first two
principal components are the plane in which they differ most; a plane has no top and no left, so
planes of neighbouring blocks are turned and mirrored until the same points lie close together.

Shape suffixes as in ``vit_core.model``; S stages (before the first block, and after each), n
pictures, E epochs.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vit_core.interpret.left_out import passes_at_once
from vit_core.interpret.probe import dealt, minimum
from vit_core.model import ViT

COMPONENTS = 2
PENALTY = 1e-3  # of the probes; one for all stages, so that they can be compared
STEPS, TOLERANCE = 100, 1e-5  # of a probe's search
ROUNDING = 1e-5  # of the points' size; points that are closer together count as one point


class Stream(NamedTuple):
    """What a model makes of pictures on its way.

    Attributes:
        rows: (S, n, D) each picture's row; index 0 of S is before the first block.
        output: (n, C) logits, or (n, D) features of a model without a head.
    """

    rows: Tensor
    output: Tensor


class Plane(NamedTuple):
    """Points in the plane of their first two principal components.

    Attributes:
        points: (n, 2), the mean point at 0; zeros where there is no such component.
        shares: (2,) each component's share of the points' variance, 0 to 1; all 0 if all points
            are the same.
        directions: (2, D), each of length 1 or 0.
    """

    points: Tensor
    shares: Tensor
    directions: Tensor


@torch.no_grad()
def pooled_stream(model: ViT, images: Tensor) -> Stream:
    """Run pictures, and keep of each stage only the row that the head would read.

    The pass goes through the tap, so that a flawed or changed model runs as it is. It is made in
    chunks, so that its memory does not grow with the pictures.

    Args:
        images: (n, channels, height, width), normalised as for the model; n at least 1.
    """
    config = model.config
    keys = ["blocks.0.resid_pre", *(f"blocks.{block}.resid_post" for block in range(config.depth))]
    chunks, outputs = [], []
    at_once = passes_at_once(config)
    for start in range(0, len(images), at_once):
        rows: dict[str, Tensor] = {}

        def keep(name: str, x_BND: Tensor, rows: dict[str, Tensor] = rows) -> Tensor:
            if name in keys:
                is_cls = config.pool == "cls"
                rows[name] = (
                    x_BND[:, 0].clone() if is_cls else x_BND[:, config.num_prefix_tokens :].mean(1)
                )
            return x_BND

        outputs.append(model(images[start : start + at_once], keep))
        chunks.append(torch.stack([rows[key] for key in keys]))
    return Stream(torch.cat(chunks, dim=1), torch.cat(outputs))


def principal_plane(points_ND: Tensor) -> Plane:
    """Return points in the plane of their first two principal components, computed in float64.

    The mean is subtracted; the directions are the eigenvectors of XᵀX with the largest eigenvalues,
    or are found from those of XXᵀ where there are fewer points than dimensions. The sign of each is
    arbitrary; here the coordinate of the largest size is positive.

    Args:
        points_ND: (n, D), n at least 1.
    """
    exact_ND = points_ND.detach().double()
    centred_ND = exact_ND - exact_ND.mean(dim=0)
    count, width = centred_ND.shape
    total = centred_ND.square().sum()
    points, shares = exact_ND.new_zeros(count, COMPONENTS), exact_ND.new_zeros(COMPONENTS)
    directions = exact_ND.new_zeros(COMPONENTS, width)
    if total.sqrt() <= ROUNDING * exact_ND.norm():
        return Plane(points, shares, directions)
    is_tall = count >= width
    values, vectors = torch.linalg.eigh(
        centred_ND.T @ centred_ND if is_tall else centred_ND @ centred_ND.T
    )
    for place in range(min(COMPONENTS, len(values))):
        value, vector = values[-1 - place], vectors[:, -1 - place]
        if value <= ROUNDING**2 * total:
            break
        direction = vector if is_tall else centred_ND.T @ vector / value.sqrt()
        coordinates = centred_ND @ direction
        sign = -1.0 if coordinates[coordinates.abs().argmax()] < 0 else 1.0
        points[:, place], directions[place] = sign * coordinates, sign * direction
        shares[place] = value / total
    return Plane(points, shares, directions)


def filled(points_N2: Tensor) -> Tensor:
    """Return points in a size of their own: their mean squared distance from 0 becomes 1."""
    size = points_N2.square().sum(dim=1).mean().sqrt()
    return points_N2 / size if size > 0 else points_N2


def turned(points_N2: Tensor, neighbours: Sequence[Tensor]) -> Tensor:
    """Turn and mirror points as a whole until they lie as close to their neighbours as they can.

    The rotation or reflection Q with the smallest Σ ‖P Q − N‖² over the neighbours N is U Vᵀ of the
    singular value decomposition Σ Pᵀ N = U S Vᵀ (orthogonal Procrustes, Schönemann 1966). Distances
    between the points stay as they are.

    Args:
        neighbours: the same points elsewhere, (n, 2) each.
    """
    product = points_N2.new_zeros(COMPONENTS, COMPONENTS)
    for other in neighbours:
        product += points_N2.T @ other
    left, _, right = torch.linalg.svd(product)
    return points_N2 @ (left @ right) if product.any() else points_N2


def aligned(planes_ESN2: Tensor, epoch: int = -1) -> Tensor:
    """Turn the planes of all stages and epochs so that points move little from one to the next.

    Each is first brought to the same size (``filled``). One epoch's last stage stays as it is; then
    come that epoch's other stages, from the last to the first, and the other epochs outwards from
    it. Each plane is turned to those of its neighbours that were turned before.

    Args:
        planes_ESN2: (E, S, n, 2), index 0 of E is the first epoch.
        epoch: the one that all others follow.
    """
    epochs, stages = planes_ESN2.shape[:2]
    found = torch.stack(
        [torch.stack([filled(plane_N2) for plane_N2 in plane_SN2]) for plane_SN2 in planes_ESN2]
    )
    start = epoch % epochs
    for at in (*range(start, -1, -1), *range(start + 1, epochs)):
        before = at + 1 if at < start else at - 1
        for stage in range(stages - 1, -1, -1):
            neighbours = [found[before, stage]] if at != start else []
            if stage < stages - 1:
                neighbours.append(found[at, stage + 1])
            found[at, stage] = turned(found[at, stage], neighbours)
    return found


def probe_accuracy(rows_ND: Tensor, labels: Tensor, seed: int = 0) -> float:
    """Fit a linear probe on one half of the pictures, and return its accuracy on the other, 0 to 1.

    The probe is a softmax regression with a small penalty (``vit_core.interpret.probe``), searched
    in fewer steps than a head that is kept. If all rows are the same, the most frequent class is
    answered.

    Args:
        rows_ND: (n, D) of one stage.
        labels: (n,) int64, for which ``can_be_probed``.
        seed: of the halves, which ``scored_half`` returns.
    """
    present = torch.bincount(labels).nonzero()[:, 0]
    compact = torch.searchsorted(present, labels)
    is_scored = scored_half(labels, seed)
    known, answers = rows_ND[~is_scored].double(), compact[~is_scored]
    mean = known.mean(dim=0)
    size = (known - mean).norm()
    if size <= ROUNDING * known.norm():
        return float((compact[is_scored] == torch.bincount(answers).argmax()).double().mean())
    scale = size / len(known) ** 0.5  # the mean square of a row's length becomes 1
    points = (rows_ND.double() - mean) / scale
    weight, bias = minimum(
        points[~is_scored], answers, len(present), PENALTY, steps=STEPS, tolerance=TOLERANCE
    )
    predicted = F.linear(points[is_scored], weight, bias).argmax(dim=1)
    return float((predicted == compact[is_scored]).double().mean())


def scored_half(labels: Tensor, seed: int = 0) -> Tensor:
    """Return which pictures a probe does not learn from, (n,): half of each class, as nearly."""
    return dealt(labels, 2, seed) == 1


def can_be_probed(labels: Tensor) -> bool:
    """Whether there are two classes, and two pictures of each that occurs."""
    counts = torch.bincount(labels)
    counts = counts[counts > 0]
    return len(counts) >= 2 and int(counts.min()) >= 2
