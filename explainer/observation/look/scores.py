"""How fast the answer falls while patches of the chosen picture go, in the order of each map."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch

from explainer.caching import BytesCache, size_of
from explainer.inputs.models.load import source_of
from explainer.inputs.models.memory import forward_lock
from explainer.observation.compute import read_only
from explainer.observation.learning.lesson import model_and_image
from explainer.observation.look.attributions import (
    AT_ONCE,
    Attributed,
    pass_work,
)
from explainer.observation.tasks import Report, known
from explainer.state.choice import Choice
from vit_core import ViTConfig
from vit_core.interpret import deletion_insertion
from vit_core.interpret.deletion import MOST_STEPS, black_pixel

LIMIT = 8 * 1024**2  # bytes of scores that are kept
PASSES = 2 * MOST_STEPS  # of each method: all steps of deletion, and what is new of insertion


@dataclass(frozen=True)
class Scores:
    """The test of several maps of one picture, with one filling; read-only.

    Attributes:
        methods: (M) names.
        orders: (M, P), the patches of each map from its largest value down.
        counts: (S + 1,), how many patches are gone, or back, at each step.
        deletion, insertion: (M, S + 1), the explained class's probability, or the cosine to the
            whole picture's features.
        deletion_areas, insertion_areas: (M,), the mean heights of these curves.
    """

    methods: tuple[str, ...]
    orders: np.ndarray
    counts: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    deletion_areas: np.ndarray
    insertion_areas: np.ndarray

    def fastest(self) -> str:
        """Return the method with whose order the answer falls fastest."""
        return self.methods[int(self.deletion_areas.argmin())]


def scores(
    choice: Choice,
    target: int | None,
    fill: str,
    maps: Sequence[Attributed],
    report: Report | None = None,
) -> Scores:
    """Return the test of these maps, computed once for all visitors.

    Args:
        target: the class whose probability is followed; None for a model without a head.
        fill: what stands where a patch was, one of ``explainer.state.link.FILLS``.
        report: told of the passes that are done, and of all.

    Raises:
        CheckpointError: the model cannot be read.
        ValueError: a picture of the visitor is no longer kept.
    """
    key = scores_key(choice, target, fill, maps)
    return kept_scores().get(key, lambda: compute(choice, target, fill, maps, report))


def scores_there(
    choice: Choice, target: int | None, fill: str, maps: Sequence[Attributed]
) -> Scores | None:
    """Return ``scores`` if they are there or made in no time."""
    if is_quick(choice.config, maps):
        return scores(choice, target, fill, maps)
    found: Scores | None = known(scores_key(choice, target, fill, maps), kept_scores())
    return found


def is_quick(config: ViTConfig, maps: Sequence[Attributed]) -> bool:
    """Return whether a page waits for the test, and does not have it made beside it."""
    return work_of(config, maps) <= AT_ONCE


def work_of(config: ViTConfig, maps: Sequence[Attributed]) -> float:
    """Return roughly how many multiplications and additions a test takes."""
    return len(maps) * PASSES * pass_work(config)


def scores_key(
    choice: Choice, target: int | None, fill: str, maps: Sequence[Attributed]
) -> Hashable:
    return choice, target, fill, tuple(one.method for one in maps)


def compute(
    choice: Choice,
    target: int | None,
    fill: str,
    maps: Sequence[Attributed],
    report: Report | None = None,
) -> Scores:
    model, image = model_and_image(choice)
    count = len(maps)
    patches_MP = torch.from_numpy(np.stack([one.patches for one in maps]))
    with forward_lock(model.config):
        found = deletion_insertion(
            model,
            image.expand(count, -1, -1, -1),
            None if target is None else torch.full((count,), target),
            patches_MP,
            fill,
            progress=report,
            black=black_pixel(source_of(choice).info),
        )
    counts = torch.round(found.shares * model.config.num_patches)
    order_MP = patches_MP.argsort(dim=1, descending=True, stable=True)
    return Scores(
        tuple(one.method for one in maps),
        read_only(order_MP.numpy()),
        read_only(counts.long().numpy()),
        read_only(found.deletion.numpy()),
        read_only(found.insertion.numpy()),
        read_only(found.deletion_area.numpy()),
        read_only(found.insertion_area.numpy()),
    )


@st.cache_resource
def kept_scores() -> BytesCache[Scores]:
    return BytesCache(LIMIT, size_of)
