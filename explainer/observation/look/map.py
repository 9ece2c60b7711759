"""Many pictures as points of a plane after each block of a model, and of the epochs of its run."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st
import torch

from explainer.caching import BytesCache, size_of
from explainer.content import load_texts
from explainer.inputs.models import load
from explainer.inputs.models.changed import changed_model
from explainer.inputs.models.load import find_run, source_of
from explainer.inputs.models.memory import forward_lock, is_large
from explainer.inputs.pictures.test_pictures import TestPictures, test_pictures
from explainer.inputs.uploads import SMALL
from explainer.observation.compute import read_only
from explainer.observation.observe import Observation
from explainer.observation.tasks import Report
from explainer.state.choice import Choice, read_saved
from explainer.training import Run
from vit_core import CheckpointError, ViT, ViTConfig
from vit_core.data import DataInfo, normalize
from vit_core.errors import VitError
from vit_core.interpret.embedding_map import (
    aligned,
    can_be_probed,
    pooled_stream,
    principal_plane,
    probe_accuracy,
    scored_half,
)
from vit_core.interpret.left_out import passes_at_once

MOST, FEWEST = 2_000, 100  # pictures
WORK = 60e9  # multiplications that one map may take, some seconds of one core
MOST_EPOCHS = 12
LIMIT = 16 * 1024**2  # bytes of all maps that are kept
NO_CLASS = -1  # stands for the answer of a model without a head


class NoMapError(VitError, ValueError):
    """A model whose pictures cannot be drawn as points; the message is one sentence."""


@dataclass(frozen=True)
class EpochMap:
    """What one model makes of many pictures; read-only.

    Attributes:
        points: (S, n, 2) float32, along the first two principal components of each stage; index 0
            of S is before the first block.
        shares: (S, 2) of the pictures' variance.
        predicted: (n,) the class that each is taken for; ``NO_CLASS`` without a head.
        probes: (S,) accuracy of a linear probe after each stage; not a number where none is fitted.
        means, directions: (S, D) and (S, 2, D) float32 of the components.
    """

    points: np.ndarray
    shares: np.ndarray
    predicted: np.ndarray
    probes: np.ndarray
    means: np.ndarray
    directions: np.ndarray


@dataclass(frozen=True)
class RunMap:
    """The maps of some epochs of a run.

    Attributes:
        epochs: that could be read, in order.
        maps: one for each.
    """

    epochs: tuple[int, ...]
    maps: tuple[EpochMap, ...]


@dataclass(frozen=True)
class PictureMap:
    """Many pictures as points, turned so that they move little from stage to stage.

    Attributes:
        pictures: that are drawn.
        epochs: of the run; empty for a model without any.
        shown: index in ``maps`` of the model that is looked at.
        maps: of the model, or of each epoch.
        points: (E, S, n, 2) float32 from -1 to 1, each stage of each epoch in a size of its own.
    """

    pictures: TestPictures
    epochs: tuple[int, ...]
    shown: int
    maps: tuple[EpochMap, ...]
    points: np.ndarray

    @property
    def count(self) -> int:
        return len(self.pictures)

    @property
    def stages(self) -> int:
        return self.points.shape[1]

    @cached_property
    def right(self) -> np.ndarray:
        """(E, n) bool, whether each is taken for what it is."""
        predicted = np.stack([one.predicted for one in self.maps])
        return (predicted == self.pictures.labels) & (predicted != NO_CLASS)

    def own_points(self, seen: Observation) -> np.ndarray:
        """Return where the picture in hand lies at each stage of the model in hand, (S, 2).

        Its row is projected to the same plane, which it had no part in.
        """
        one, found = self.maps[self.shown], np.zeros((self.stages, 2))
        for stage in range(self.stages):
            row = (row_of(seen, stage) - one.means[stage]) @ one.directions[stage].T
            # the drawn points are the raw ones, turned, scaled and moved
            raw = np.column_stack((one.points[stage].astype(np.float64), np.ones(self.count)))
            turn = np.linalg.lstsq(raw, self.points[self.shown, stage], rcond=None)[0]
            found[stage] = np.append(row, 1) @ turn
        return found


def row_of(seen: Observation, stage: int) -> np.ndarray:
    """Return the row of a picture that a head would read at a stage, (D,)."""
    key = f"blocks.{stage - 1}.resid_post" if stage else "blocks.0.resid_pre"
    tokens = seen.tensors[key]
    if seen.config.pool == "cls":
        return tokens[0]
    return tokens[seen.config.num_prefix_tokens :].mean(axis=0, dtype=np.float64)


def pictures_of(choice: Choice) -> TestPictures:
    """Return the pictures of a model's map; of a costly model there are fewer."""
    config = source_of(choice).model.config
    return test_pictures(choice, how_many(config))


