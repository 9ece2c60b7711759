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
from vit_core.interpret import METHODS, attribute
from vit_core.interpret.attribution import TARGETED
from vit_core.interpret.attribution.task import Progress

LIMIT = 8 * 1024**2  # bytes of maps that are kept


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


def is_kept(choice: Choice, target: int | None, method: str) -> bool:
    """Return whether ``attribution`` has a map already."""
    return key_of(choice, target, method) in attributions()


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
    return METHODS
