"""The pointing game on four test pictures in one, kept for all visitors."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explainer.inputs.models.load import Source, source_of
from explainer.inputs.pictures.test_pictures import TestPictures, test_pictures
from explainer.observation.compute import read_only
from explainer.observation.look.sanity import PASSES, SLOW
from explainer.observation.tasks import Report
from explainer.state.choice import Choice
from vit_core import ViTConfig
from vit_core.data import normalize
from vit_core.interpret import METHODS, AttributionError, attribute
from vit_core.interpret.attribution import SIGNED, TARGETED
from vit_core.interpret.pointing import QUARTERS, for_four, pointing_game
from vit_core.model import ViT

GAMES, FEWEST = 4, 2
POOL = 200  # test pictures from which the four of each game are taken
CHEAP = 2e10  # multiplications: below that it begins by itself
MOST_WORK = 1e12  # a minute or two
PATH, BACK = 16, 3  # steps of integrated gradients, and what one costs in passes
WIDEST = 48 * 1024**2  # bytes of the tensors of one picture


@dataclass(frozen=True)
class Pointing:
    """How well each method's maps point; read-only.

    Attributes:
        methods: M of them, in the order of ``METHODS``.
        refused: method → why it explains nothing here.
        shares: (M, G, 4) share of the positive values in the right quarter; not a number where a
            map has no positive value.
        maps: (M, 4, Q) of the first game, one for each of its four classes.
        answers: (G, 4) probability of each class for the four in one; without classes, the cosine.
        picture: (height, width) or (height, width, 3) uint8, the first game's four in one.
        grid: rows and columns of its patches; Q of them.
        is_wide: whether the four keep their size, and are not shrunk.
        labels: (4,) classes of the first game; empty for a model without classes.
        signed: of each method, whether its values may be below 0.
    """

    methods: tuple[str, ...]
    refused: Mapping[str, str]
    shares: np.ndarray
    maps: np.ndarray
    answers: np.ndarray
    picture: np.ndarray
    grid: tuple[int, int]
    is_wide: bool
    labels: tuple[int, ...]
    signed: tuple[bool, ...]

    @property
    def games(self) -> int:
        return int(self.answers.shape[0])


def is_wide(config: ViTConfig) -> bool:
    """Return whether the four keep their size: the model then gets four times as many patches.

    They are shrunk where such a pass takes too much memory, or that many patches too long.
    """
    tokens = QUARTERS * config.num_tokens
    patterns = config.depth * config.num_heads * tokens**2
    rows = config.depth * tokens * (8 * config.embed_dim + 2 * config.mlp_dim)
    is_small = 4 * (2 * patterns + rows) <= WIDEST
    return is_small and work(config, GAMES, METHODS, times=QUARTERS) <= MOST_WORK


def work(config: ViTConfig, games: int, methods: tuple[str, ...], times: int = 1) -> float:
    """Return roughly how many multiplications some games take.

    Args:
        times: as many patches as the model has.
    """
    passes = PASSES
    if set(methods) & set(SLOW):
        passes += BACK * PATH + times * config.num_patches
    tokens = times * config.num_tokens
    each = config.num_parameters * tokens + config.depth * config.embed_dim * tokens**2
    return games * QUARTERS * passes * each


def work_of(config: ViTConfig) -> float:
    """Return roughly how many multiplications all that is planned takes."""
    return work(config, *plan(config), times=QUARTERS if is_wide(config) else 1)


def plan(config: ViTConfig) -> tuple[int, tuple[str, ...]]:
    """Return how many games are played and with which methods; 0 games if all take too long."""
    for methods in (METHODS, tuple(method for method in METHODS if method not in SLOW)):
        times = QUARTERS if is_wide(config) else 1
        games = int(min(GAMES, MOST_WORK // work(config, 1, methods, times)))
        if games >= FEWEST:
            return games, methods
    return 0, ()


def is_cheap(choice: Choice) -> bool:
    """Return whether it is computed without being asked for."""
    return work_of(choice.config) <= CHEAP


def key_of(choice: Choice) -> Hashable:
    return "pointing", choice.model_key, choice.gallery


def chosen_pictures(choice: Choice) -> np.ndarray:
    """Return the places of the pictures of each game among ``test_pictures``, (G, 4).

    The first game has the first picture of each of the first four classes that there are, and so
    on through all classes; a model without classes takes the pictures in their order. There are as
    many games as there are pictures for.
    """
    games, _ = plan(choice.config)
    return deal(test_pictures(choice, POOL), choice.config.num_classes, games)


def deal(pictures: TestPictures, classes: int, games: int) -> np.ndarray:
    """Return four pictures of different classes for each of at most so many games, (G, 4)."""
    if not classes:
        count = min(games, len(pictures) // QUARTERS)
        return np.arange(count * QUARTERS).reshape(count, QUARTERS)
    of_class = [np.flatnonzero(pictures.labels == label).tolist() for label in range(classes)]
    dealt: list[list[int]] = []
    turn = 0  # so that all classes are dealt equally often
    while len(dealt) < games:
        there = [label for label in range(classes) if of_class[label]]
        if len(there) < QUARTERS:
            break
        there.sort(key=lambda label: (label - turn) % classes)
        dealt.append([of_class[label].pop(0) for label in there[:QUARTERS]])
        turn += QUARTERS
    return np.array(dealt, dtype=np.int64).reshape(-1, QUARTERS)


def prepared(choice: Choice) -> Callable[[Report], Pointing]:
    """Return the computation, which then needs nothing of Streamlit's any more.

    Raises:
        CheckpointError: the model cannot be read.
    """
    _, methods = plan(choice.config)
    pictures = test_pictures(choice, POOL)
    return partial(compute, source_of(choice), pictures, chosen_pictures(choice), methods)


def compute(
    source: Source,
    pictures: TestPictures,
    dealt: np.ndarray,
    methods: tuple[str, ...],
    report: Report,
) -> Pointing:
    """Play all games, one after the other, with all methods."""
    model = source.model
    wide = for_four(model) if is_wide(model.config) else None
    refused: dict[str, str] = {}
    total = len(dealt) * len(methods)
    shares = np.full((len(methods), len(dealt), QUARTERS), np.nan)
    first: dict[str, Tensor] = {}
    answers: list[Tensor] = []
    picture = np.zeros(0, np.uint8)
    for game, places in enumerate(dealt):
        images = normalize(torch.tensor(pictures.images[places]), source.info)[None]
        targets = None
        if model.config.num_classes:
            targets = torch.tensor(pictures.labels[places])[None]
        played = None
        for index, method in enumerate(methods):
            done = game * len(methods) + index
            if method not in refused:
                try:
                    played = pointing_game(
                        model,
                        images,
                        targets,
                        partial(maps, wide or model, method, partial(report, done, total)),
                        wide,
                    )
                except AttributionError as error:
                    refused[method] = str(error)
                else:
                    shares[index, game] = played.right[0].numpy()
                    first.setdefault(method, played.patches[0])
            report(done + 1, total)
        if played is None:
            raise AttributionError(next(iter(refused.values())))
        answers.append(played.answers[0])
        if not game:
            picture = as_shown(played.pictures[0], source)
    kept = tuple(method for method in methods if method not in refused)
    labels = pictures.labels[dealt[0]].tolist() if model.config.num_classes else []
    return Pointing(
        kept,
        refused,
        read_only(shares[[methods.index(method) for method in kept]]),
        read_only(np.stack([first[method].numpy() for method in kept])),
        read_only(torch.stack(answers).numpy()),
        read_only(picture),
        (wide or model).config.grid_size,
        wide is not None,
        tuple(labels),
        tuple(method in SIGNED for method in kept),
    )


def maps(
    model: ViT, method: str, report: Callable[[], None], images: Tensor, asked: Tensor
) -> Tensor:
    """Return a method's map of each picture and what is explained in it, (R, P)."""
    what: dict[str, Any] = {"progress": lambda *_: report()}
    if not model.config.num_classes and method in TARGETED:
        what["reference"] = asked
    if method == "integrated_gradients":
        what["steps"] = PATH
    targets = asked if model.config.num_classes else None
    return attribute(model, images, targets, method, **what).patches


def as_shown(image: Tensor, source: Source) -> np.ndarray:
    """Return a normalised picture as levels of brightness, uint8."""
    mean, std = (
        torch.tensor(values).view(-1, 1, 1) for values in (source.info.mean, source.info.std)
    )
    levels = ((image * std + mean) * 255).round().clamp(0, 255).to(torch.uint8)
    return levels[0].numpy() if len(levels) == 1 else levels.permute(1, 2, 0).numpy()
