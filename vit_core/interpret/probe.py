"""A linear probe: one new linear layer on the features of a model that stays as it is.

The layer is a softmax regression, fitted to its optimum on the features of a few pictures. Source:
"Understanding intermediate layers using linear classifier probes",
https://arxiv.org/abs/1610.01644.

Shape suffixes as in ``vit_core.model``; n counts pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vit_core.errors import VitError
from vit_core.interpret.changed import is_changed
from vit_core.lean.optimizers import LBFGS
from vit_core.model import ViT

PENALTIES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
USUAL_PENALTY = 1e-2  # where there are too few pictures to choose one
FOLDS = 5
STEPS, TOLERANCE = 300, 1e-8  # of the optimizer, at most; and the slope at which it ends
TRIAL_STEPS, TRIAL_TOLERANCE = 60, 1e-4  # while a penalty is chosen, which needs less precision
HELD_OUT = 0.25  # share of the pictures of each class that are kept for checking


class ProbeError(VitError, ValueError):
    """Pictures or a backbone with which no probe can be fitted; the message says why."""


@dataclass(frozen=True)
class Head:
    """A fitted linear layer.

    Attributes:
        weight, bias: (C, D) and (C,) float32, as ``nn.Linear`` has them.
        penalty: λ of the L2 penalty that was chosen.
        checked: share of the training pictures that were right while they were left out to choose
            the penalty, 0 to 1; None if there were too few.
    """

    weight: Tensor
    bias: Tensor
    penalty: float
    checked: float | None

    def logits(self, features_ND: Tensor) -> Tensor:
        """Return the logits of features, (…, D) → (…, C)."""
        return F.linear(features_ND, self.weight, self.bias)


def check_backbone(model: ViT) -> None:
    """Refuse a model whose features are not simply those of its layers.

    Raises:
        ProbeError: it runs with a mistake or with edits.
    """
    if is_changed(model):
        raise ProbeError("this model runs with a classic mistake; a probe needs a sound backbone")


@torch.no_grad()
def encode(model: ViT, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return what a head reads, and the same for each patch, without running a head.

    Args:
        images: (B, channels, height, width), normalised as for the model.

    Returns:
        Pooled features (B, D), and the patches' tokens after the final LayerNorm (B, P, D).
    """
    x_BND = model.forward_features(images)
    patches_BPD = x_BND[:, model.config.num_prefix_tokens :]
    pooled_BD = x_BND[:, 0] if model.config.pool == "cls" else patches_BPD.mean(dim=1)
    return pooled_BD, patches_BPD


def fit_head(
    features: Tensor,
    labels: Tensor,
    classes: int,
    penalties: Sequence[float] = PENALTIES,
    seed: int = 0,
) -> Head:
    """Fit a linear layer: the minimum of cross-entropy + λ/2 · ‖W‖², which is unique.

    The features are shifted to mean 0 and divided by one number, so that λ means the same for every
    backbone; the layer that is returned takes the features as they are. λ is the penalty with the
    smallest cross-entropy on pictures that are left out in turn; held-out pictures have no part in
    it.

    Args:
        features: (n, D) pooled features.
        labels: (n,) int64.
        classes: number of classes; each has a picture.
        seed: of the order in which pictures are left out.

    Raises:
        ProbeError: there are fewer than two classes, or one of them has no picture.
    """
    counts = torch.bincount(labels, minlength=classes)
    if classes < 2 or len(counts) > classes or not counts.all():
        raise ProbeError("a probe needs at least two classes, with a picture of each")
    x = features.double()
    mean = x.mean(dim=0)
    centred = x - mean
    scale = centred.norm() / len(x) ** 0.5  # so that the mean square of a picture's length is 1
    if not scale > 0:
        raise ProbeError("all pictures have the same features, so that nothing tells them apart")
    # The optimum lies in the span of the pictures: a few coordinates instead of D, same minimum.
    _, strengths, directions = torch.linalg.svd(centred / scale, full_matrices=False)
    basis = directions[strengths > 1e-9 * strengths[0]]
    points = centred / scale @ basis.T
    penalty, checked = choose_penalty(points, labels, classes, penalties, seed)
    weight, bias = minimum(points, labels, classes, penalty)
    weight = weight @ basis / scale
    return Head(weight.float(), (bias - weight @ mean).float(), penalty, checked)


def choose_penalty(
    points: Tensor, labels: Tensor, classes: int, penalties: Sequence[float], seed: int
) -> tuple[float, float | None]:
    """Return the penalty with the smallest cross-entropy on left-out pictures.

    Returns:
        The penalty, and the share of left-out pictures that were right with it; None if a class
        has only one picture.
    """
    folds = min(FOLDS, int(torch.bincount(labels, minlength=classes).min()))
    if folds < 2:
        return USUAL_PENALTY, None
    fold_of = dealt(labels, folds, seed)
    losses, right = torch.zeros(len(penalties)), torch.zeros(len(penalties))
    for fold in range(folds):
        left_out = fold_of == fold
        start = None
        for place, penalty in enumerate(penalties):
            known = points[~left_out], labels[~left_out]
            start = minimum(*known, classes, penalty, start, TRIAL_STEPS, TRIAL_TOLERANCE)
            logits = F.linear(points[left_out], *start)
            losses[place] += F.cross_entropy(logits, labels[left_out], reduction="sum")
            right[place] += (logits.argmax(dim=1) == labels[left_out]).sum()
    best = int(losses.argmin())
    return penalties[best], float(right[best]) / len(labels)


