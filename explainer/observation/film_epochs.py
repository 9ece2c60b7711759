"""Training as a film: what the saved epochs of a run make of the same pictures, one after another.

Each frame is read from an epoch's own file and kept apart from the models and traces that the pages
share, so that nobody's film pushes out what others look at.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any

import numpy as np
import streamlit as st
import torch

from explainer.caching import BytesCache, size_of
from explainer.inputs.models import load
from explainer.inputs.models.load import Source
from explainer.inputs.models.memory import is_large
from explainer.inputs.uploads import SMALL
from explainer.observation.film import AttentionFilm
from explainer.training import Run
from vit_core import CheckpointError, trace
from vit_core.data import Split, mnist_validation
from vit_core.interpret.filters import filter_images
from vit_core.runs.snapshot import STRIP_INDICES

MOST_FRAMES = 60
LIMIT = 12 * 1024**2  # bytes of all frames that are kept


@dataclass(frozen=True)
class FiltersFilm:
    """The patch embedding's filters at each epoch.

    Attributes:
        filters: (stops, D, ph, pw) float32, or (stops, D, ph, pw, 3) of a model of colours.
        stops: the epochs.
    """

    filters: np.ndarray
    stops: tuple[int, ...]

    @property
    def limit(self) -> float:
        """The largest weight, by its size, at any stop."""
        return float(np.abs(self.filters).max()) or 1.0


@dataclass(frozen=True)
class MapFilm:
    """Where a model puts the sixteen digits at each epoch.

    Attributes:
        vectors: (stops, 16, D) float32, the output vectors before the head.
        predicted: (stops, 16), the class that is answered.
        stops: the epochs.
    """

    vectors: np.ndarray
    predicted: np.ndarray
    stops: tuple[int, ...]

    @cached_property
    def centred(self) -> np.ndarray:
        """The vectors less the mean of their stop's sixteen, float64."""
        vectors = self.vectors.astype(np.float64)
        return vectors - vectors.mean(axis=1, keepdims=True)

    @cached_property
    def places(self) -> np.ndarray:
        """(stops, 16, 2), along the two directions in which the last stop's vectors differ most.

        The directions are the same at all stops.
        """
        directions = np.linalg.svd(self.centred[-1], full_matrices=False)[2][:2]
        largest = np.abs(directions).argmax(axis=1)
        # a direction has two ends, of which either could come first
        directions = directions * np.sign(directions[[0, 1], largest])[:, None]
        return self.centred @ directions.T

    @property
    def limit(self) -> float:
        """The largest distance from the middle, across or up, at any stop."""
        return float(np.abs(self.places).max()) or 1.0

    @cached_property
    def shares(self) -> np.ndarray:
        """(stops,), how much of the sum of the squared distances the two directions hold."""
        whole = np.square(self.centred).sum(axis=(1, 2))
        return np.square(self.places).sum(axis=(1, 2)) / np.where(whole > 0, whole, 1)


def stops_of(epochs: Sequence[int], first: int, last: int) -> tuple[int, ...]:
    """Return the epochs of a film from ``first`` to ``last``, at most ``MOST_FRAMES`` of them.

    The first and the last are among them; of many, every k-th is.
    """
    inside = [epoch for epoch in epochs if first <= epoch <= last]
    step = -(-(len(inside) - 1) // (MOST_FRAMES - 1)) if len(inside) > MOST_FRAMES else 1
    chosen = inside[::step]
    return tuple(chosen if chosen[-1:] == inside[-1:] else [*chosen, inside[-1]])


@cache
def sixteen() -> Split:
    """Return the validation digits that every run is asked about."""
    return mnist_validation(STRIP_INDICES)


def filters_film(run: Run, stops: Sequence[int]) -> FiltersFilm:
    """Return the filters at these epochs; one that cannot be read is left out.

    Raises:
        CheckpointError: none of them can be read.
    """
    frames, found = gathered(run, stops, ("filters",), filters_of)
    return FiltersFilm(np.stack(frames), found)


def attention_film(
    run: Run, stops: Sequence[int], pixels: np.ndarray, block: int, query: int
) -> AttentionFilm:
    """Return where a token of a picture looks in one block at these epochs.

    Args:
        pixels: as the run's models take them, uint8.

    Raises:
        CheckpointError: none of the epochs can be read.
    """
    key = ("attention", block, query, pixels.tobytes())
    make = partial(rows_of, pixels=pixels, block=block, query=query)
    frames, found = gathered(run, stops, key, make)
    return AttentionFilm(np.stack(frames), query, found)


def map_film(run: Run, stops: Sequence[int]) -> MapFilm:
    """Return where these epochs' models put the sixteen digits.

    Raises:
        CheckpointError: none of the epochs can be read.
    """
    frames, found = gathered(run, stops, ("map",), vectors_of)
    vectors, predicted = zip(*frames, strict=True)
    return MapFilm(np.stack(vectors), np.stack(predicted), found)


def filters_of(source: Source) -> np.ndarray:
    config = source.model.config
    weight = source.model.patch_embed.proj.weight.detach()
    images = filter_images(weight, config.patch_hw, config.in_channels).movedim(-3, -1).numpy()
    return np.ascontiguousarray(images[..., 0] if images.shape[-1] == 1 else images)


def rows_of(source: Source, pixels: np.ndarray, block: int, query: int) -> np.ndarray:
    recorded = trace(source.model, source.batch(pixels))
    return recorded[f"blocks.{block}.attn.pattern"][0, :, query].numpy().copy()


def vectors_of(source: Source) -> tuple[np.ndarray, np.ndarray]:
    digits = sixteen().images[:, 0].numpy()
    batch = torch.cat([source.batch(pixels) for pixels in digits])
    recorded = trace(source.model, batch)
    vectors = recorded["pooled"].numpy().copy()
    return vectors, recorded.logits.argmax(dim=-1).numpy().astype(np.uint8)


def gathered(
    run: Run, stops: Sequence[int], key: tuple[Hashable, ...], make: Callable[[Source], Any]
) -> tuple[list[Any], tuple[int, ...]]:
    """Return a frame for each epoch that can be read, and these epochs."""
    frames, found, problem = [], [], None
    for epoch in stops:
        try:
            frames.append(frame(run, epoch, key, make))
        except (CheckpointError, OSError) as error:
            problem = error
        else:
            found.append(epoch)
    if not frames:
        raise CheckpointError(str(problem)) from problem
    return frames, tuple(found)


def frame(run: Run, epoch: int, key: tuple[Hashable, ...], make: Callable[[Source], Any]) -> Any:
    """Return one epoch's frame; its model is read, asked and forgotten."""
    path = run.history.checkpoint(epoch)
    status = path.stat()

    def compute() -> Any:
        if status.st_size > SMALL:
            raise CheckpointError("")
        source = load.read_saved_source(path)
        if source.model.config != run.history.config.model or is_large(source.model.config):
            raise CheckpointError("")
        with torch.no_grad():
            return make(source)

    return kept_frames().get((*key, run.id, epoch, status.st_ino, status.st_mtime_ns), compute)


def can_be_filmed(run: Run) -> bool:
    """Whether the models of a run are small enough to be read one after another."""
    return not is_large(run.history.config.model)


@st.cache_resource
def kept_frames() -> BytesCache[Any]:
    return BytesCache(LIMIT, size_of)
