"""From a choice to what the model computed: a picture's trace, cached for all."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from threading import local
from types import MappingProxyType

import numpy as np
import streamlit as st
from torch import Tensor

from explainer.caching import BytesCache
from explainer.content import load_texts
from explainer.content.strangers_words import StrangersWord, distinct
from explainer.inputs.models.load import load_source
from explainer.inputs.models.memory import is_large, pass_bytes
from explainer.inputs.models.passes import one_large_pass
from explainer.inputs.pictures.batches import batch_of
from explainer.inputs.pictures.chosen import label, picture
from explainer.inputs.pictures.galleries import (
    DIGITS,
)
from explainer.observation.in_use import InUse
from explainer.state.choice import Choice
from vit_core import ViTConfig, trace
from vit_core.data import normalize

OBSERVATIONS_LIMIT = 16 * 1024**2  # bytes
LARGE_LIMIT = 160 * 1024**2  # bytes: one image of a pretrained model, whatever its size
HELD_LIMIT = 160 * 1024**2  # bytes of others that runs of pages hold; a new one waits for its turn
PATIENCE = 15.0  # seconds that it waits at most
in_use = InUse()
this_run = local()  # what a run of the page, which is a thread of its own, keeps
NONE = np.zeros(0, np.float32)  # logits of a model without a head
OWN_LIMIT = 8 * 1024**2  # bytes, apart, since nearly nobody else will ask for an own picture


@dataclass(frozen=True)
class Observation:
    """One image and everything that one model computed from it; read-only.

    Attributes:
        pixels: (height, width) uint8 of one channel, (height, width, 3) of three.
        label: the true class; None for a picture of which nobody has said what it is.
        gallery: which pictures belong to the model, by the names of
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
        """Whether the model names classes; a backbone gives features alone."""
        return self.config.num_classes > 0

    @property
    def output(self) -> np.ndarray:
        """What the model gives: probabilities (C,), or the image's features (D,) without a head."""
        return self.probabilities if self.has_head else self.tensors["pooled"]

    @cached_property
    def prediction(self) -> int | None:
        """The class of the largest logit; None where there is no head."""
        return int(self.logits.argmax()) if self.has_head else None

    @cached_property
    def telling_patch(self) -> int:
        """The patch whose values differ most, which shows more than an empty corner."""
        return int(self.tensors["patches"].std(axis=1).argmax())


def observe(choice: Choice) -> Observation:
    """Run the chosen model on the chosen picture, once for all visitors.

    Raises:
        ValueError: the choice has an own picture, and its text is none.
    """
    if is_large(choice.config):
        seen = hold(choice)
        return replace(seen, tensors=Borrowed(choice, seen.tensors))
    kept = own_observations() if choice.is_own else observations()
    return kept.get(choice, lambda: run(choice))


def hold(choice: Choice) -> Observation:
    """Return a large observation with its tensors, which this run of the page keeps to its end.

    Others may look at other pictures meanwhile, for which the cache has to give these up.
    """
    seen = observe_large(choice)
    this_run.held = (choice, seen)
    return seen


def observe_large(choice: Choice) -> Observation:
    """Return an observation with all its tensors: this run's, the cache's, or of a new pass."""
    held = getattr(this_run, "held", None)
    if held and held[0] == choice:
        return held[1]
    this_run.held = held = None  # its memory is needed
    end = time.monotonic() + PATIENCE
    while True:
        with one_large_pass:
            cached = large_observations()
            # runs of pages hold what the cache has given up; they end soon
            held_elsewhere = in_use.bytes - cached.used
            if choice in cached or held_elsewhere <= HELD_LIMIT or time.monotonic() > end:
                return cached.get(choice, lambda: counted(choice), pass_bytes(choice.config))
        time.sleep(0.05)


def counted(choice: Choice) -> Observation:
    seen = run(choice)
    in_use.add(seen, size(seen))
    return seen


class Borrowed(Mapping[str, np.ndarray]):
    """The tensors of a large pass, which are looked up when they are needed.

    Buttons and fragments of every open page hold what they were drawn from. With the tensors
    themselves that would be more than a hundred megabytes for each visitor.
    """

    def __init__(self, choice: Choice, tensors: Mapping[str, np.ndarray]) -> None:
        self._choice, self._keys = choice, tuple(tensors)

    def __getitem__(self, key: str) -> np.ndarray:
        return observe_large(self._choice).tensors[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def run(choice: Choice) -> Observation:
    source = load_source(choice.source, choice.config, choice.seed)
    pixels = picture(choice)
    recorded = trace(source.model, normalize(batch_of(pixels), source.info))
    has_head = source.model.config.num_classes > 0
    # a block's last tensor is the next one's first
    keep = whole if is_large(source.model.config) else kept
    arrays = {id(recorded[key]): frozen(keep(recorded[key])) for key in recorded}
    return Observation(
        pixels=frozen(pixels),
        label=label(choice, source.info.class_names),
        gallery=choice.gallery,
        config=source.model.config,
        tensors=MappingProxyType({key: arrays[id(recorded[key])] for key in recorded}),
        logits=frozen(kept(recorded.logits) if has_head else NONE),
        probabilities=frozen(kept(recorded.probabilities) if has_head else NONE),
        class_names=distinct(source.info.class_names, load_texts("frame")["nameless"]),
    )


def kept(tensor: Tensor) -> np.ndarray:
    """Return the only image of a batch as an array of its own, which holds no tensor alive."""
    return tensor[0].numpy().copy()


def whole(tensor: Tensor) -> np.ndarray:
    """Return the only image of a batch as a view; for tensors too large to have twice."""
    return tensor[0].numpy()


def frozen(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view


@st.cache_resource
def observations() -> BytesCache[Observation]:
    return BytesCache(OBSERVATIONS_LIMIT, size)


@st.cache_resource
def own_observations() -> BytesCache[Observation]:
    return BytesCache(OWN_LIMIT, size)


@st.cache_resource
def large_observations() -> BytesCache[Observation]:
    return BytesCache(LARGE_LIMIT, size)


def size(seen: Observation) -> int:
    arrays = {id(array): array.nbytes for array in seen.tensors.values()}
    return sum(arrays.values())
