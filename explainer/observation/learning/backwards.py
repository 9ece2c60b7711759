"""How large the gradients of a picture are on their way back through a model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from explainer.caching import remember
from explainer.inputs.models.changed import changes_of
from explainer.inputs.models.load import load_source
from explainer.observation.flaws import flaws
from explainer.observation.learning.lesson import (
    can_learn,
    lesson,
    model_and_image,
    one_at_a_time,
)
from explainer.state.choice import Choice
from explainer.state.link import IN_BLOCK
from vit_core import ViTConfig, build
from vit_core.interpret.changed import ChangedViT, with_flaws
from vit_core.learning.gradients import gradients_of
from vit_core.mistakes import Flaws
from vit_core.model import ViT

DEEP = 12  # blocks of the new model that is compared
SEED = 0  # of its weights
VARIANTS = {  # name → what the new model's pass leaves out
    "sound": Flaws(),
    "no_residual": Flaws(residual=False),
    "neither": Flaws(residual=False, layer_norm=False),
}


@dataclass(frozen=True)
class WayBack:
    """The sizes of some gradients of one model, each the root of the sum of its squares.

    Attributes:
        stream: (depth + 1,) at the residual stream, after the last block first, then before each
            block, from the last to the first.
        scores: (depth,) at the scores of attention, from the last block to the first.
        logits: at the logits.
        spread: after the last block, the part of the tokens' rows in which they differ from the
            mean of all tokens, from 0 to 1: by length.
    """

    stream: tuple[float, ...]
    scores: tuple[float, ...]
    logits: float
    spread: float


def key_of(station: str, block: int) -> str:
    """Return the trace key of a station, which may stand in a block."""
    return f"blocks.{block}.{station}" if station in IN_BLOCK else station


def size_of(gradient: np.ndarray) -> float:
    """Return the root of the sum of the squares of all numbers, the Frobenius norm."""
    return float(np.linalg.norm(gradient.astype(np.float64)))


def sizes(choice: Choice, target: int) -> Mapping[str, float]:
    """Return the size of the gradient at every tensor of the pass, by its trace key."""
    return remember(
        ("gradient sizes", choice, target),
        lambda: {key: size_of(one) for key, one in lesson(choice, target).gradients.items()},
    )


def with_other_sums(choice: Choice, target: int) -> WayBack:
    """Return the way back through the same weights without residual sums.

    With them, where the model itself has none.
    """
    return remember(
        ("other sums", choice, target), lambda: measured(lambda: other_sums(choice), choice, target)
    )


def as_it_is(choice: Choice, target: int) -> WayBack:
    """Return the way back through the model."""
    return remember(
        ("own sums", choice, target),
        lambda: measured(lambda: model_and_image(choice)[0], choice, target),
    )


def deep_config(config: ViTConfig) -> ViTConfig:
    """Return the shape of the new model of twelve blocks, otherwise that of the model in hand."""
    return replace(config, depth=DEEP)


def can_go_deep(config: ViTConfig) -> bool:
    """Whether the gradients of that model fit into the server's limit."""
    try:
        return can_learn(deep_config(config))
    except ValueError:  # it would need more memory than any model may
        return False


def deep(choice: Choice, target: int) -> Mapping[str, WayBack]:
    """Return the way back through twelve new blocks, by the names of ``VARIANTS``.

    All variants have the same first weights.
    """

    def make() -> Mapping[str, WayBack]:
        new = build(deep_config(choice.config), SEED).eval()
        return {
            name: measured(lambda left=left: with_flaws(new, left), choice, target)  # type: ignore[misc]
            for name, left in VARIANTS.items()
        }

    return remember(("deep", choice, target), make)


def other_sums(choice: Choice) -> ViT:
    """Return the choice's model with residual sums where it has none, without where it has."""
    own = flaws(choice)
    base = load_source(choice.source, choice.config, choice.seed).model
    model = with_flaws(base, replace(own, residual=not own.residual))
    changes = changes_of(choice.config, choice.edits)
    return ChangedViT(model, changes) if changes else model


def measured(make: Callable[[], ViT], choice: Choice, target: int) -> WayBack:
    model, image = make(), model_and_image(choice)[1]
    with one_at_a_time(model.config):
        return way_back(model, image, target)


def way_back(model: ViT, image: Tensor, target: int) -> WayBack:
    """Return the sizes of the gradients of one picture in one model."""
    found = gradients_of(model, image, target)
    blocks: Sequence[int] = range(model.config.depth - 1, -1, -1)

    def size(key: str) -> float:
        return size_of(found.tensors[key][0].numpy())

    rows = found.recorded[f"blocks.{blocks[0]}.resid_post"][0].detach().double()
    differing, whole = (rows - rows.mean(dim=0)).norm(), rows.norm()
    return WayBack(
        (
            size(f"blocks.{blocks[0]}.resid_post"),
            *(size(f"blocks.{block}.resid_pre") for block in blocks),
        ),
        tuple(size(f"blocks.{block}.attn.scores") for block in blocks),
        size("logits"),
        float(differing / whole) if whole else 0.0,
    )
