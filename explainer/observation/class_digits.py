"""What a model says of the digits that a class drew."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from explainer.caching import remember
from explainer.inputs.models import memory
from explainer.inputs.models.load import source_of
from explainer.observation.compute import read_only
from explainer.state.choice import DIGITS, Choice
from vit_core.data import normalize

SIDE = 28  # pixels of a drawing
CLASSES = 10
AT_ONCE = 32  # drawings in one pass


@dataclass(frozen=True)
class ClassAnswers:
    """A model's answers on the drawings of a class, in the order in which they came.

    Attributes:
        labels: (n,) the digits that were to be drawn.
        answers: (n,) the digits with the highest probability.
        shares: (n,) these probabilities.
    """

    labels: np.ndarray
    answers: np.ndarray
    shares: np.ndarray

    @property
    def right(self) -> int:
        """Number of drawings that are read as the digit that was to be drawn."""
        return int((self.labels == self.answers).sum())

    @property
    def counts(self) -> np.ndarray:
        """How often each digit was read as each, (10, 10); index 0 is what was to be drawn."""
        counts = np.zeros((CLASSES, CLASSES), np.int64)
        np.add.at(counts, (self.labels, self.answers), 1)
        return counts

    def worst(self) -> tuple[int, int, int] | None:
        """Return the most frequent mistake: drawn, read as, how often; None without a mistake."""
        wrong = self.counts - np.diag(np.diag(self.counts))
        if not wrong.any():
            return None
        drawn, read = divmod(int(wrong.argmax()), CLASSES)
        return drawn, read, int(wrong[drawn, read])


def reads_digits(choice: Choice) -> bool:
    """Return whether a model names the ten digits, so that drawings of digits can test it."""
    config = choice.config
    is_its_size = (config.image_hw, config.in_channels) == ((SIDE, SIDE), 1)
    return choice.gallery == DIGITS and config.num_classes == CLASSES and is_its_size


def ask(choice: Choice, drawings: Sequence[tuple[bytes, int]]) -> ClassAnswers:
    """Return what the choice's model says of drawings; each is asked once for all visitors.

    Args:
        drawings: the pixels of each, 28 × 28 bytes, white on black, and the digit that was to be
            drawn, from 0 to 9.

    Raises:
        ValueError: a drawing has another size or no such digit, or the model does not name digits.
    """
    if not reads_digits(choice):
        raise ValueError("only a model of the ten digits can be asked about drawn digits")
    if any(len(pixels) != SIDE * SIDE or not 0 <= label < CLASSES for pixels, label in drawings):
        raise ValueError(f"a drawing has {SIDE} × {SIDE} bytes and a digit from 0 to 9")
    found = []
    for start in range(0, len(drawings), AT_ONCE):  # those that came first are asked no more
        some = tuple(pixels for pixels, _ in drawings[start : start + AT_ONCE])
        key = "class digits", choice.model_key, some
        found.append(remember(key, partial(asked, choice, some)))
    probabilities = np.concatenate(found) if found else np.zeros((0, CLASSES), np.float32)
    answers = probabilities.argmax(axis=1)
    labels = np.array([label for _, label in drawings], np.int64)
    shares = probabilities[np.arange(len(answers)), answers]
    return ClassAnswers(*(read_only(one) for one in (labels, answers, shares)))


def asked(choice: Choice, drawings: Sequence[bytes]) -> np.ndarray:
    """Return the probabilities of each drawing, (n, 10)."""
    source = source_of(choice)
    pixels = np.frombuffer(b"".join(drawings), np.uint8).reshape(-1, 1, SIDE, SIDE)
    with memory.forward_lock(source.model.config), torch.no_grad():
        logits = source.model(normalize(torch.from_numpy(pixels.copy()), source.info))
    return read_only(logits.softmax(dim=1).numpy())
