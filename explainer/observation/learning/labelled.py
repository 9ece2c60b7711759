"""Pictures with their classes, of the kind that a model learned from."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from explainer.caching import remember
from explainer.inputs.models.load import Source, source_of
from explainer.inputs.pictures.galleries import Sample, label_of, samples
from explainer.inputs.pictures.test_pictures import kept_folder
from explainer.state.choice import DIGITS, Choice
from vit_core.data import mnist_validation, normalize
from vit_core.data.kept import KeptImagesError, load_images

OTHERS = 500  # pictures on which a model is tried
IN_BATCH = 128
FEWEST = 2  # pictures of a batch


DIGIT, OWN, SHOWN = "digits", "own", "shown"  # kinds of pictures


@dataclass(frozen=True)
class Labelled:
    """Pictures of a model's data, without the chosen one.

    Attributes:
        batch, batch_labels: pictures whose gradients are compared, normalised, (n, channels,
            height, width), and their classes (n,).
        others, other_labels: pictures on which the model is tried, in the same form.
    """

    batch: Tensor
    batch_labels: Tensor
    others: Tensor
    other_labels: Tensor


@dataclass(frozen=True)
class Available:
    """Which pictures there are for a model, before any is read.

    Attributes:
        kind: ``DIGIT`` for MNIST's validation digits, ``OWN`` for those that the model's run keeps,
            ``SHOWN`` for the few that the app shows for the model.
        in_batch, others: how many; 0 where there are too few.
        folder: of the run that keeps them.
    """

    kind: str
    in_batch: int
    others: int
    folder: Path | None = None


def available(choice: Choice) -> Available:
    """Return which pictures with classes there are for a model.

    Raises:
        CheckpointError: the model cannot be read.
    """
    source = source_of(choice)
    if choice.gallery == DIGITS:
        is_ten = source.model.config.num_classes == 10
        return Available(DIGIT, IN_BATCH, OTHERS) if is_ten else Available(DIGIT, 0, 0)
    folder = kept_folder(choice)
    if folder is not None:
        counts: tuple[int, int] = remember(("kept-counts", choice.source), lambda: sizes(folder))
        if min(counts) >= FEWEST:
            return Available(OWN, *counts, folder)
    count = len(pictures_of(choice, source))
    return Available(SHOWN, count, count) if count >= FEWEST else Available(SHOWN, 0, 0)


def sizes(folder: Path) -> tuple[int, int]:
    """Return how many of a run's own images are compared, and on how many the model is tried."""
    try:
        data = load_images(folder)
    except (OSError, KeptImagesError):
        return 0, 0
    return min(len(data.train), IN_BATCH), min(len(data.val), OTHERS)


def labelled(choice: Choice, source: Source, there: Available) -> Labelled:
    """Return pictures with classes for a model.

    Args:
        source: the model of the choice.
        there: what ``available`` found; there are some.

    Raises:
        KeptImagesError: the images of a run can no longer be read.
    """
    if there.kind == DIGIT:
        return digits(source)
    if there.folder is not None:
        return kept(source, there.folder)
    pairs = pictures_of(choice, source)
    images = torch.cat([source.batch(source.prepare(sample.open())) for sample, _ in pairs])
    labels = torch.tensor([label for _, label in pairs])
    return Labelled(images, labels, images, labels)


def kept(source: Source, folder: Path) -> Labelled:
    """Return the images that a run learned from, and those on which it was validated."""
    data = load_images(folder)
    train, val = data.train.first(IN_BATCH), data.val.first(OTHERS)
    return Labelled(
        normalize(train.images, source.info),
        train.labels,
        normalize(val.images, source.info),
        val.labels,
    )


def pictures_of(choice: Choice, source: Source) -> list[tuple[Sample, int]]:
    """Return the other pictures of a model's gallery whose class it knows, with that class."""
    chosen = None if choice.is_own else choice.sample
    return [
        (sample, label)
        for index, sample in enumerate(samples(choice.gallery))
        if index != chosen and (label := label_of(sample, source.info.class_names)) is not None
    ]


def digits(source: Source) -> Labelled:
    """Return validation digits, which no model of this project trained on."""
    read = mnist_validation(range(OTHERS + IN_BATCH))
    images = normalize(read.images, source.info)
    return Labelled(images[OTHERS:], read.labels[OTHERS:], images[:OTHERS], read.labels[:OTHERS])
