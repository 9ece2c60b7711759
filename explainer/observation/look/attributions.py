"""What each method says of the patches of the chosen picture, kept for all visitors."""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch

from explainer.caching import BytesCache, size_of
from explainer.inputs.models.memory import forward_lock
from explainer.observation.compute import copy_image, read_only
from explainer.observation.learning.lesson import model_and_image
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.place import Place
from vit_core import ViTConfig
from vit_core.interpret import METHODS, AttributionError, attribute
from vit_core.interpret.attribution import TARGETED
from vit_core.interpret.attribution.task import Progress

LIMIT = 8 * 1024**2  # bytes of maps that are kept
BASELINES = ("ink", "random")  # they ask no model
AT_ONCE = 8e9  # multiplications and additions of a map that a page waits for
BY_ITSELF = 4e11  # of one that is made beside the page without being asked for
STEPS = 50  # on the path of integrated gradients
BACK = 3  # passes that one costs which goes back, too


@dataclass(frozen=True)
class Attributed:
    """One method's map of one picture; read-only.

    Attributes:
        patches: (P,), float32.
        kind: what a value means, as ``vit_core`` says it.
        is_signed: whether a value below 0 speaks against what is explained.
        error: by how much the values miss what they should add up to; None where they need not.
        passes: forward passes that it cost.
    """

    method: str
    patches: np.ndarray
    kind: str
    is_signed: bool
    error: float | None
    passes: int


def attribution(
    choice: Choice, target: int | None, method: str, progress: Progress | None = None
) -> Attributed:
    """Return what a method says of the chosen picture, computed once for all visitors.

    Args:
        target: the class whose score is explained; None for a model without a head.
        progress: told of the passes that are done, and of all.

    Raises:
        AttributionError: the method cannot explain this model.
        CheckpointError: the model cannot be read.
        ValueError: a picture of the visitor is no longer kept.
    """
    key = key_of(choice, target, method)
    return attributions().get(key, lambda: compute(choice, target, method, progress))


def found_at_once(choice: Choice, target: int | None, method: str) -> Attributed | str | None:
    """Return a map that is there or made in no time.

    Returns:
        The map; None if it takes longer; one sentence that says why there can be none.
    """
    if not (is_quick(choice.config, method) or is_kept(choice, target, method)):
        return None
    try:
        return attribution(choice, target, method)
    except AttributionError as error:
        return str(error)


def maps_there(choice: Choice, target: int | None) -> list[Attributed]:
    """Return the maps that are there or made in no time, in the order of ``methods``."""
    found = (found_at_once(choice, target, name) for name in methods())
    return [one for one in found if isinstance(one, Attributed)]


def is_kept(choice: Choice, target: int | None, method: str) -> bool:
    """Return whether ``attribution`` has a map already."""
    return key_of(choice, target, method) in attributions()


def depends_on_class(method: str) -> bool:
    """Return whether a method's map is another one for another class."""
    return method in TARGETED


def key_of(choice: Choice, target: int | None, method: str) -> Hashable:
    """Return what a map depends on; a method that knows no class has one map for all."""
    return choice, target if method in TARGETED else None, method


def compute(
    choice: Choice, target: int | None, method: str, progress: Progress | None = None
) -> Attributed:
    model, image = model_and_image(choice)
    targets = None if target is None else torch.tensor([target])
    with forward_lock(model.config):
        found = attribute(model, image, targets, method, progress=progress)
    return Attributed(
        method,
        read_only(copy_image(found.patches)),
        found.kind,
        found.is_signed,
        None if found.error is None else float(found.error[0]),
        found.passes,
    )


@st.cache_resource
def attributions() -> BytesCache[Attributed]:
    return BytesCache(LIMIT, size_of)


def explained(seen: Observation, place: Place) -> int | None:
    """Return the class whose score is explained; None for a model without a head."""
    return seen.prediction if place.explain is None else place.explain


def runner_up(seen: Observation) -> int:
    """Return the class with the largest logit after the predicted one; it, if it is the only."""
    order = np.argsort(-seen.logits, kind="stable")
    return int(order[min(1, len(order) - 1)])


def methods() -> tuple[str, ...]:
    """Return the names of all methods, the baselines last."""
    return (*(name for name in METHODS if name not in BASELINES), *BASELINES)


def is_quick(config: ViTConfig, method: str) -> bool:
    """Return whether a page waits for a method's map, and does not have it made beside it."""
    return work_of(config, method) <= AT_ONCE


def work_of(config: ViTConfig, method: str) -> float:
    """Return roughly how many multiplications and additions a method's map takes."""
    passes = {
        "attention": 1,
        "rollout": 1,
        "integrated_gradients": BACK * STEPS,
        "occlusion": config.num_patches + 1,
        **dict.fromkeys(BASELINES, 0),
    }
    return passes.get(method, BACK) * pass_work(config)


def pass_work(config: ViTConfig) -> float:
    """Return roughly how many multiplications and additions one pass of one picture takes."""
    tokens, width = config.num_tokens, config.embed_dim
    layers = 4 * width**2 + 2 * width * config.mlp_dim
    return config.depth * (tokens * layers + 2 * tokens**2 * width)
