"""Deletion and insertion of all methods over many test pictures, kept for all visitors."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from explainer.inputs.models.load import Source, source_of
from explainer.inputs.pictures.test_pictures import TestPictures, test_pictures
from explainer.observation.compute import read_only
from explainer.observation.tasks import Report
from explainer.state.choice import Choice
from vit_core import ViTConfig
from vit_core.data import normalize
from vit_core.interpret import METHODS, AttributionError, attribute, deletion_insertion
from vit_core.interpret.deletion import black_pixel
from vit_core.interpret.heads import block_bytes
from vit_core.model import ViT

MOST, FEWEST = 100, 8  # pictures
STEPS = (14, 7)  # of a curve; the second for models that take long
AT_ONCE = 4  # pictures whose maps are made and scored together
MAPS = 160  # forward passes that all maps of a picture take, beside one a patch for occlusion
MOST_WORK = 7e12  # multiplications, some minutes
SPEED = 15e9  # of them in a second, of a busy computer with two cores
SHOWN_FILLS = ("drop", "black")


@dataclass(frozen=True)
class Plan:
    """What is computed of a model.

    Attributes:
        count: pictures; 0 where the model is too large.
        steps: of a curve.
        passes: of all of it through the model, roughly.
        work: multiplications, roughly.
    """

    count: int
    steps: int
    passes: int
    work: float

    @property
    def seconds(self) -> float:
        """How long it takes, roughly."""
        return self.work / SPEED


@dataclass(frozen=True)
class Many:
    """The scores of all methods on many pictures; read-only.

    Attributes:
        methods: those that can explain the model, in the order of ``METHODS``; M of them.
        refused: method → why it explains nothing here.
        pictures: in words, which ones and how many.
        shares: (T,) share of the patches that are gone, or back, at each point of a curve.
        deletion, insertion: (F, M, T), mean over the pictures of the probability, or of the cosine
            of a model without a head; the fillings in the order of ``SHOWN_FILLS``.
        deletion_areas, insertion_areas: (F, M, n) of each picture.
    """

    methods: tuple[str, ...]
    refused: Mapping[str, str]
    pictures: str
    shares: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    deletion_areas: np.ndarray
    insertion_areas: np.ndarray

    @property
    def count(self) -> int:
        return int(self.deletion_areas.shape[-1])


def plan(config: ViTConfig, pictures: int = MOST) -> Plan:
    """Return how many pictures can be tried in some minutes, and with how many steps.

    Args:
        pictures: how many there are.
    """
    best = Plan(0, STEPS[-1], 0, 0.0)
    for steps in STEPS:
        passes = passes_of(config, steps)
        each = passes * config.num_parameters * config.num_tokens
        count = int(min(MOST, pictures, MOST_WORK // each))
        best = Plan(count, steps, passes * count, each * count)
        if count == min(MOST, pictures):
            break
    return best if best.count >= FEWEST else replace(best, count=0)


def passes_of(config: ViTConfig, steps: int) -> int:
    """Return how many whole passes all of it takes for one picture, roughly."""
    # a pass from which tokens are left out counts half
    of_fills = sum(0.5 if fill == "drop" else 1.0 for fill in SHOWN_FILLS)
    return int(len(METHODS) * 2 * steps * of_fills) + MAPS + config.num_patches


def plan_of(choice: Choice) -> Plan:
    return plan(choice.config, pictures_there(choice))


def pictures_there(choice: Choice) -> int:
    """Return how many pictures there are for the model, at most ``MOST``."""
    return len(test_pictures(choice, MOST))


def key_of(choice: Choice) -> Hashable:
    """Return what the scores depend on: the model, and which pictures suit it."""
    return "many-pictures", choice.model_key, choice.gallery


def prepared(choice: Choice) -> Callable[[Report], Many]:
    """Return the computation, which then needs nothing of Streamlit's any more.

    Raises:
        CheckpointError: the model cannot be read.
    """
    planned = plan_of(choice)
    pictures = test_pictures(choice, max(1, planned.count))
    return partial(compute, source_of(choice), pictures, planned.steps)


def compute(source: Source, pictures: TestPictures, steps: int, report: Report) -> Many:
    """Make the maps of all methods, a few pictures at a time, and score them.

    Raises:
        AttributionError: the model's answer is not a number.
    """
    model, total = source.model, len(pictures)
    at_once = max(1, min(AT_ONCE, 32 * 1024**2 // block_bytes(model.config)))
    refused: dict[str, str] = {}
    scored: list[Scored] = []
    shares = np.zeros(0)
    for first in range(0, total, at_once):
        images = normalize(torch.tensor(pictures.images[first : first + at_once]), source.info)
        share = Share(report, first, len(images), total)
        targets = predicted(model, images)
        maps: dict[str, Tensor] = {}
        for index, method in enumerate(METHODS):
            if method in refused:
                continue
            progress = share.part(index, 2 * len(METHODS))
            try:
                found = attribute(model, images, targets, method, progress=progress)
            except AttributionError as error:
                refused[method] = str(error)
                continue
            maps[method] = found.patches
        one, shares = score(source, images, targets, maps, steps, share)
        scored.append(one)
        report(first + len(images), total)
    methods = tuple(method for method in METHODS if method not in refused)
    # a method that could not explain a later picture is left out as a whole
    parts = [one.of(methods) for one in scored]
    deletion, insertion = (
        np.concatenate([part[name] for part in parts], axis=2) for name in ("curves", "returns")
    )
    return Many(
        methods,
        refused,
        pictures.words,
        read_only(shares),
        read_only(deletion.mean(axis=2)),
        read_only(insertion.mean(axis=2)),
        read_only(areas(deletion, shares)),
        read_only(areas(insertion, shares)),
    )


@dataclass(frozen=True)
class Share:
    """How much of all pictures is done while some of them are worked on."""

    report: Report
    first: int
    count: int
    total: int

    def part(self, index: int, parts: int) -> Report:
        """Return what is told how much of one part of the work on these pictures is done."""

        def tell(done: int, total: int) -> None:
            here = (index + done / max(1, total)) / parts
            self.report(self.first + int(self.count * here), self.total)

        return tell


@dataclass(frozen=True)
class Scored:
    """The curves of a few pictures.

    Attributes:
        methods: M of them.
        deletion, insertion: (F, M, n, T).
    """

    methods: tuple[str, ...]
    deletion: np.ndarray
    insertion: np.ndarray

    def of(self, methods: tuple[str, ...]) -> Mapping[str, np.ndarray]:
        at = [self.methods.index(method) for method in methods]
        return {"curves": self.deletion[:, at], "returns": self.insertion[:, at]}


@torch.no_grad()
def predicted(model: ViT, images: Tensor) -> Tensor | None:
    """Return the class that the model answers to each picture; None without classes."""
    answers: Tensor = model(images)
    return answers.argmax(dim=1) if model.config.num_classes else None


def score(
    source: Source,
    images: Tensor,
    targets: Tensor | None,
    maps: Mapping[str, Tensor],
    steps: int,
    share: Share,
) -> tuple[Scored, np.ndarray]:
    """Return the curves of all methods' maps, and the shares at which they have points."""
    each = len(maps)
    repeated = images.repeat(each, 1, 1, 1)
    asked = None if targets is None else targets.repeat(each)
    patches = torch.cat([*maps.values()])
    curves = [
        deletion_insertion(
            source.model,
            repeated,
            asked,
            patches,
            fill,
            steps,
            share.part(len(SHOWN_FILLS) + index, 2 * len(SHOWN_FILLS)),
            black=black_pixel(source.info),
        )
        for index, fill in enumerate(SHOWN_FILLS)
    ]
    deletion, insertion = (
        np.stack([getattr(one, name).view(each, len(images), -1).numpy() for one in curves])
        for name in ("deletion", "insertion")
    )
    return Scored(tuple(maps), deletion, insertion), curves[0].shares.numpy()


def areas(curves: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the area under each curve by the trapezoid rule."""
    return np.trapezoid(curves, shares, axis=-1)
