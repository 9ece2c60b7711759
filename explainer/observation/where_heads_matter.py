"""A picture on which the model's answer hangs on a single head.

A model is sure of most pictures, and then no single head moves its answer. The pictures that it
gets wrong are close calls, so a few of them are tried.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from explainer.caching import remember
from explainer.inputs.models import load, memory
from explainer.inputs.pictures.galleries import DIGITS, samples
from explainer.inputs.pictures.test_digits import test_digit
from explainer.observation.heads import effects_are_cheap
from explainer.observation.wrong_digits import first_misclassified
from explainer.observation.wrong_samples import misclassified_samples
from explainer.state.choice import Choice
from vit_core.interpret.heads import Head, head_effects

TRIED = 8  # pictures


@dataclass(frozen=True)
class CloseCall:
    """A picture, and the head without which the answer moves most.

    Attributes:
        state: what the state has when this picture is looked at.
        truth, predicted: classes.
        change: of the answer's probability without the head.
    """

    state: dict[str, Any]
    truth: int
    predicted: int
    head: Head
    change: float

    def is_picture_of(self, choice: Choice) -> bool:
        return all(getattr(choice, name) == value for name, value in self.state.items())


def picture_where_a_head_matters(choice: Choice) -> CloseCall | None:
    """Return the picture on which one head moves the answer most, of a few that are tried.

    None for a model without classes, one that has learned nothing, one that gets none of the
    pictures wrong, one that is too large to be run for this, and an epoch of a run: there are many,
    and each would have to be searched.
    """
    is_asked = choice.trained and not choice.is_saved and choice.config.num_classes
    if not (is_asked and effects_are_cheap(choice)):
        return None
    key = ("where heads matter", choice.model_key, choice.gallery)
    return remember(key, lambda: max(close_calls(choice), key=size_of_change, default=None))


def size_of_change(one: CloseCall) -> float:
    return abs(one.change)


def close_calls(choice: Choice) -> Iterator[CloseCall]:
    source = load.source_of(choice)
    for pixels, truth, predicted, state in mistakes(choice):
        images = source.batch(pixels)
        with memory.forward_lock(source.model.config):
            logits = head_effects(source.model, images)[:, :, 0]
            before = float(source.model(images).detach().softmax(dim=-1)[0, predicted])
        changes = logits.softmax(dim=-1)[..., predicted].numpy() - before
        block, head = np.unravel_index(int(np.abs(changes).argmax()), changes.shape)
        yield CloseCall(
            state,
            truth,
            predicted,
            Head(int(block), int(head)),
            float(changes[block, head]),
        )


def mistakes(choice: Choice) -> Iterator[tuple[np.ndarray, int, int, dict[str, Any]]]:
    """Yield pixels, true class, answer and state of pictures that the model gets wrong."""
    if choice.gallery == DIGITS:
        for digit in first_misclassified(choice, TRIED):
            state = {"digit": digit.digit, "index": digit.index, "picture": ""}
            yield test_digit(digit.digit, digit.index), digit.digit, digit.predicted, state
        return
    source = load.source_of(choice)
    for sample in misclassified_samples(choice)[:TRIED]:
        pixels = source.prepare(samples(choice.gallery)[sample.index].open())
        yield pixels, sample.label, sample.predicted, {"sample": sample.index, "photo": ""}