def dealt(labels: Tensor, folds: int, seed: int) -> Tensor:
    """Return a fold for each picture, (n,) from 0; every class is spread evenly over the folds."""
    generator = torch.Generator().manual_seed(seed)
    fold_of = torch.zeros_like(labels)
    for label in sorted(set(labels.tolist())):
        places = (labels == label).nonzero()[:, 0]
        order = places[torch.randperm(len(places), generator=generator)]
        fold_of[order] = torch.arange(len(order)) % folds
    return fold_of


def minimum(
    points: Tensor,
    labels: Tensor,
    classes: int,
    penalty: float,
    start: tuple[Tensor, Tensor] | None = None,
    steps: int = STEPS,
    tolerance: float = TOLERANCE,
) -> tuple[Tensor, Tensor]:
    """Return weight (C, r) and bias (C,) at the minimum of mean cross-entropy + λ/2 · ‖W‖².

    Args:
        points: (n, r) float64.
        start: weight and bias from which the search begins; None for zeros.
    """
    weight, bias = start or (points.new_zeros(classes, points.shape[1]), points.new_zeros(classes))
    weight, bias = weight.clone().requires_grad_(), bias.clone().requires_grad_()
    optimizer = LBFGS(
        [weight, bias],
        max_iter=steps,
        history_size=20,
        tolerance_grad=tolerance,
        tolerance_change=1e-14,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(F.linear(points, weight, bias), labels)
        value = value + penalty / 2 * weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    with torch.enable_grad():
        optimizer.step(loss)  # type: ignore[no-untyped-call]
    # a number added to all classes changes nothing
    return weight.detach(), (bias - bias.mean()).detach()


def with_head(model: ViT, head: Head) -> ViT:
    """Return a model that shares all parameters with a backbone and answers with another head.

    Raises:
        ProbeError: the backbone runs with a mistake.
    """
    check_backbone(model)
    classes, width = head.weight.shape
    headed = ViT.__new__(ViT)  # no constructor, which would draw new parameters
    config = replace(model.config, num_classes=classes)
    headed.__dict__.update(model.__dict__, config=config, _modules=dict(model._modules))
    layer = nn.Linear(width, classes, dtype=model.patch_embed.proj.weight.dtype)
    with torch.no_grad():
        layer.weight.copy_(head.weight)
        layer.bias.copy_(head.bias)
    headed.head = layer.eval()
    return headed


def patch_logits(model: ViT, patches_PD: Tensor) -> Tensor:
    """Return what the head says of each patch alone, (P, D) → (P, C), with mean 0 over the classes.

    With mean pooling the mean over the patches is exactly the picture's logits, up to a number that
    all classes share and that changes no probability. With a class token it is not: the head reads
    that token alone, and here it reads each patch instead.

    Args:
        patches_PD: the patches' tokens after the final LayerNorm.
    """
    logits_PC: Tensor = model.head(patches_PD).detach()
    return logits_PC - logits_PC.mean(dim=1, keepdim=True)


def neighbours(known: Tensor, asked: Tensor, is_cosine: bool = True) -> Tensor:
    """Return the index of the most similar known picture for each asked one, (m,).

    Args:
        known, asked: (n, D) and (m, D) features or pixels.
        is_cosine: compare the angle between features; otherwise the distance.
    """
    if is_cosine:
        return (F.normalize(asked, dim=1) @ F.normalize(known, dim=1).T).argmax(dim=1)
    return torch.cdist(asked, known).argmin(dim=1)


def hold_out(labels: Tensor, seed: int = 0, limit: int | None = None) -> Tensor:
    """Return which pictures are held out for checking, a mask (n,).

    Args:
        limit: pictures of each class to learn from, all others are held out; None to hold out a
            quarter of each class, and at least one picture.

    Raises:
        ProbeError: a class would have no picture on either side.
    """
    generator = torch.Generator().manual_seed(seed)
    mask = torch.zeros(len(labels), dtype=torch.bool)
    for label in sorted(set(labels.tolist())):
        places = (labels == label).nonzero()[:, 0]
        count = max(1, round(HELD_OUT * len(places))) if limit is None else len(places) - limit
        if not 0 < count < len(places):
            raise ProbeError(
                f"a class has {len(places)} pictures; it needs one to learn from and one to check"
                + ("" if limit is None else f", so at least {limit + 1}")
            )
        mask[places[torch.randperm(len(places), generator=generator)[:count]]] = True
    return mask


def confusion_of(truth: Tensor, predicted: Tensor, classes: int) -> Tensor:
    """Return how often each class (row) was answered by each class (column), (C, C) int64."""
    return torch.bincount(truth * classes + predicted, minlength=classes**2).view(classes, classes)
