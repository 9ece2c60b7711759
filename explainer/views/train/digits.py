"""The sixteen digits that every run is asked about while it learns."""

from functools import cache

import numpy as np

from explainer.figures.pixels import grey_image
from explainer.figures.strip import Answer
from explainer.views.train.wording import TEXTS
from vit_core.data import Split, mnist_info, mnist_test, mnist_validation
from vit_core.runs.snapshot import STRIP_INDICES, TEST, TEST_STRIP_INDICES, VALIDATION, Snapshot


@cache
def asked(part: str) -> Split:
    """Return the digits of one part of the data."""
    if part == TEST:
        test, places = mnist_test(), list(TEST_STRIP_INDICES)
        return Split(test.images[places], test.labels[places])
    return mnist_validation(STRIP_INDICES)


@cache
def pictures(part: str = VALIDATION) -> tuple[tuple[str, str], ...]:
    """Return address and true class of each digit."""
    digits, names = asked(part), mnist_info().class_names
    return tuple(
        (grey_image(image.numpy()), names[int(label)])
        for image, label in zip(digits.images[:, 0], digits.labels, strict=True)
    )


def pixels_of(which: int, part: str = VALIDATION) -> np.ndarray:
    """Return a digit of the strip, (28, 28) uint8."""
    return asked(part).images[which, 0].numpy()


def unasked() -> list[Answer]:
    return [Answer(picture, truth) for picture, truth in pictures()]


def answered(snapshot: Snapshot) -> list[Answer]:
    """Return what the model of a snapshot says of the digits."""
    names, shares = mnist_info().class_names, softmax(snapshot.logits)
    best = shares.argmax(axis=1)
    return [
        Answer(
            picture,
            truth,
            names[predicted],
            TEXTS["strip"]["share"].format(share=f"{100 * shares[place, predicted]:.0f}"),
        )
        for place, ((picture, truth), predicted) in enumerate(
            zip(pictures(snapshot.part), best, strict=True)
        )
    ]


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