def how_many(config: ViTConfig) -> int:
    """Return how many pictures a model of this size is asked about at most."""
    N, D = config.num_tokens, config.embed_dim
    image = config.num_parameters * N + 2 * config.depth * N * N * D  # multiplications
    return min(MOST, max(FEWEST, int(WORK / image)))


def key_of(choice: Choice) -> Hashable:
    """Return the key of a model's map, whichever picture is in hand."""
    seed = choice.seed if not choice.trained else 0
    return "map", choice.source, choice.config, seed, choice.edits.of_model, choice.gallery


def maker(choice: Choice) -> Callable[[Report], EpochMap]:
    """Return the computation of a model's map, which needs nothing of Streamlit's any more.

    Raises:
        CheckpointError: the model cannot be read.
    """
    source, pictures = source_of(choice), pictures_of(choice)
    return lambda report: compute(source.model, source.info, pictures, report)


def compute(model: ViT, info: DataInfo, pictures: TestPictures, report: Report) -> EpochMap:
    """Run a model on all pictures, and find the plane and the probe of each stage.

    Raises:
        NoMapError: the model's numbers are not finite.
    """
    config, count = model.config, len(pictures)
    labels, at_once = torch.from_numpy(pictures.labels.copy()), passes_at_once(config)
    chunks = range(0, count, at_once)
    stages = config.depth + 1
    total = len(chunks) + stages
    rows, answers = [], []
    for done, start in enumerate(chunks, start=1):
        part = torch.from_numpy(pictures.images[start : start + at_once].copy())
        with forward_lock(config):
            found = pooled_stream(model, normalize(part, info))
        rows.append(found.rows)
        answers.append(found.output.argmax(dim=1) if config.num_classes else None)
        report(done, total)
    stream_SnD = torch.cat(rows, dim=1)
    if not torch.isfinite(stream_SnD).all():
        raise NoMapError(load_texts("look_map")["map"]["not_finite"])
    is_probed = pictures.are_labelled and can_be_probed(labels)
    planes, probes = [], np.full(stages, np.nan)
    for stage, rows_nD in enumerate(stream_SnD):
        planes.append(principal_plane(rows_nD))
        if is_probed:
            probes[stage] = probe_accuracy(rows_nD, labels)
        report(len(chunks) + stage + 1, total)
    return EpochMap(
        *(
            read_only(array)
            for array in (
                np.stack([plane.points.numpy() for plane in planes]).astype(np.float32),
                np.stack([plane.shares.numpy() for plane in planes]),
                np.concatenate([one.numpy() for one in answers if one is not None])
                if config.num_classes
                else np.full(count, NO_CLASS),
                probes,
                stream_SnD.double().mean(dim=1).numpy().astype(np.float32),
                np.stack([plane.directions.numpy() for plane in planes]).astype(np.float32),
            )
        )
    )


