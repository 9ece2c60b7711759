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

from explainer import pictures, runs
from explainer.cache import BytesCache
from explainer.runs import Run
from explainer.showable import check_showable
from explainer.state import SOURCES, UNTRAINED, Choice, State, read_saved
from vit_core import Checkpoint, CheckpointError, ViT, ViTConfig, build, load_checkpoint, trace
from vit_core.checkpoint import SHIPPED_DIR
from vit_core.data import DataInfo, mnist_info, mnist_test, normalize

MODELS_LIMIT = 32 * 1024**2  # bytes
OBSERVATIONS_LIMIT = 16 * 1024**2  # bytes
NONE = np.zeros(0, np.float32)  # logits of a model without a head
OWN_LIMIT = 8 * 1024**2  # bytes, apart, since nearly nobody else will ask for an own picture


@dataclass(frozen=True)
class Source:
    """A model, what it has to know of its data, and the file it comes from if there is one."""

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
        logits: (C,); empty where the model has no head.
        probabilities: (C,), softmax of the logits.
    """

    pixels: np.ndarray
    label: int | None
    config: ViTConfig
    tensors: Mapping[str, np.ndarray]
    logits: np.ndarray
    probabilities: np.ndarray
    class_names: tuple[str, ...]

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


def available_sources() -> tuple[str, ...]:
    """Return the sources that can be chosen; the app opens on the first."""
    return tuple(s for s in SOURCES if s == UNTRAINED or checkpoint_path(s).is_file())


def checkpoint_path(source: str) -> Path:
    return SHIPPED_DIR / f"{source}.safetensors"


def load_source(source: str, config: ViTConfig | None = None, seed: int = 0) -> Source:
    """Return a shipped model, a run's of one epoch, or one of ``config`` and ``seed``.

    Args:
        source: as in ``Choice``.
        config, seed: of the model that the knobs shape, the default shape if None; others have
            their own.

    Raises:
        CheckpointError: the file is damaged, or the run is gone; the message is one sentence.
        OSError: the file is not there or cannot be read.
    """
    if source == UNTRAINED:
        shape = config or ViTConfig()
        return models().get((shape, seed), lambda: Source(build(shape, seed).eval(), info(), None))
    if saved := read_saved(source):
        path = saved_path(*saved)
        found = path.stat()
        # a run that was deleted is found no more, and a file that was replaced is read anew
        key = (source, found.st_ino, found.st_mtime_ns)
        return models().get(key, lambda: read_saved_source(path))
    return models().get(source, lambda: read_source(checkpoint_path(source)))


def read_source(path: Path) -> Source:
    checkpoint = load_checkpoint(path)
    return Source(checkpoint.model, checkpoint.data or info(), checkpoint)


def read_saved_source(path: Path) -> Source:
    """Read a run's model, which somebody may have put there by hand."""
    source = read_source(path)
    check_showable(source.model.config, source.info)
    return source


def find_run(run: str) -> Run | None:
    """Return what the manager knows of a run; None where there is none of this id."""
    return runs.the_manager().find(run)


def saved_path(run: str, epoch: int) -> Path:
    """Return the file of a run's saved epoch.

    Raises:
        CheckpointError: there is no such run.
    """
    if (found := find_run(run)) is None:
        raise CheckpointError(f"there is no run {run} here")
    return found.history.checkpoint(epoch)


def is_there(source: str) -> bool:
    """Whether a source can still be read: a run may be deleted while a page shows it."""
    saved = read_saved(source)
    try:
        return saved is None or saved_path(*saved).is_file()
    except CheckpointError:
        return False


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
    has_head = source.model.config.num_classes > 0
    return Observation(
        pixels=frozen(pixels),
        label=None if choice.picture else choice.digit,
        config=source.model.config,
        tensors=MappingProxyType({key: frozen(kept(recorded[key])) for key in recorded}),
        logits=frozen(kept(recorded.logits) if has_head else NONE),
        probabilities=frozen(kept(recorded.probabilities) if has_head else NONE),
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
