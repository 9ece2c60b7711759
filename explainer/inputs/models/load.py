"""The model of a choice: shipped, of a saved epoch, pretrained or untrained."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image
from torch import Tensor

from explainer import training
from explainer.caching import BytesCache
from explainer.content import load_texts
from explainer.inputs.models.changed import changed_model
from explainer.inputs.models.memory import is_large
from explainer.inputs.models.showable import (
    check_drawable,
    check_finite,
    check_memory,
    check_names,
    check_range,
    check_showable,
    has_usual_weights,
)
from explainer.inputs.pictures.batches import batch_of
from explainer.inputs.pictures.galleries import fitted, gallery_of, gallery_of_own
from explainer.inputs.uploads import SMALL
from explainer.state.choice import SOURCES, UNTRAINED, Choice, read_by_others, read_saved
from explainer.training import Run
from explainer.training.limits import load_limits
from vit_core import Checkpoint, CheckpointError, ViT, ViTConfig, build, load_checkpoint
from vit_core.checkpoint import SHIPPED_DIR
from vit_core.data import DataInfo, mnist_info, normalize
from vit_core.interpret.head_file import is_head, load_head

MODELS_LIMIT = 32 * 1024**2  # bytes


@dataclass(frozen=True)
class Source:
    """A model with what is known of its data and its origin.

    Attributes:
        checkpoint: the file that it was read from, if this project trained it.
        preprocessing: how a pretrained model's pictures are prepared; None for others.
    """

    model: ViT
    info: DataInfo
    checkpoint: Checkpoint | None
    preprocessing: Any = None

    @property
    def gallery(self) -> str:
        """The name of the gallery whose pictures suit the model."""
        config, checkpoint = self.model.config, self.checkpoint
        if checkpoint is None:  # of another library
            return gallery_of(config, self.info)
        return gallery_of_own(config, self.info, checkpoint.pictures)

    @property
    def learned_grid(self) -> tuple[int, int] | None:
        """The grid that the positions were learned for; None if they were not resampled."""
        return getattr(self.preprocessing, "learned_grid", None)

    def prepare(self, image: Image.Image) -> np.ndarray:
        """Return a picture in the form that the model takes, uint8."""
        if self.preprocessing is not None:
            return self.preprocessing.prepare(image)
        return fitted(image, self.model.config)

    def batch(self, pixels: np.ndarray) -> Tensor:
        """Return a prepared picture as the model's input: normalised, (1, channels, height, width).

        Args:
            pixels: (height, width) uint8 of one channel, (height, width, 3) of three.
        """
        return normalize(batch_of(pixels), self.info)


def available_sources() -> tuple[str, ...]:
    """Return the shipped sources that can be chosen; the app opens with the first."""
    return tuple(
        source for source in SOURCES if source == UNTRAINED or checkpoint_path(source).is_file()
    )


def checkpoint_path(source: str) -> Path:
    return SHIPPED_DIR / f"{source}.safetensors"


def load_source(
    source: str,
    config: ViTConfig | None = None,
    seed: int = 0,
    on_wait: Callable[[float], None] = lambda seconds: None,
) -> Source:
    """Return the model of a source.

    Args:
        source: as in ``Choice``. A pretrained model may have to wait for a slot in memory.
        config, seed: of an untrained model; the default configuration if None. Others ignore them.
        on_wait: called again and again while a run's large model waits for a slot in memory, with
            the seconds that the visitor still waits at most.

    Raises:
        CheckpointError: the file is damaged, or the run is gone; the message is one sentence.
        OSError: the file is missing or cannot be read.
    """
    if source == UNTRAINED:
        shape = config or ViTConfig()
        return models().get((shape, seed), lambda: Source(build(shape, seed).eval(), info(), None))
    if name := read_by_others(source):
        return read_pretrained(name)
    if saved := read_saved(source):
        path = saved_path(*saved)
        status = path.stat()
        # the key changes when the file is replaced, and ``stat`` fails when the run is deleted
        key = (source, status.st_ino, status.st_mtime_ns)
        if status.st_size > SMALL or holds_head(key, path):
            return load_large(key, path, on_wait)
        return models().get(key, lambda: read_saved_source(path))
    return models().get(source, lambda: read_source(checkpoint_path(source)))


def source_of(choice: Choice) -> Source:
    """Return the model of a choice, with its changes; see ``load_source`` for the errors."""
    source = load_source(choice.source, choice.config, choice.seed)
    if not choice.is_edited_model:
        return source
    edits = choice.edits.of_model
    # the changed model keeps the other alive, so that no later one has its number
    key = id(source.model), edits
    return changed_models().get(
        key, lambda: replace(source, model=changed_model(source.model, edits))
    )


def read_source(path: Path) -> Source:
    checkpoint = load_checkpoint(path)
    return Source(checkpoint.model, checkpoint.data or info(), checkpoint)


def read_pretrained(name: str) -> Source:
    # imported late: most visitors never need the hubs and their formats
    from explainer.inputs.models.pretrained import load_model

    pretrained = load_model(name)
    # None unless the administrator's folder has a model that this project trained
    checkpoint = pretrained.preprocessing.run
    return Source(
        pretrained.model, pretrained.preprocessing.info, checkpoint, pretrained.preprocessing
    )


def load_large(key: Hashable, path: Path, on_wait: Callable[[float], None]) -> Source:
    """Return a run's large model, which shares the slots in memory with pretrained models."""
    from explainer.inputs.models.pretrained import get_slot

    return get_slot(key, lambda: read_saved_source(path), on_wait)


