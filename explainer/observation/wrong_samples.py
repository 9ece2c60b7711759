"""The shipped pictures that a model gets wrong, of those whose class is known."""

from typing import NamedTuple

import torch

from explainer.caching import remember
from explainer.inputs.models import load, memory
from explainer.inputs.pictures.galleries import label_of, samples
from explainer.state.choice import Choice


class HardSample(NamedTuple):
    """A picture of the model's gallery, as the state has it.

    Attributes:
        place: in the gallery.
        truth, said: its class, and the one that the model takes it for.
    """

    place: int
    truth: int
    said: int


def known_samples(choice: Choice) -> int:
    """Return of how many pictures of the gallery the model knows the class by its name."""
    names = load.source_of(choice).info.class_names
    return sum(label_of(sample, names) is not None for sample in samples(choice.gallery))


def hard_samples(choice: Choice) -> tuple[HardSample, ...]:
    """Return the pictures that the model gets wrong, in the order of the gallery."""
    key = ("hard samples", choice.source, choice.config, choice.seed)
    return remember(key, lambda: tuple(search(choice)))


def search(choice: Choice) -> list[HardSample]:
    source = load.source_of(choice)
    found = []
    for place, sample in enumerate(samples(choice.gallery)):
        truth = label_of(sample, source.info.class_names)
        if truth is None:
            continue
        images = source.batch(source.prepare(sample.open()))
        with memory.forward_lock(source.model.config), torch.no_grad():
            said = int(source.model(images).argmax())
        if said != truth:
            found.append(HardSample(place, truth, said))
    return found
