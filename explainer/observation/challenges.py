"""What a search finds for the challenges of the page "Fool it", computed once for all visitors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from explainer.caching import remember
from explainer.inputs.models import load
from explainer.inputs.models.memory import forward_lock
from explainer.inputs.pictures.edited import mean_levels
from explainer.observation.background import is_there
from explainer.observation.heads import SOFTMAX, effects, effects_are_cheap, spread
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from vit_core.data import normalize
from vit_core.interpret.fewest import (
    MOST_PASSES,
    Found,
    fewest_to_change,
    fewest_to_keep,
    logits_without,
)
from vit_core.interpret.heads import Head
from vit_core.model import ViT

FEW, TARGET, KEEP, HEAD = "few", "target", "keep", "head"
CHALLENGES = (FEW, TARGET, KEEP, HEAD)
MOST_WORK = 1.5e11  # multiplications of one search, some seconds
MOST_TARGETS = 4  # classes that are tried, the most probable first


@dataclass(frozen=True)
class FewPatches:
    """What a search for few patches found, and what attention would have said.

    Attributes:
        found: of the search.
        target: the class that was asked for; None for any other than now.
        looked: as many patches, those that are looked at most in the last block; the first most.
        looked_prediction, looked_probability: the model's answer if these are covered, or kept, in
            place of the patches that were found.
    """

    found: Found
    target: int | None
    looked: tuple[int, ...]
    looked_prediction: int
    looked_probability: float


@dataclass(frozen=True)
class OneHead:
    """The head without which the answer moves most, and the one with the sharpest attention.

    Attributes:
        head, focused: which ones.
        after, focused_after: the share of the answer without each; without classes, the cosine of
            the features with those of the whole model.
        before: with all heads.
        tried: how many heads.
    """

    head: Head
    after: float
    focused: Head
    focused_after: float
    before: float
    tried: int


class LockedModel:
    """A model that waits for its turn before each batch, as all passes of large models do."""

    def __init__(self, model: ViT) -> None:
        self.config, self._model = model.config, model

    def __call__(self, *arguments: Any) -> Tensor:
        with forward_lock(self.config):
            logits: Tensor = self._model(*arguments)
        return logits


def challenges(seen: Observation) -> tuple[str, ...]:
    """Return the challenges that a model and a picture have."""
    config = seen.config
    about_patches = config.num_patches > 1 and len(seen.class_names) > 1
    heads = (HEAD,) if config.depth * config.num_heads > 1 else ()
    return ((FEW, TARGET, KEEP) if about_patches else ()) + heads


def targets_of(seen: Observation) -> list[int]:
    """Return the classes that may be asked for, the runner-up first."""
    order = np.argsort(-seen.logits, kind="stable").tolist()
    return [target for target in order if target != seen.prediction][:MOST_TARGETS]


def few_patches(choice: Choice, seen: Observation, name: str, how: str) -> FewPatches | None:
    """Return what the search for a challenge finds; None if the model is too large for it.

    Args:
        name: ``FEW``, ``TARGET`` or ``KEEP``.
        how: patches are covered, "mean" or "black".
    """
    if not can_be_searched(choice):
        return None
    return remember(key_of(choice, name, how), prepared_search(choice, seen, name, how))


def are_found(choice: Choice, seen: Observation, name: str, how: str) -> bool:
    """Return whether ``few_patches`` knows its answer; if not, have it searched for meanwhile."""
    if not can_be_searched(choice):
        return True
    return is_there(key_of(choice, name, how), prepared_search(choice, seen, name, how))


def key_of(choice: Choice, name: str, how: str) -> tuple[Any, ...]:
    return "challenge", choice, name, how


def can_be_searched(choice: Choice) -> bool:
    return affordable_passes(choice) >= 3 * choice.config.num_patches


def affordable_passes(choice: Choice) -> int:
    """Return how many pictures a search may ask the model about."""
    config = choice.config
    patterns = config.depth * config.num_heads * config.num_tokens**2
    work = config.num_parameters * config.num_tokens + SOFTMAX * patterns
    return int(min(MOST_PASSES, MOST_WORK // work))


def prepared_search(
    choice: Choice, seen: Observation, name: str, how: str
) -> Callable[[], FewPatches]:
    """Return the search for a challenge, which then needs nothing of Streamlit's any more."""
    source = load.source_of(choice)
    return partial(
        search,
        cast(ViT, LockedModel(source.model)),
        source.batch(seen.pixels),
        cover_value(choice, seen, how),
        name,
        targets_of(seen),
        np.argsort(-looks(seen), kind="stable").tolist(),
        affordable_passes(choice),
    )


