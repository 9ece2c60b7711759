"""Is a map of the patches true? Take patches away, or give them back, in the map's own order.

If the patches with the largest values decide, then without them the probability of the class falls
at once (deletion), and with them alone it comes back at once (insertion). Source: "RISE: Randomized
Input Sampling for Explanation of Black-box Models", https://arxiv.org/abs/1806.07421, section 4,
which takes pixels; here patches go. A score depends on what takes a patch's place, so there are
several fillings: "Missingness Bias in Model Debugging", https://arxiv.org/abs/2204.08945.

Shape suffixes as in ``vit_core.model``; V is a picture's variants, S the patches that stay.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vit_core.checks import check_choice, check_int
from vit_core.data import DataInfo
from vit_core.interpret.attribution.checked import (
    check_images,
    checked_classes,
    checked_reference,
)
from vit_core.interpret.attribution.private import private
from vit_core.interpret.attribution.result import AttributionError
from vit_core.interpret.attribution.target import Target
from vit_core.interpret.cover import cover_each
from vit_core.interpret.left_out import Progress, output_of_kept, passes_at_once
from vit_core.model import ViT

FILLS = ("drop", "mean", "black")
MOST_STEPS = 14


@dataclass(frozen=True)
class Curves:
    """What a model says while patches go, or come back, in the order of a map.

    Attributes:
        deletion: (B, steps + 1), the target's probability (0…1), or the cosine (−1…1) of a model
            without a head. First the whole picture, at last no patch.
        insertion: the same, first no patch, at last the whole picture.
        deletion_area: (B,), the area under each curve over the share of patches, by the trapezoid
            rule: the mean height of the curve. Less is better.
        insertion_area: (B,); more is better.
        shares: (steps + 1,), the share of the patches that are gone (or back) at each point, 0…1.
        passes: forward passes for each picture.
    """

    deletion: Tensor
    insertion: Tensor
    deletion_area: Tensor
    insertion_area: Tensor
    shares: Tensor
    passes: int


@torch.no_grad()
def deletion_insertion(
    model: ViT,
    images: Tensor,
    targets: Tensor | Sequence[int] | None,
    patches: Tensor,
    fill: str = "drop",
    steps: int = MOST_STEPS,
    progress: Progress | None = None,
    *,
    reference: Tensor | None = None,
    black: Tensor | None = None,
) -> Curves:
    """Score maps of patches by deletion and insertion.

    The largest value goes first; negative ones go last. Of equal values the patch that comes first
    in reading order goes first, so a map has one score, which never changes from run to run.

    The model is not changed, so threads may share it, and its pass runs in evaluation mode, through
    the tap. All passes are made in chunks of about 0.1 s of one core. To score several maps of one
    picture, repeat the picture: that is faster than one call for each map.

    Args:
        model: any ``ViT``, also a flawed or a changed one.
        images: (B, channels, height, width), normalised as for the model and of its dtype.
        targets: (B,) the class of each picture; None for the class that the model answers to the
            whole picture. A model without a head takes None: its curves are the cosine of its
            features to the reference.
        patches: (B, P), each patch's value in a map.
        fill: what takes the place of a patch. "drop": its token is left out of the encoder.
            "mean": its pixels become 0, which is the mean pixel of the data that the model was
            trained on, since ``vit_core.data.normalize`` subtracts it. "black": its pixels become
            ``black``.
        steps: number of steps, 1 to 14, each of (almost) equally many patches; a picture of fewer
            patches has as many steps as patches.
        progress: called as progress(done, total) after each chunk, in passes; an exception that
            it raises ends the computation.
        reference: features (D,) or (B, D) of a model without a head; None for those of each whole
            picture.
        black: (channels,), what the model receives for a black pixel (``black_pixel`` gives it).
            None for the darkest value of each picture and channel, which is black wherever a
            picture has a black pixel, as every digit has.

    Raises:
        AttributionError: the map, the target, the reference or a setting does not fit, or is not a
            number; or the model's answer is not.
    """
    check_images(model, images)
    config = model.config
    steps = checked_steps(steps, fill, config.num_patches)
    check_patches(patches, len(images), config.num_patches)
    target = explained(model, targets, reference, len(images))
    model = private(model)
    order_BP = patches.to(images.device).argsort(dim=1, descending=True, stable=True)
    # half-way numbers are rounded up
    counts = [(2 * step * config.num_patches + steps) // (2 * steps) for step in range(steps + 1)]
    if fill == "drop":
        outputs = without_tokens(model, images, order_BP, counts, progress)
    else:
        value_BC = filling(fill, images, black)
        outputs = painted_over(model, images, order_BP, counts, value_BC, progress)
    scores_BV = scores(outputs, target, has_head=bool(config.num_classes))
    if not scores_BV.isfinite().all():
        raise AttributionError("the model's answer is not a number, so there is nothing to score")
    deletion = scores_BV[:, : steps + 1]
    insertion = torch.cat((deletion[:, -1:], scores_BV[:, steps + 1 :], deletion[:, :1]), dim=1)
    shares = torch.tensor(counts, device=images.device).to(deletion) / config.num_patches
    return Curves(
        deletion,
        insertion,
        torch.trapezoid(deletion, shares),
        torch.trapezoid(insertion, shares),
        shares,
        passes=scores_BV.shape[1],
    )


def black_pixel(data: DataInfo) -> Tensor:
    """Return what a model that was trained on ``data`` receives for a black pixel, (channels,)."""
    return -torch.tensor(data.mean) / torch.tensor(data.std)


def variants(order_BP: Tensor, counts: Sequence[int]) -> list[Tensor]:
    """Return the patches that stay at each point: all of deletion, then what is new of insertion.

    Insertion starts where deletion ends, with no patch, and ends where deletion starts, with all.
    """
    return [*(order_BP[:, gone:] for gone in counts), *(order_BP[:, :n] for n in counts[1:-1])]


def without_tokens(
    model: ViT,
    images: Tensor,
    order_BP: Tensor,
    counts: Sequence[int],
    progress: Progress | None,
) -> Tensor:
    """Return the outputs (B, V, …) with the tokens of the other patches left out."""
    shown = variants(order_BP, counts)
    total = len(images) * len(shown)
    alike: dict[int, list[int]] = defaultdict(list)  # sequences of one length run as one batch
    for index, kept_BS in enumerate(shown):
        alike[kept_BS.shape[1]].append(index)
    outputs: list[Tensor] = [images] * len(shown)
    done = 0
    for indices in alike.values():
        kept_BVS = torch.stack([shown[index] for index in indices], dim=1)
        report = None if progress is None else offset(progress, done, total)
        for index, output in zip(
            indices, output_of_kept(model, images, kept_BVS, report).unbind(dim=1), strict=True
        ):
            outputs[index] = output
        done += len(images) * len(indices)
    return torch.stack(outputs, dim=1)


def offset(progress: Progress, before: int, total: int) -> Progress:
    """Return a progress that counts from ``before``, of a larger total."""
    return lambda done, _: progress(before + done, total)


def painted_over(
    model: ViT,
    images: Tensor,
    order_BP: Tensor,
    counts: Sequence[int],
    value_BC: Tensor,
    progress: Progress | None,
) -> Tensor:
    """Return the outputs (B, V, …) with the pixels of the other patches painted over."""
    config, shown = model.config, variants(order_BP, counts)
    hidden_BVP = torch.ones(
        (len(images), len(shown), config.num_patches), dtype=torch.bool, device=images.device
    )
    for index, kept_BS in enumerate(shown):
        hidden_BVP[:, index].scatter_(1, kept_BS, torch.zeros_like(kept_BS, dtype=torch.bool))
    hidden_RP = hidden_BVP.flatten(0, 1)
    picture_R = torch.arange(len(hidden_RP), device=images.device) // len(shown)
    outputs: list[Tensor] = []
    for rows in torch.split(torch.arange(len(hidden_RP)), passes_at_once(config)):
        pictures = picture_R[rows]
        covered = cover_each(images[pictures], config.patch_hw, hidden_RP[rows], value_BC[pictures])
        outputs.append(model(covered))
        if progress is not None:
            progress(int(rows[-1]) + 1, len(hidden_RP))
    return torch.unflatten(torch.cat(outputs), 0, (len(images), len(shown)))


def filling(fill: str, images: Tensor, black: Tensor | None) -> Tensor:
    """Return what the pixels of a patch become, (B, channels).

    Raises:
        AttributionError: ``black`` does not fit.
    """
    batch, channels = images.shape[:2]
    if fill == "mean":
        return images.new_zeros((batch, channels))
    if black is None:
        return images.amin(dim=(2, 3))
    if black.shape != (channels,) or not black.isfinite().all():
        raise AttributionError(
            f"black must be {channels} finite numbers, one for each channel, not a tensor of "
            f"shape {tuple(black.shape)}"
        )
    return black.to(images).expand(batch, -1)


def explained(
    model: ViT, targets: Tensor | Sequence[int] | None, reference: Tensor | None, batch: int
) -> Target:
    """Return whose probability, or the cosine to what, is followed.

    Raises:
        AttributionError: the targets or the reference do not fit the model.
    """
    if not model.config.num_classes:
        if targets is not None:
            raise AttributionError("this model has no head and so no classes: targets must be None")
        if reference is None:
            return Target()
    if reference is not None:
        return Target(reference_BD=checked_reference(model, batch, reference))
    return Target() if targets is None else Target(checked_classes(model, batch, targets))


def scores(outputs_BVC: Tensor, target: Target, has_head: bool) -> Tensor:
    """Return the target's probability, or the cosine to the reference, (B, V).

    Args:
        outputs_BVC: the model's outputs; the whole picture is the first of each picture's.
        target: without classes, those that the model answers to the whole pictures.
        has_head: whether the outputs are logits.
    """
    whole_BC, (pictures, each) = outputs_BVC[:, 0], outputs_BVC.shape[:2]
    if has_head and target.classes_B is None:
        target = Target(whole_BC.argmax(dim=1))
    picture_R = torch.arange(pictures, device=whole_BC.device).repeat_interleave(each)
    answer_R = target.among(whole_BC).answer(outputs_BVC.flatten(0, 1), picture_R)
    return answer_R.view(pictures, each)


def checked_steps(steps: int, fill: str, patches: int) -> int:
    """Return how many steps there will be.

    Raises:
        AttributionError: there is no such filling, or no such number of steps.
    """
    try:
        check_choice("fill", fill, FILLS)
        check_int("steps", steps, at_least=1, at_most=MOST_STEPS)
    except ValueError as error:
        raise AttributionError(str(error)) from None
    return min(steps, patches)


def check_patches(patches: object, batch: int, count: int) -> None:
    """Refuse a map that does not fit the pictures' patches, or is not of numbers.

    Raises:
        AttributionError: the message says what fits.
    """
    allowed = f"patches must be a map of {count} values for each of {batch} pictures"
    if not isinstance(patches, Tensor):
        raise AttributionError(f"{allowed}, not a {type(patches).__name__}")
    if patches.shape != (batch, count):
        raise AttributionError(
            f"{allowed}, ({batch}, {count}), not of shape {tuple(patches.shape)}"
        )
    if patches.is_complex() or not patches.isfinite().all():
        raise AttributionError(f"{allowed}, finite, and some are not: they give no order")
