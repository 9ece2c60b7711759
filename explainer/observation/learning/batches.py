"""The chosen picture's gradient beside those of others, and ten steps on this picture alone."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from explainer.caching import is_remembered, remember
from explainer.inputs.models.load import Source, source_of
from explainer.inputs.models.memory import BATCH_BYTES, pass_bytes
from explainer.observation.background import is_there
from explainer.observation.compute import read_only
from explainer.observation.learning.labelled import Available, available, labelled
from explainer.observation.learning.lesson import model_and_image, one_at_a_time
from explainer.observation.learning.recipe import recipe_of
from explainer.state.choice import Choice
from vit_core import TrainConfig
from vit_core.learning.batch import Together, by_heart, together
from vit_core.model import ViT
from vit_core.training.optimizers import build_optimizers

STEPS = 10  # on one picture
MOST_WORK = 1e12  # multiplications of one computation, some ten seconds
BACKWARD = 3  # times the multiplications of a forward pass that a gradient takes
COPIES = 4  # times the tensors of a pass that gradients of many pictures need


@dataclass(frozen=True)
class Batch:
    """How gradients of pictures lie to one another.

    Attributes:
        classes: (c,) the classes of which there are pictures in the batch.
        counts: (c,) how many.
        between: (c, c) mean cosine between two pictures of each two classes; not a number where
            there are no two.
        of_picture: (c,) mean cosine of the chosen picture's gradient with those of a class.
        with_mean: cosine of the chosen picture's gradient with the mean of the batch.
        others_with_mean: mean cosine of the batch's own pictures with that mean.
        length: of the chosen picture's gradient.
        mean_length: of the mean of the batch.
        typical_length: the mean length of the batch's single gradients.
    """

    classes: np.ndarray
    counts: np.ndarray
    between: np.ndarray
    of_picture: np.ndarray
    with_mean: float
    others_with_mean: float
    length: float
    mean_length: float
    typical_length: float

    @property
    def count(self) -> int:
        """Pictures in the batch."""
        return int(self.counts.sum())


@dataclass(frozen=True)
class ByHeart:
    """Steps on the chosen picture alone; index 0 is before the first.

    Attributes:
        target: the class that it learns.
        probabilities: (1 + STEPS, C) of the picture.
        picture_losses: (1 + STEPS,) of the picture, in nats.
        losses, accuracies: (1 + STEPS,) of other pictures.
        count: how many these are.
    """

    target: int
    probabilities: np.ndarray
    picture_losses: np.ndarray
    losses: np.ndarray
    accuracies: np.ndarray
    count: int


_shares: dict[Hashable, float] = {}  # how much is done of what is computed now


def can_be_computed(choice: Choice, count: int) -> bool:
    """Return whether the work for so many pictures, each forward and backward, is bearable."""
    config = choice.config
    return BACKWARD * count * config.num_parameters * config.num_tokens <= MOST_WORK


def is_batch_known(choice: Choice, target: int) -> bool:
    return is_remembered(batch_key(choice, target))


def is_heart_known(choice: Choice, target: int) -> bool:
    return is_remembered(heart_key(choice, target))


def batch_key(choice: Choice, target: int) -> Hashable:
    return "batch", choice, target


def heart_key(choice: Choice, target: int) -> Hashable:
    return "by-heart", choice, target


def batch_of(choice: Choice, target: int) -> Batch:
    """Return the gradients beside each other; there are pictures for it."""
    return remember(batch_key(choice, target), prepared_batch(choice, target))


def is_batch_there(choice: Choice, target: int) -> bool:
    """Return whether ``batch_of`` knows its answer; if not, have it computed meanwhile."""
    return is_there(batch_key(choice, target), prepared_batch(choice, target))


def learned_by_heart(choice: Choice, target: int) -> ByHeart:
    """Return what ten steps on one picture do; there are other pictures."""
    return remember(heart_key(choice, target), prepared_heart(choice, target))


def is_learned_by_heart(choice: Choice, target: int) -> bool:
    """Return whether ``learned_by_heart`` knows its answer; if not, have it computed meanwhile."""
    return is_there(heart_key(choice, target), prepared_heart(choice, target))


def share_done(key: Hashable) -> float:
    """Return how much is done of what is computed under a key, 0 to 1."""
    return _shares.get(key, 0.0)


def prepared_batch(choice: Choice, target: int) -> Callable[[], Batch]:
    """Return the computation, which then needs nothing of Streamlit's any more."""
    source, (model, image) = source_of(choice), model_and_image(choice)
    return partial(compute_batch, choice, source, available(choice), model, image, target)


def compute_batch(
    choice: Choice, source: Source, there: Available, model: ViT, image: Tensor, target: int
) -> Batch:
    pictures = labelled(choice, source, there)
    label = torch.tensor([target])
    at_once = max(1, BATCH_BYTES // (COPIES * pass_bytes(model.config)))
    with one_at_a_time(model.config):
        found = together(
            model,
            torch.cat((image, pictures.batch)),
            torch.cat((label, pictures.batch_labels)),
            at_once,
        )
    batch = Together(found.products[1:, 1:], found.labels[1:])
    classes, counts = batch.labels.unique(return_counts=True)
    place_of = torch.searchsorted(classes, batch.labels)
    of_picture = torch.zeros(len(classes), dtype=torch.float64)
    of_picture.index_add_(0, place_of, found.cosines[0, 1:])
    length = float(found.lengths[0])
    product, scale = float(found.products[0, 1:].mean()), length * batch.mean_length
    return Batch(
        classes.numpy(),
        counts.numpy(),
        read_only(Together(batch.products, place_of).by_class(len(classes)).numpy()),
        read_only((of_picture / counts).numpy()),
        product / scale if scale else 0.0,
        float(batch.cosines_with_mean.mean()),
        length,
        batch.mean_length,
        float(batch.lengths.mean()),
    )


def prepared_heart(choice: Choice, target: int) -> Callable[[], ByHeart]:
    """Return the computation, which then needs nothing of Streamlit's any more."""
    source, (model, image) = source_of(choice), model_and_image(choice)
    config = recipe_of(choice).config
    there = available(choice)
    return partial(compute_heart, choice, source, there, model, image, config, target)


def compute_heart(
    choice: Choice,
    source: Source,
    there: Available,
    model: ViT,
    image: Tensor,
    config: TrainConfig,
    target: int,
) -> ByHeart:
    pictures = labelled(choice, source, there)
    key, states = heart_key(choice, target), []
    others = pictures.others, pictures.other_labels
    with one_at_a_time(model.config):
        walked = by_heart(
            model,
            image,
            torch.tensor([target]),
            others,
            lambda own: build_optimizers(own, config),
            STEPS,
        )
        try:
            for state in walked:
                states.append(state)
                _shares[key] = len(states) / (1 + STEPS)
        finally:
            _shares.pop(key, None)
    return ByHeart(
        target,
        read_only(torch.stack([state.probabilities for state in states]).numpy()),
        np.array([state.picture_loss for state in states]),
        np.array([state.loss for state in states]),
        np.array([state.accuracy for state in states]),
        len(pictures.other_labels),
    )