def search(
    model: ViT,
    images: Tensor,
    value: Tensor,
    name: str,
    targets: Sequence[int],
    most_looked: Sequence[int],
    passes: int,
) -> FewPatches:
    if name == KEEP:
        found, target = found_by(partial(fewest_to_keep, model, images, value), passes), None
    elif name == FEW:
        found, target = found_by(partial(fewest_to_change, model, images, value), passes), None
    else:
        found, target = found_target(model, images, value, targets, passes)
    looked = tuple(most_looked[: len(found.patches)])
    logits = logits_without(model, images, [looked], value, is_kept=name == KEEP)[0]
    probability = float(logits.softmax(dim=0).max())
    return FewPatches(found, target, looked, int(logits.argmax()), probability)


def found_by(look_for: Callable[..., Found], passes: int) -> Found:
    """Search quickly, and then with all sets of up to 16 patches if it can be done at all."""
    quick = look_for(exact_up_to=0, most_passes=passes // 10)
    return look_for(most_passes=passes) if quick.found else quick


def found_target(
    model: ViT, images: Tensor, value: Tensor, targets: Sequence[int], passes: int
) -> tuple[Found, int]:
    """Return what was found for the first class that can be had, else for the first."""
    first: Found | None = None
    for target in targets:
        found = found_by(partial(fewest_to_change, model, images, value, target), passes)
        if found.found:
            return found, target
        first = first or found
    assert first is not None, "a model with several classes has a runner-up"
    return first, targets[0]


def cover_value(choice: Choice, seen: Observation, how: str) -> Tensor:
    """Return what the model gets of a covered pixel, (channels,)."""
    channels = seen.config.in_channels
    levels = mean_levels(seen.pixels) if how == "mean" else 0
    pixel = np.broadcast_to(np.asarray(levels, np.uint8), channels)
    images = torch.tensor(pixel.copy()).view(1, channels, 1, 1)
    return normalize(images, load.source_of(choice).info)[0, :, 0, 0]


def looks(seen: Observation) -> np.ndarray:
    """Return how much each patch is looked at in the last block, (P,), the mean of its heads.

    By the class token; in a model whose answer is the mean of all patches, by the mean of them.
    """
    config = seen.config
    pattern = seen.tensors[f"blocks.{config.depth - 1}.attn.pattern"].mean(axis=0)
    prefix = config.num_prefix_tokens
    rows = pattern[0] if config.pool == "cls" else pattern[prefix:].mean(axis=0)
    return rows[prefix:]


def one_head(choice: Choice, seen: Observation) -> OneHead | None:
    """Return the head that matters most; None if the model is too large to try all of them."""
    if not effects_are_cheap(choice):
        return None
    left = what_is_left(choice, seen)
    entropies, _ = spread(choice, seen)
    block, head = (int(at) for at in np.unravel_index(left.argmin(), left.shape))
    sharp, focused = (int(at) for at in np.unravel_index(entropies.argmin(), left.shape))
    before = float(seen.probabilities[seen.prediction]) if seen.has_head else 1.0
    return OneHead(
        Head(block, head),
        float(left[block, head]),
        Head(sharp, focused),
        float(left[sharp, focused]),
        before,
        left.size,
    )


def what_is_left(choice: Choice, seen: Observation) -> np.ndarray:
    """Return what is left of the answer without each head, (depth, heads)."""
    outputs = effects(choice, seen)
    if seen.has_head:
        return outputs[..., seen.prediction]
    whole = seen.output
    lengths = np.linalg.norm(outputs, axis=-1) * np.linalg.norm(whole)
    return (outputs @ whole) / np.where(lengths > 0, lengths, 1)
