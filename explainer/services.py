"""From a choice to what the model computed: models, pictures and traces, cached for all."""

import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from threading import local
from types import MappingProxyType
from typing import Any

import numpy as np
import streamlit as st
import torch
from PIL import Image
from torch import Tensor

from explainer import pictures, runs
from explainer.cache import BytesCache
from explainer.content import load_texts
from explainer.galleries import DIGITS, fitted, gallery_of, label_of, own, samples
from explainer.large.in_use import InUse
from explainer.large.passes import one_large_batch, one_large_pass
from explainer.runs import Run
from explainer.runs.limits import load_limits
from explainer.showable import check_finite, check_memory, check_showable, has_usual_weights
from explainer.state import SOURCES, UNTRAINED, Choice, read_by_others, read_saved
from explainer.strangers_words import StrangersWord, distinct
from explainer.uploads import SMALL
from vit_core import Checkpoint, CheckpointError, ViT, ViTConfig, build, load_checkpoint, trace
from vit_core.checkpoint import SHIPPED_DIR
from vit_core.data import DataInfo, mnist_info, mnist_test, normalize
from vit_core.interpret.heads import block_bytes

MODELS_LIMIT = 32 * 1024**2  # bytes
OBSERVATIONS_LIMIT = 16 * 1024**2  # bytes
LARGE = 8 * 1024**2  # bytes of one image's tensors, above which a model's are kept apart
LARGE_LIMIT = 160 * 1024**2  # bytes: one image of a pretrained model, whatever its size
HELD_LIMIT = 160 * 1024**2  # bytes of others that runs of pages hold; a new one waits for its turn
PATIENCE = 15.0  # seconds that it waits at most
in_use = InUse()
BATCH_BYTES = 64 * 1024**2  # of the largest tensors while a batch runs whose tensors nobody keeps
this_run = local()  # what a run of the page, which is a thread of its own, keeps
NONE = np.zeros(0, np.float32)  # logits of a model without a head
OWN_LIMIT = 8 * 1024**2  # bytes, apart, since nearly nobody else will ask for an own picture


@dataclass(frozen=True)
class Source:
    """A model, what it has to know of its data, and where it comes from.

    Attributes:
        checkpoint: the file it comes from, if it was trained by this project.
        preprocessing: how a pretrained model's pictures are prepared; None for others.
    """

    model: ViT
    info: DataInfo
    checkpoint: Checkpoint | None
    preprocessing: Any = None

    @property
    def gallery(self) -> str:
        """Which pictures belong to the model."""
        return gallery_of(self.model.config, self.info)

    @property
    def learned_grid(self) -> tuple[int, int] | None:
        """The grid that the positions were learned for, where they were resampled for this one."""
        return getattr(self.preprocessing, "learned_grid", None)

    def prepare(self, image: Image.Image) -> np.ndarray:
        """Return a picture as the model gets it, uint8."""
        if self.preprocessing is not None:
            return self.preprocessing.prepare(image)
        return fitted(image, self.model.config)


