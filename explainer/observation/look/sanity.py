"""Maps of the chosen picture while the model's weights become random, kept for all visitors."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from explainer.observation.compute import read_only
from explainer.observation.learning.lesson import model_and_image
from explainer.observation.tasks import Report
from explainer.state.choice import Choice
from vit_core import ViTConfig
from vit_core.interpret import METHODS, AttributionError, attribute
from vit_core.interpret.attribution import SIGNED
from vit_core.interpret.sanity import HOW, sanity_check
from vit_core.model import ViT

SEED = 0
SLOW = ("integrated_gradients", "occlusion")  # methods of many passes
PASSES = 14  # of all others together
SLOW_PASSES = 110  # of the slow ones together, beside one a patch
CHEAP = 1.5e10  # multiplications: below that it begins by itself
MOST_WORK = 3e12  # some minutes
WAYS = HOW


@dataclass(frozen=True)
class Sanity:
    """The maps at each stage; read-only.

    Attributes:
        methods: M of them, in the order of ``METHODS``.
        refused: method → why it explains nothing here.
        stages: S names, as ``vit_core.interpret.sanity.Stage`` has them; the first is the model as
            it is.
        maps: (M, S, P).
        correlations: (M, S) of the map's ranks with those of the first stage, -1 to 1; not a number
            where one of the two has one value everywhere.
        signed: of each method, whether its values may be below 0.
    """

    methods: tuple[str, ...]
    refused: Mapping[str, str]
    stages: tuple[str, ...]
    maps: np.ndarray
    correlations: np.ndarray
    signed: tuple[bool, ...]


def methods_for(config: ViTConfig) -> tuple[str, ...]:
    """Return the methods that are computed; without the slow ones where these take minutes."""
    if work(config, METHODS) <= MOST_WORK:
        return METHODS
    return tuple(method for method in METHODS if method not in SLOW)


def work(config: ViTConfig, methods: tuple[str, ...]) -> float:
    """Return roughly how many multiplications all stages take."""
    passes = PASSES
    if set(methods) & set(SLOW):
        passes += SLOW_PASSES + config.num_patches
    return (config.depth + 3) * passes * config.num_parameters * config.num_tokens


def can_be_checked(choice: Choice) -> bool:
    """Return whether some minutes are enough."""
    return work(choice.config, methods_for(choice.config)) <= MOST_WORK


def is_cheap(choice: Choice) -> bool:
    """Return whether it is computed without being asked for."""
    return work(choice.config, methods_for(choice.config)) <= CHEAP


def key_of(choice: Choice, target: int | None, how: str) -> Hashable:
    return "sanity", choice, target, how


def prepared(choice: Choice, target: int | None, how: str) -> Callable[[Report], Sanity]:
    """Return the computation, which then needs nothing of Streamlit's any more.

    Args:
        target: the class whose score is explained; None for a model without a head.
        how: one of ``WAYS``.

    Raises:
        CheckpointError: the model cannot be read.
        ValueError: a picture of the visitor is no longer kept.
    """
    model, image = model_and_image(choice)
    return partial(compute, model, image, target, how)


def compute(model: ViT, image: Tensor, target: int | None, how: str, report: Report) -> Sanity:
    """Make the maps of all methods at each stage."""
    targets = None if target is None else torch.tensor([target])
    methods = methods_for(model.config)
    refused: dict[str, str] = {}
    found: list[dict[str, Tensor]] = []  # of each stage
    total = (model.config.depth + 3) * len(methods)

    def maps(altered: ViT) -> Tensor:
        here: dict[str, Tensor] = {}
        for index, method in enumerate(methods):
            done = len(found) * len(methods) + index
            if method not in refused:
                try:
                    here[method] = attribute(
                        altered,
                        image,
                        targets,
                        method,
                        progress=lambda _, __, done=done: report(done, total),
                    ).patches[0]
                except AttributionError as error:
                    refused[method] = str(error)
            report(done + 1, total)
        found.append(here)
        # the stages' own comparison has as many maps at each, also after one was refused
        nothing = image.new_zeros(model.config.num_patches)
        return torch.stack([here.get(method, nothing) for method in methods])

    stages = list(sanity_check(model, maps, how, SEED))
    kept = tuple(method for method in methods if method not in refused)
    at = [methods.index(method) for method in kept]
    return Sanity(
        kept,
        refused,
        tuple(stage.name for stage in stages),
        read_only(np.stack([stage.patches[at].numpy() for stage in stages], axis=1)),
        read_only(np.stack([stage.correlation[at].numpy() for stage in stages], axis=1)),
        tuple(method in SIGNED for method in kept),
    )
