"""What a model computes from a picture; ``observe`` decides what is kept in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from torch import Tensor

from explainer.content import load_texts
from explainer.content.strangers_words import StrangersWord, distinct
from explainer.inputs.models.load import source_of
from explainer.inputs.models.memory import is_large
from explainer.inputs.pictures.chosen import label, picture
from explainer.inputs.pictures.edited import edited
from explainer.state.choice import DIGITS, Choice
from vit_core import ViTConfig, trace

NO_LOGITS = np.zeros(0, np.float32)  # of a model without a head


@dataclass(frozen=True)
class Observation:
    """An image and every tensor that a model computed from it; read-only.

    Attributes:
        pixels: (height, width) uint8 of one channel, (height, width, 3) of three; with the
            choice's edits.
        label: the true class of the picture before its edits; None if it is unknown.
        gallery: whose pictures suit the model, by the names of
            ``explainer.inputs.pictures.galleries``.
        tensors: trace key → float32 array without the batch axis, in the order of the pass.
        logits: (C,); empty where the model has no head.
        probabilities: (C,), softmax of the logits.
    """

    pixels: np.ndarray
    label: int | None
    config: ViTConfig
    tensors: Mapping[str, np.ndarray]
    logits: np.ndarray
    probabilities: np.ndarray
    class_names: tuple[StrangersWord, ...]
    gallery: str = DIGITS

    @property
    def has_head(self) -> bool:
        """Whether the model has classes; without a head its output is features."""
        return self.config.num_classes > 0

    @property
    def output(self) -> np.ndarray:
        """The model's output: probabilities (C,), or the image's features (D,) without a head."""
        return self.probabilities if self.has_head else self.tensors["pooled"]

    @cached_property
    def prediction(self) -> Any:
        """The class of the largest logit, an int; None without a head.

        Not typed as int | None: what needs a class is only drawn for a model with a head.
        """
        return int(self.logits.argmax()) if self.has_head else None

    @cached_property
    def telling_patch(self) -> int:
        """The patch whose values vary most; the pages start with it instead of an empty corner."""
        return int(self.tensors["patches"].std(axis=1).argmax())


def compute(choice: Choice, pixels: np.ndarray | None = None) -> Observation:
    """Run the chosen model on the chosen picture, and return every tensor of the pass.

    Args:
        pixels: of an observation of this choice, where they are known.

    Raises:
        CheckpointError: the model cannot be read; see ``load_source``.
        ValueError: the visitor's own picture is unreadable or no longer kept, or an edit does not
            fit the model.
    """
    source = source_of(choice)
    config = source.model.config
    if choice.edits.covered("drop"):
        raise ValueError("a trace has all tokens; cover the patches instead")
    if pixels is None:
        pixels = edited(picture(choice), choice.edits, config.patch_hw)
    recorded = trace(source.model, source.batch(pixels))
    has_head = config.num_classes > 0
    array_of = view_image if is_large(config) else copy_image
    # a block's last tensor is the first of the next block, and becomes one array
    arrays = {id(recorded[key]): read_only(array_of(recorded[key])) for key in recorded}
    return Observation(
        pixels=read_only(pixels),
        label=label(choice, source.info.class_names),
        gallery=choice.gallery,
        config=config,
        tensors=MappingProxyType({key: arrays[id(recorded[key])] for key in recorded}),
        logits=read_only(copy_image(recorded.logits) if has_head else NO_LOGITS),
        probabilities=read_only(copy_image(recorded.probabilities) if has_head else NO_LOGITS),
        class_names=distinct(source.info.class_names, load_texts("frame")["nameless"]),
    )


def copy_image(tensor: Tensor) -> np.ndarray:
    """Return the only image of a batch as a copy, so that the tensor can be freed."""
    return tensor[0].numpy().copy()


def view_image(tensor: Tensor) -> np.ndarray:
    """Return the only image of a batch as a view, for tensors that are too large to copy."""
    return tensor[0].numpy()


def read_only(array: np.ndarray) -> np.ndarray:
    """Return a view that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view