@dataclass(frozen=True)
class Observation:
    """One image and everything that one model computed from it; read-only.

    Attributes:
        pixels: (height, width) uint8 of one channel, (height, width, 3) of three.
        label: the true class; None for a picture of which nobody has said what it is.
        gallery: which pictures belong to the model, as ``explainer.galleries`` names them.
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


def available_sources() -> tuple[str, ...]:
    """Return the sources that can be chosen; the app opens on the first."""
    return tuple(s for s in SOURCES if s == UNTRAINED or checkpoint_path(s).is_file())


def checkpoint_path(source: str) -> Path:
    return SHIPPED_DIR / f"{source}.safetensors"


def load_source(
    source: str,
    config: ViTConfig | None = None,
    seed: int = 0,
    on_wait: Callable[[float], None] = lambda seconds: None,
) -> Source:
    """Return a shipped model, a run's of one epoch, or one of ``config`` and ``seed``.

    Args:
        source: as in ``Choice``. A pretrained model may have to wait for a place in memory.
        config, seed: of the model that the knobs shape, the default shape if None; others have
            their own.
        on_wait: called again and again, with the seconds left at most, while a run's large model
            waits for a place in memory.

    Raises:
        CheckpointError: the file is damaged, or the run is gone; the message is one sentence.
        OSError: the file is not there or cannot be read.
    """
    if source == UNTRAINED:
        shape = config or ViTConfig()
        return models().get((shape, seed), lambda: Source(build(shape, seed).eval(), info(), None))
    if name := read_by_others(source):
        return read_pretrained(name)
    if saved := read_saved(source):
        path = saved_path(*saved)
        found = path.stat()
        # a run that was deleted is found no more, and a file that was replaced is read anew
        key = (source, found.st_ino, found.st_mtime_ns)
        if found.st_size > SMALL:
            return keep_large(key, path, on_wait)
        return models().get(key, lambda: read_saved_source(path))
    return models().get(source, lambda: read_source(checkpoint_path(source)))


def read_source(path: Path) -> Source:
    checkpoint = load_checkpoint(path)
    return Source(checkpoint.model, checkpoint.data or info(), checkpoint)


def read_pretrained(name: str) -> Source:
    # hubs and their formats, which most visitors never ask for
    from explainer.large.library import load_model

    found = load_model(name)
    run = found.preprocessing.run  # of a model of this project in the administrator's folder
    return Source(found.model, found.preprocessing.info, run, found.preprocessing)


def keep_large(key: Hashable, path: Path, on_wait: Callable[[float], None]) -> Source:
    """Return a large model that somebody brought, which takes its turn with pretrained ones."""
    from explainer.large.library import take_place

    return take_place(key, lambda: read_saved_source(path), on_wait)


def read_saved_source(path: Path) -> Source:
    """Read a run's model, which somebody may have put there by hand."""
    source = read_source(path)
    check_showable(source.model.config, source.info)
    config = source.model.config
    check_memory(config, load_limits().large_megabytes)
    if not is_large(config) or not has_usual_weights(source.model):
        check_finite(source.model, source.info)
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


def is_large(config: ViTConfig) -> bool:
    """Whether the tensors of one image are too large to keep those of many."""
    return pass_bytes(config) > LARGE


def turn(config: ViTConfig) -> AbstractContextManager[Any]:
    """Return what to hold while a model runs for its output alone: large ones take turns."""
    return one_large_batch if is_large(config) else nullcontext()


def images_at_once(config: ViTConfig, most: int) -> int:
    """Return how many images a batch has whose tensors nobody keeps, from 1 to ``most``."""
    return max(1, min(most, BATCH_BYTES // block_bytes(config)))


def pass_bytes(config: ViTConfig) -> int:
    """Return about how much memory all tensors of one image take."""
    return config.memory_bytes - 4 * config.num_parameters


def batch_of(pixels: np.ndarray) -> Tensor:
    """Return an image as a batch of one, (1, channels, height, width) uint8."""
    planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return torch.from_numpy(planes.copy())[None]


def pixels_of(image: Tensor) -> np.ndarray:
    """Return the pixels of what ``batch_of`` made."""
    planes = image[0].numpy()
    return planes[0] if len(planes) == 1 else planes.transpose(1, 2, 0)


def picture(choice: Choice) -> np.ndarray:
    """Return the pixels that the model gets, an own picture's or those of a shipped one.

    (28, 28) uint8 of a digit; of others as ``Observation.pixels`` has them.
    """
    if choice.gallery == DIGITS:
        if choice.picture:
            return pictures.decode(choice.picture)
        return test_digit(choice.digit, choice.index)
    return load_source(choice.source, choice.config, choice.seed).prepare(photograph(choice))


def photograph(choice: Choice) -> Image.Image:
    """Return the picture that is chosen of a gallery, in its own size, in colour.

    Raises:
        ValueError: an own photograph is no longer kept.
    """
    if not choice.photo:
        return samples(choice.gallery)[choice.sample].open()
    try:
        return own.find(choice.photo)
    except LookupError:
        raise ValueError(f"the photograph {choice.photo} is no longer kept") from None


def label(choice: Choice, class_names: tuple[str, ...]) -> int | None:
    """Return the true class of the picture, where somebody has said what it is."""
    if choice.is_own:
        return None
    if choice.gallery == DIGITS:
        return choice.digit
    return label_of(samples(choice.gallery)[choice.sample], class_names)


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


@st.cache_resource
def large_observations() -> BytesCache[Observation]:
    return BytesCache(LARGE_LIMIT, size)


def size(seen: Observation) -> int:
    arrays = {id(array): array.nbytes for array in seen.tensors.values()}
    return sum(arrays.values())
