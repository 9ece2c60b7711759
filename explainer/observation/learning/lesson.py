"""The one gradient pass of a chosen picture, kept for all visitors."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import streamlit as st
from torch import Tensor

from explainer.caching import BytesCache
from explainer.inputs.models.load import source_of
from explainer.inputs.models.memory import is_large, pass_bytes
from explainer.inputs.models.passes import one_large_pass
from explainer.inputs.pictures.chosen import picture
from explainer.inputs.pictures.edited import edited
from explainer.observation.compute import copy_image, read_only
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.place import Place
from vit_core import ViTConfig
from vit_core.learning.gradients import Gradients, gradients_of
from vit_core.model import ViT

LARGEST = 80 * 1024**2  # bytes of the gradients of one picture that the server computes
LIMIT = 8 * 1024**2  # bytes of lessons that are kept; one larger than that is kept alone


@dataclass(frozen=True)
class Lesson:
    """One picture's loss and all its gradients; read-only.

    Attributes:
        loss: -ln p(target), in nats.
        target: the class that the loss asks for.
        probabilities: (C,).
        gradients: trace key → dL/dtensor, without the batch axis.
        weights: parameter's name → dL/dparameter.
    """

    loss: float
    target: int
    probabilities: np.ndarray
    gradients: Mapping[str, np.ndarray]
    weights: Mapping[str, np.ndarray]


def lesson(choice: Choice, target: int) -> Lesson:
    """Return the loss of the chosen picture and its gradients, computed once for all visitors.

    Args:
        target: index of a class of the model.

    Raises:
        CheckpointError: the model cannot be read.
        ValueError: the model has no such class, or a picture of the visitor is no longer kept.
    """
    return lessons().get((choice, target), lambda: compute(choice, target))


def target_of(seen: Observation, place: Place) -> int:
    """Return the class that the loss asks for.

    That is the picture's class where it is known, else what the visitor says it is, else what the
    model predicts. The model must have classes.
    """
    if seen.label is not None:
        return seen.label
    return int(seen.prediction if place.target is None else place.target)


def lesson_of(choice: Choice, seen: Observation, place: Place) -> Lesson:
    """Return the lesson that a part of the page shows."""
    return lesson(choice, target_of(seen, place))


def can_learn(config: ViTConfig) -> bool:
    """Return whether the model has classes and its gradients fit into the server's limit."""
    return config.num_classes > 0 and gradient_bytes(config) <= LARGEST


def gradient_bytes(config: ViTConfig) -> int:
    """Return roughly how many bytes all gradients of one picture take."""
    return 4 * config.num_parameters + pass_bytes(config)


def compute(choice: Choice, target: int) -> Lesson:
    model, image = model_and_image(choice)
    return taught(model, image, target)


def model_and_image(choice: Choice) -> tuple[ViT, Tensor]:
    """Return the model with the choice's changes, and the prepared picture as a batch of one."""
    source = source_of(choice)
    pixels = edited(picture(choice), choice.edits, source.model.config.patch_hw)
    return source.model, source.batch(pixels)


def taught(model: ViT, image: Tensor, target: int) -> Lesson:
    """Run one forward and one backward pass."""
    with one_at_a_time(model.config):
        found = gradients_of(model, image, target)
    return lesson_from(found)


def one_at_a_time(config: ViTConfig) -> AbstractContextManager[Any]:
    """Return the context in which gradients are computed: those of large models one by one."""
    return one_large_pass if is_large(config) else nullcontext()


def lesson_from(found: Gradients) -> Lesson:
    # a block's last tensor is the first of the next block, and has one gradient
    arrays = {id(tensor): read_only(copy_image(tensor)) for tensor in found.tensors.values()}
    return Lesson(
        found.loss,
        found.target,
        read_only(copy_image(found.recorded.probabilities.detach())),
        MappingProxyType({key: arrays[id(one)] for key, one in found.tensors.items()}),
        MappingProxyType({name: read_only(one.numpy()) for name, one in found.weights.items()}),
    )


@st.cache_resource
def lessons() -> BytesCache[Lesson]:
    return BytesCache(LIMIT, lesson_bytes)


def lesson_bytes(one: Lesson) -> int:
    arrays = {id(array): array.nbytes for array in one.gradients.values()}
    return sum(arrays.values()) + sum(array.nbytes for array in one.weights.values())