@lru_cache(maxsize=256)
def holds_head(key: Hashable, path: Path) -> bool:
    """Return whether a file holds a probe's head alone, whose backbone may be large."""
    return is_head(path)


def read_headed(path: Path) -> Source:
    """Read a probe's head, and the pretrained backbone that it belongs to.

    Raises:
        CheckpointError: the file is damaged, or the backbone is not on this server any more.
    """
    # imported late: most visitors never need the hubs and their formats
    from explainer.inputs.models.pretrained import read

    saved = load_head(path)
    backbone = read(saved.backbone)
    model, info = saved.join(backbone.model), saved.data
    check_drawable(model.config)
    check_names(info.class_names)
    check_range(info)
    if not has_usual_weights(model):
        check_finite(model, info)
    # pictures are cut as those were to which the head was fitted
    preprocessing = replace(
        backbone.preprocessing, middle=True, class_names=info.class_names, run=None
    )
    checkpoint = Checkpoint(model, metrics=saved.metrics, data=info, pictures=saved.pictures)
    return Source(model, info, checkpoint, preprocessing)


def read_saved_source(path: Path) -> Source:
    """Read a run's model, and check it, since somebody may have put the file there by hand."""
    if is_head(path):
        return read_headed(path)
    source = read_source(path)
    check_showable(source.model.config, source.info)
    config = source.model.config
    check_memory(config, load_limits().large_megabytes)
    if not is_large(config) or not has_usual_weights(source.model):
        check_finite(source.model, source.info)
    return source


def find_run(run: str) -> Run | None:
    """Return the run with an id, or None."""
    return training.the_manager().find(run)


def saved_path(run: str, epoch: int) -> Path:
    """Return the file of a run's saved epoch.

    Raises:
        CheckpointError: there is no such run.
    """
    if (known := find_run(run)) is None:
        raise CheckpointError(load_texts("run_models")["no_run"].format(run=run))
    return known.history.checkpoint(epoch)


def is_there(source: str) -> bool:
    """Return whether a source can still be read: a run may be deleted while a page shows it."""
    saved = read_saved(source)
    try:
        return saved is None or saved_path(*saved).is_file()
    except CheckpointError:
        return False


@cache
def info() -> DataInfo:
    return mnist_info()


@st.cache_resource
def models() -> BytesCache[Source]:
    return BytesCache(MODELS_LIMIT, parameter_bytes)


@st.cache_resource
def changed_models() -> BytesCache[Source]:
    """The models of choices with changes, which share their parameters with others."""
    return BytesCache(MODELS_LIMIT, parameter_bytes)


def parameter_bytes(source: Source) -> int:
    return 4 * sum(parameter.numel() for parameter in source.model.parameters())
