"""The shipped pictures that a model gets wrong, of those whose class it knows."""

from dataclasses import dataclass

import torch

from explainer.caching import remember
from explainer.inputs.models import load, memory
from explainer.inputs.pictures.galleries import label_of, samples
from explainer.state.choice import Choice


@dataclass(frozen=True)
class MisclassifiedSample:
    """A picture of the model's gallery that the model gets wrong.

    Attributes:
        index: in the gallery, as ``State`` counts.
        label: its true class.
        predicted: the class that the model takes it for.
    """

    index: int
    label: int
    predicted: int


def labelled_count(choice: Choice) -> int:
    """Return for how many pictures of the gallery the model knows the true class by its name."""
    names = load.source_of(choice).info.class_names
    return sum(label_of(sample, names) is not None for sample in samples(choice.gallery))


def misclassified_samples(choice: Choice) -> tuple[MisclassifiedSample, ...]:
    """Return the pictures that the model gets wrong, in the order of the gallery."""
    key = ("misclassified samples", choice.model_key)
    return remember(key, lambda: tuple(search(choice)))


def search(choice: Choice) -> list[MisclassifiedSample]:
    source = load.source_of(choice)
    misclassified = []
    for index, sample in enumerate(samples(choice.gallery)):
        label = label_of(sample, source.info.class_names)
        if label is None:
            continue
        images = source.batch(source.prepare(sample.open()))
        with memory.forward_lock(source.model.config), torch.no_grad():
            predicted = int(source.model(images).argmax())
        if predicted != label:
            misclassified.append(MisclassifiedSample(index, label, predicted))
    return misclassified