def epochs_of(choice: Choice) -> tuple[int, ...]:
    """Return the saved epochs of the model's run that can be drawn; none for other models.

    At most ``MOST_EPOCHS``, spread evenly, with the first, the last and the one in hand.
    """
    run = run_of(choice)
    if run is None or is_large(run.history.config.model):
        return ()
    saved = run.history.epochs()
    if len(saved) < 2:
        return ()
    chosen = read_saved(choice.source)
    places = np.linspace(0, len(saved) - 1, min(len(saved), MOST_EPOCHS)).round().astype(int)
    return tuple(sorted({*(saved[place] for place in places), *(chosen[1:] if chosen else ())}))


def run_of(choice: Choice) -> Run | None:
    saved = read_saved(choice.source)
    return find_run(saved[0]) if saved else None


def key_of_run(choice: Choice) -> Hashable:
    """Return the key of the maps of the epochs of a model's run."""
    return "epochs-map", epochs_of(choice), key_of(choice)


def maker_of_run(choice: Choice) -> Callable[[Report], RunMap]:
    """Return the computation of the maps of all epochs, as ``maker`` does for one."""
    pictures, epochs, run = pictures_of(choice), epochs_of(choice), run_of(choice)
    assert run is not None, "the model belongs to a run"
    folder, config, edits = run.history, run.history.config.model, choice.edits.of_model

    def make(report: Report) -> RunMap:
        maps, read = [], []
        for place, epoch in enumerate(epochs):

            def report_of_all(done: int, total: int, place: int = place) -> None:
                report(place * total + done, len(epochs) * total)

            path = folder.checkpoint(epoch)
            try:
                if path.stat().st_size > SMALL:
                    continue
                source = load.read_saved_source(path)
            except (CheckpointError, OSError):
                continue  # this epoch is damaged or gone
            if source.model.config != config:
                continue
            model = changed_model(source.model, edits) if edits else source.model
            try:
                maps.append(compute(model, source.info, pictures, report_of_all))
            except NoMapError:
                continue
            read.append(epoch)
        if not maps:
            raise NoMapError(load_texts("look_map")["map"]["no_epochs"])
        return RunMap(tuple(read), tuple(maps))

    return make


def joined(choice: Choice, one: EpochMap, run: RunMap | None) -> PictureMap:
    """Return the map of a model, with those of its run's other epochs where they are there."""
    saved = read_saved(choice.source)
    epoch = saved[1] if saved else None
    epochs: tuple[int, ...] = ()
    maps: tuple[EpochMap, ...] = (one,)
    shown = 0
    if run is not None and epoch in run.epochs:
        epochs, maps, shown = run.epochs, run.maps, run.epochs.index(epoch)
    planes = torch.from_numpy(np.stack([one.points for one in maps]).astype(np.float64))
    points = aligned(planes, shown).numpy()
    low, high = points.min(axis=2, keepdims=True), points.max(axis=2, keepdims=True)
    limits = (high - low).max(axis=3, keepdims=True) / 2
    points = (points - (low + high) / 2) / np.where(limits > 0, limits, 1)
    return PictureMap(
        pictures_of(choice), epochs, shown, maps, read_only(points.astype(np.float32))
    )


def scored(found: PictureMap) -> np.ndarray:
    """Return which pictures the probes did not learn from, (n,) bool."""
    return scored_half(torch.from_numpy(found.pictures.labels.copy())).numpy()


def halves(found: PictureMap) -> tuple[int, int, float]:
    """Return how many pictures probes learn from and are scored on, and what guessing would score.

    Guessing says the class that is the most frequent one of those to learn from.
    """
    half, labels = scored(found), found.pictures.labels
    guess = np.bincount(labels[~half]).argmax()
    return int((~half).sum()), int(half.sum()), float((labels[half] == guess).mean())


def model_accuracy(found: PictureMap) -> float:
    """Return the share of the pictures on which probes are scored that the model gets right."""
    return float(found.right[found.shown][scored(found)].mean())


@st.cache_resource
def kept_maps() -> BytesCache[EpochMap | RunMap]:
    return BytesCache(LIMIT, size_of)
