"""From a choice to what the model computed: models, test digits and traces, cached for all."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from explainer import pictures
from explainer.cache import BytesCache
from explainer.state import SOURCES, UNTRAINED, Choice, State
from vit_core import Checkpoint, ViT, ViTConfig, build, load_checkpoint, trace
from vit_core.checkpoint import SHIPPED_DIR
from vit_core.data import DataInfo, mnist_info, mnist_test, normalize

MODELS_LIMIT = 32 * 1024**2  # bytes
OBSERVATIONS_LIMIT = 16 * 1024**2  # bytes
OWN_LIMIT = 8 * 1024**2  # bytes, apart, since nearly nobody else will ask for an own picture


@dataclass(frozen=True)
class Source:
    """A model, what it has to know of its data, and the file it comes from if it was trained."""

    model: ViT
    info: DataInfo
    checkpoint: Checkpoint | None


@dataclass(frozen=True)
class Observation:
    """One image and everything that one model computed from it; read-only.

    Attributes:
        pixels: (28, 28) uint8.
        label: the true class; None for an own picture, of which nobody has said what it is.
        tensors: trace key → float32 array without the batch axis, in the order of the pass.
        logits: (10,).
        probabilities: (10,), softmax of the logits.
    """

    pixels: np.ndarray
    label: int | None
    config: ViTConfig
    tensors: Mapping[str, np.ndarray]
    logits: np.ndarray
    probabilities: np.ndarray
    class_names: tuple[str, ...]

    @cached_property
    def prediction(self) -> int:
        """The class of the largest logit."""
        return int(self.logits.argmax())

    @cached_property
    def telling_patch(self) -> int:
        """The patch whose values differ most, which shows more than an empty corner."""
        return int(self.tensors["patches"].std(axis=1).argmax())


def available_sources() -> tuple[str, ...]:
    """Return the sources that can be chosen; the app opens on the first."""
    return tuple(s for s in SOURCES if s == UNTRAINED or checkpoint_path(s).is_file())


def checkpoint_path(source: str) -> Path:
    return SHIPPED_DIR / f"{source}.safetensors"


def load_source(source: str, config: ViTConfig | None = None, seed: int = 0) -> Source:
    """Return a shipped trained model, or an untrained one of ``config`` and ``seed``.

    Args:
        config, seed: of the untrained model, the default shape if None; a trained one has its own.

    Raises:
        CheckpointError: the shipped file is damaged; the message is one sentence.
        OSError: the shipped file cannot be read.
    """
    if source == UNTRAINED:
        shape = config or ViTConfig()
        return models().get((shape, seed), lambda: Source(build(shape, seed).eval(), info(), None))
    return models().get(source, lambda: read_source(source))


def read_source(source: str) -> Source:
    checkpoint = load_checkpoint(checkpoint_path(source))
    return Source(checkpoint.model, checkpoint.data or info(), checkpoint)


@cache
def info() -> DataInfo:
    return mnist_info()


@cache
def digit_places() -> tuple[np.ndarray, ...]:
    """Return, for each class, the places of its digits in the test set."""
    labels = mnist_test().labels.numpy()
    return tuple(np.flatnonzero(labels == digit) for digit in range(10))


def count_digits(digit: int) -> int:
    """Return how many test digits of a class there are."""
    return len(digit_places()[digit])


def test_digit(digit: int, index: int) -> np.ndarray:
    """Return the test digit number ``index`` of a class, (28, 28) uint8."""
    return mnist_test().images[digit_places()[digit][index], 0].numpy()


def observe(choice: Choice) -> Observation:
    """Run the chosen model on the chosen picture, once for all visitors.

    Raises:
        ValueError: the choice has an own picture, and its text is none.
    """
    kept = own_observations() if choice.picture else observations()
    return kept.get(choice, lambda: run(choice))


def run(choice: Choice) -> Observation:
    source = load_source(choice.source, choice.config, choice.seed)
    pixels = picture(choice)
    image = torch.from_numpy(pixels.copy())[None, None]
    recorded = trace(source.model, normalize(image, source.info))
    return Observation(
        pixels=frozen(pixels),
        label=None if choice.picture else choice.digit,
        config=source.model.config,
        tensors=MappingProxyType({key: frozen(kept(recorded[key])) for key in recorded}),
        logits=frozen(kept(recorded.logits)),
        probabilities=frozen(kept(recorded.probabilities)),
        class_names=source.info.class_names,
    )


def kept(tensor: Tensor) -> np.ndarray:
    """Return the only image of a batch as an array of its own, which holds no tensor alive."""
    return tensor[0].numpy().copy()


def picture(choice: Choice | State) -> np.ndarray:
    """Return the pixels (28, 28) uint8 that the model gets: an own picture or a test digit."""
    if choice.picture:
        return pictures.decode(choice.picture)
    return test_digit(choice.digit, choice.index)


def frozen(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view


@st.cache_resource
def models() -> BytesCache[Source]:
    return BytesCache(
        MODELS_LIMIT, lambda source: 4 * sum(p.numel() for p in source.model.parameters())
    )


@st.cache_resource
def observations() -> BytesCache[Observation]:
    return BytesCache(OBSERVATIONS_LIMIT, size)


@st.cache_resource
def own_observations() -> BytesCache[Observation]:
    return BytesCache(OWN_LIMIT, size)


def size(seen: Observation) -> int:
    return sum(array.nbytes for array in seen.tensors.values())
