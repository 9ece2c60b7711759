"""Pictures with their classes, of the kind that a model learned from."""

from dataclasses import dataclass

import torch
from torch import Tensor

from explainer.inputs.models.load import Source
from explainer.inputs.pictures.galleries import Sample, label_of, samples
from explainer.state.choice import DIGITS, Choice
from vit_core.data import mnist_validation, normalize

OTHERS = 500  # pictures on which a model is tried
IN_BATCH = 128
FEWEST = 2  # pictures of a batch


@dataclass(frozen=True)
class Labelled:
    """Pictures of a model's data, without the chosen one.

    Attributes:
        batch, batch_labels: pictures whose gradients are compared, normalised, (n, channels,
            height, width), and their classes (n,).
        others, other_labels: pictures on which the model is tried, in the same form.
        are_digits: whether these are MNIST's validation digits; else they are the few pictures
            that the app shows for the model.
    """

    batch: Tensor
    batch_labels: Tensor
    others: Tensor
    other_labels: Tensor
    are_digits: bool


def labelled(choice: Choice, source: Source) -> Labelled | None:
    """Return pictures with classes for a model; None if there are not enough of them.

    Args:
        source: the model of the choice.
    """
    if choice.gallery == DIGITS:
        return digits(source)
    pairs = pictures_of(choice, source)
    if len(pairs) < FEWEST:
        return None
    images = torch.cat([source.batch(source.prepare(sample.open())) for sample, _ in pairs])
    labels = torch.tensor([label for _, label in pairs])
    return Labelled(images, labels, images, labels, are_digits=False)


def pictures_of(choice: Choice, source: Source) -> list[tuple[Sample, int]]:
    """Return the other pictures of a model's gallery whose class it knows, with that class."""
    chosen = None if choice.is_own else choice.sample
    return [
        (sample, label)
        for index, sample in enumerate(samples(choice.gallery))
        if index != chosen and (label := label_of(sample, source.info.class_names)) is not None
    ]


def digits(source: Source) -> Labelled | None:
    """Return validation digits, which no model trained on, for a model of ten digits."""
    if source.model.config.num_classes != 10:
        return None
    read = mnist_validation(range(OTHERS + IN_BATCH))
    images = normalize(read.images, source.info)
    return Labelled(
        images[OTHERS:], read.labels[OTHERS:], images[:OTHERS], read.labels[:OTHERS], True
    )
