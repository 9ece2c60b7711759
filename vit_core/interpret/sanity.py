"""Does a map depend on what a model has learned? Take its weights away, from the head down.

A map that stays the same while the weights become random shows the picture, not the model. Source:
"Sanity Checks for Saliency Maps", https://arxiv.org/abs/1810.03292, section 3 (cascading
randomization) and its measure, Spearman's rank correlation of the maps before and after.

Shape suffixes as in ``vit_core.model``.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from vit_core.checks import check_choice, check_int
from vit_core.interpret.attribution.result import AttributionError
from vit_core.model import ViT, build, stream_of

HOW = ("draw", "shuffle")
TRAINED = "trained"  # the first stage: the model as it is


@dataclass(frozen=True, eq=False)
class Stage:
    """The maps of a model of which some parts, from the head down to this one, are random.

    Attributes:
        name: of the part that has just become random: "trained" for none, "head" (with the last
            LayerNorm), "blocks.3", …, "blocks.0", "embedding" (patches, tokens and learned
            position).
        patches: (B, P), the maps.
        correlation: (B,), Spearman's rank correlation with the maps of the trained model, −1…1;
            NaN where one of the two maps has the same value everywhere, which ranks nothing.
        absolute_correlation: (B,), the same of the maps' sizes without their signs: whether a map
            marks the same patches, be it for or against the class.
    """

    name: str
    patches: Tensor
    correlation: Tensor
    absolute_correlation: Tensor


def sanity_check(
    model: ViT, maps: Callable[[ViT], Tensor], how: str = "draw", seed: int = 0
) -> Iterator[Stage]:
    """Yield the maps of a model while its weights become random, from the head down.

    One part after the other, and all that became random before stay so. This happens on one copy of
    the model. The work is done between two stages, so whoever stops asking stops it.

    Args:
        model: any ``ViT``, also a flawed or a changed one; it is not touched.
        maps: makes the maps (B, P) of a model; the model is changed again after it returns.
        how: "draw" new weights, as a new model begins; or "shuffle" each tensor's own numbers,
            which keeps how large they are.
        seed: of the new weights or the order.

    Raises:
        AttributionError: there is no such way.
    """
    try:
        check_choice("how", how, HOW)
        check_int("seed", seed, at_least=0, at_most=2**31 - 1)
    except ValueError as error:
        raise AttributionError(str(error)) from None
    return stages(model, maps, how, seed)


def stages(model: ViT, maps: Callable[[ViT], Tensor], how: str, seed: int) -> Iterator[Stage]:
    """Yield the stages; the arguments are known to fit."""
    first = maps(model).detach()
    yield stage_of(TRAINED, first, first)
    altered = copy.deepcopy(model)
    fresh = dict(build(model.config, seed).named_parameters()) if how == "draw" else {}
    for name, owned in parts_from_head(altered).items():
        with torch.no_grad():
            for key, parameter in owned.items():
                parameter.copy_(fresh[key] if how == "draw" else shuffled(parameter, key, seed))
        yield stage_of(name, maps(altered).detach(), first)


def parts_from_head(model: ViT) -> dict[str, dict[str, Tensor]]:
    """Return the parameters of each part by name, the head first; parts without any are left out.

    Every parameter of the model is in one part.
    """
    names = ["head", *(f"blocks.{block}" for block in reversed(range(model.config.depth)))]
    parts: dict[str, dict[str, Tensor]] = {name: {} for name in (*names, "embedding")}
    for key, parameter in model.named_parameters():
        if key.startswith(("head.", "norm.")):
            parts["head"][key] = parameter
        elif key.startswith("blocks."):
            parts[".".join(key.split(".")[:2])][key] = parameter
        else:
            parts["embedding"][key] = parameter
    return {name: owned for name, owned in parts.items() if owned}


def shuffled(parameter: Tensor, name: str, seed: int) -> Tensor:
    """Return a parameter with its own numbers in another order."""
    order = torch.randperm(
        parameter.numel(),
        generator=stream_of(seed, name, parameter.device),
        device=parameter.device,
    )
    return parameter.flatten()[order].view_as(parameter)


def stage_of(name: str, patches: Tensor, first: Tensor) -> Stage:
    return Stage(
        name,
        patches,
        rank_correlation(patches, first),
        rank_correlation(patches.abs(), first.abs()),
    )


def rank_correlation(maps_BP: Tensor, others_BP: Tensor) -> Tensor:
    """Return Spearman's rank correlation of each map with another, (B,), float64.

    Pearson's correlation of the ranks; equal values share the mean of their ranks. NaN where a map
    has the same value everywhere.
    """
    ranks = [average_ranks(one) for one in (maps_BP, others_BP)]
    centred = [one - one.mean(dim=1, keepdim=True) for one in ranks]
    product = (centred[0] * centred[1]).sum(dim=1)
    correlation: Tensor = product / (centred[0].norm(dim=1) * centred[1].norm(dim=1))
    return correlation.clamp(-1, 1)


def average_ranks(values_BP: Tensor) -> Tensor:
    """Return each value's rank in its row from 1, float64; equal values share their mean rank."""
    smaller = (values_BP[:, None, :] < values_BP[:, :, None]).sum(dim=2)
    same = (values_BP[:, None, :] == values_BP[:, :, None]).sum(dim=2)
    ranks: Tensor = smaller.double() + (same.double() + 1) / 2
    return ranks
