"""One step of the chosen model along what an optimizer makes of its gradient."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from explainer.caching import is_remembered, remember
from explainer.observation.background import is_there
from explainer.observation.compute import read_only
from explainer.observation.learning.lesson import (
    lesson,
    model_and_image,
    one_at_a_time,
)
from explainer.observation.learning.recipe import recipe_of
from explainer.state.choice import Choice
from explainer.state.link import OPTIMIZERS, RATES
from vit_core import TrainConfig, ViTConfig
from vit_core.learning.step import Compared, along, compare, direction, left_by_muon
from vit_core.model import ViT

CHEAP = 1e10  # multiplications of all passes, about two seconds
LITTLE = 0.1  # share of the loss; a step that takes off less is called too small
TOO_SMALL, RIGHT, TOO_LARGE, LEAP = "small", "right", "large", "leap"
AGAIN = 10  # steps with the same gradient, after which an optimizer is looked at again
REST = "rest"  # what stands for all parameters that have no row of their own
EVERY = "all"


@dataclass(frozen=True)
class Steps:
    """The answer to the chosen picture after one step, for each learning rate of the slider.

    Attributes:
        before: loss before the step, in nats.
        losses: (R,) after it, as ``before`` in float64; not a number where the step overflows.
        probabilities: (R, C).
    """

    before: float
    losses: np.ndarray
    probabilities: np.ndarray

    @property
    def zones(self) -> tuple[str, ...]:
        """Of each rate: too small, right or too large, as the loss after the step says.

        A larger rate than one that is too large, with which the loss falls once more, is a leap.
        """
        zones = [zone_of(self.before, float(loss)) for loss in self.losses]
        first = zones.index(TOO_LARGE) if TOO_LARGE in zones else len(zones)
        return tuple(
            LEAP if index > first and zone != TOO_LARGE else zone
            for index, zone in enumerate(zones)
        )


def zone_of(before: float, after: float) -> str:
    if not after <= before:  # what is not a number is no success
        return TOO_LARGE
    return RIGHT if after <= (1 - LITTLE) * before else TOO_SMALL


def steps(choice: Choice, target: int, optimizer: str) -> Steps:
    """Return what one step does, computed once for all visitors.

    Raises:
        CheckpointError: the model cannot be read.
        ValueError: the model has no such class, or a picture of the visitor is no longer kept.
    """
    return remember(steps_key(choice, target, optimizer), lambda: run(choice, target, optimizer)())


def are_there(choice: Choice, target: int, optimizer: str) -> bool:
    """Return whether ``steps`` answers at once; if not, have it computed meanwhile."""
    if are_cheap(choice) or is_remembered(steps_key(choice, target, optimizer)):
        return True
    return is_there(steps_key(choice, target, optimizer), run(choice, target, optimizer))


def are_cheap(choice: Choice) -> bool:
    """Return whether ``steps`` is quick enough for a page to wait for it."""
    config = choice.config
    return len(RATES) * config.num_parameters * config.num_tokens <= CHEAP


def steps_key(choice: Choice, target: int, optimizer: str) -> Hashable:
    return "one-step", choice, target, optimizer


def run(choice: Choice, target: int, optimizer: str) -> Callable[[], Steps]:
    """Return the computation, which then needs nothing of Streamlit's any more."""
    model, image = model_and_image(choice)
    gradients = tensors(lesson(choice, target).weights)
    config = recipe_of(choice).config
    return partial(compute, model, image, gradients, config, target, optimizer)


def single(choice: Choice, target: int, optimizer: str, tenths: int) -> tuple[float, float]:
    """Return the losses before and after one step, in two passes instead of all of ``steps``.

    Args:
        tenths: exponent of the learning rate, as in a link.

    Raises:
        CheckpointError, ValueError: as ``steps``.
    """

    def compute_two() -> tuple[float, float]:
        model, image = model_and_image(choice)
        gradients = tensors(lesson(choice, target).weights)
        with one_at_a_time(model.config):
            change = direction(optimizer, model, gradients, recipe_of(choice).config)
            line = along(model, image, torch.tensor([target]), change, [0.0, rate_of(tenths)])
        before, after = line.losses.tolist()
        return before, after

    return remember(("single-step", choice, target, optimizer, tenths), compute_two)


def compute(
    model: ViT,
    image: Tensor,
    gradients: Mapping[str, Tensor],
    config: TrainConfig,
    target: int,
    optimizer: str,
) -> Steps:
    with one_at_a_time(model.config):
        change = direction(optimizer, model, gradients, config)
        rates = [0.0, *map(rate_of, RATES)]
        line = along(model, image, torch.tensor([target]), change, rates)
    losses, shares = line.losses.numpy(), line.probabilities[:, 0].numpy()
    return Steps(float(losses[0]), read_only(losses[1:]), read_only(shares[1:]))


def rate_of(tenths: int) -> float:
    """Return the learning rate that a link writes as an exponent in tenths: -10 is 0.1."""
    return float(10 ** (tenths / 10))


def tensors(arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """Return gradients as tensors of their own, since those that are kept cannot be written to."""
    return {name: torch.tensor(array) for name, array in arrays.items()}


@dataclass(frozen=True)
class OptimizerSteps:
    """What one optimizer makes of a gradient, for a learning rate of 1.

    Attributes:
        first: by the name of a row of ``rows_of``, its first step.
        again: the same after ``AGAIN`` steps with this gradient.
    """

    first: Mapping[str, Compared]
    again: Mapping[str, Compared]


def all_optimizers(choice: Choice, target: int, block: int) -> Mapping[str, OptimizerSteps]:
    """Return what each optimizer makes of the same gradient, computed once for all visitors.

    Args:
        block: whose matrices have rows of their own.
    """

    def compare_all() -> Mapping[str, OptimizerSteps]:
        model, _ = model_and_image(choice)
        gradients = tensors(lesson(choice, target).weights)
        rows, config = rows_of(model.config, list(gradients), block), recipe_of(choice).config
        found = {}
        with one_at_a_time(model.config):
            for name in OPTIMIZERS:
                first, again = (
                    {row: compare(change, gradients, names) for row, names in rows.items()}
                    for change in (
                        direction(name, model, gradients, config, count) for count in (1, AGAIN)
                    )
                )
                found[name] = OptimizerSteps(first, again)
        return found

    return remember(("optimizers", choice, target, block), compare_all)


def rows_of(config: ViTConfig, names: list[str], block: int) -> dict[str, list[str]]:
    """Return the rows of the table of optimizers: name → the parameters that it has.

    The matrices of one block and those before and after all blocks have rows of their own. The
    other blocks, and all tokens, positions, biases and factors, are one row; the last is all.
    """
    inner = ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
    single = [
        "patch_embed.proj.weight",
        *(f"blocks.{block}.{part}.weight" for part in inner),
        "head.weight",
    ]
    rest = [name for name in names if name not in single]
    rows = {name: [name] for name in single if name in names}
    return rows | ({REST: rest} if rest else {}) | {EVERY: names}


def muon_matrices(choice: Choice) -> frozenset[str]:
    """Return the names of the parameters that Muon takes; it leaves the others to AdamW."""

    def find() -> frozenset[str]:
        model, _ = model_and_image(choice)
        left = left_by_muon(model)
        return frozenset(name for name, _ in model.named_parameters() if name not in left)

    return remember(("muon-matrices", choice.model_key), find)
