"""Models by what a choice says: shipped ones, saved epochs, pretrained ones, and the knobs' own."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image
from torch import Tensor

from explainer import training
from explainer.caching import BytesCache
from explainer.inputs.models.memory import is_large
from explainer.inputs.models.showable import (
    check_finite,
    check_memory,
    check_showable,
    has_usual_weights,
)
from explainer.inputs.pictures.batches import batch_of
from explainer.inputs.pictures.galleries import fitted, gallery_of
from explainer.inputs.uploads import SMALL
from explainer.state.choice import SOURCES, UNTRAINED, Choice, read_by_others, read_saved
from explainer.training import Run
from explainer.training.limits import load_limits
from vit_core import Checkpoint, CheckpointError, ViT, ViTConfig, build, load_checkpoint
from vit_core.checkpoint import SHIPPED_DIR
from vit_core.data import DataInfo, mnist_info, normalize

MODELS_LIMIT = 32 * 1024**2  # bytes


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

    def batch(self, pixels: np.ndarray) -> Tensor:
        """Return a prepared picture as the model gets it: normalised, a batch of one.

        Args:
            pixels: (height, width) uint8 of one channel, (height, width, 3) of three.
        """
        return normalize(batch_of(pixels), self.info)


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


def source_of(choice: Choice) -> Source:
    """Return the model of a choice, and what belongs to it; see ``load_source``."""
    return load_source(choice.source, choice.config, choice.seed)


def read_source(path: Path) -> Source:
    checkpoint = load_checkpoint(path)
    return Source(checkpoint.model, checkpoint.data or info(), checkpoint)


def read_pretrained(name: str) -> Source:
    # hubs and their formats, which most visitors never ask for
    from explainer.inputs.models.pretrained import load_model

    found = load_model(name)
    run = found.preprocessing.run  # of a model of this project in the administrator's folder
    return Source(found.model, found.preprocessing.info, run, found.preprocessing)


def keep_large(key: Hashable, path: Path, on_wait: Callable[[float], None]) -> Source:
    """Return a large model that somebody brought, which takes its turn with pretrained ones."""
    from explainer.inputs.models.pretrained import take_place

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
    return training.the_manager().find(run)


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


@st.cache_resource
def models() -> BytesCache[Source]:
    return BytesCache(
        MODELS_LIMIT, lambda source: 4 * sum(p.numel() for p in source.model.parameters())
    )
