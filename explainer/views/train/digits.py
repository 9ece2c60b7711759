"""The sixteen test digits that every run is asked about while it learns."""

from functools import cache

import numpy as np

from explainer.figures.pixels import grey_image
from explainer.figures.strip import Answer
from explainer.views.train.wording import TEXTS
from vit_core.data import mnist_info, mnist_test
from vit_core.snapshot import STRIP_PLACES


@cache
def pictures() -> tuple[tuple[str, str], ...]:
    """Return address and true class of each digit."""
    test, names = mnist_test(), mnist_info().class_names
    return tuple(
        (grey_image(test.images[place, 0].numpy()), names[int(test.labels[place])])
        for place in STRIP_PLACES
    )


def pixels_of(which: int) -> np.ndarray:
    """Return a digit of the strip, (28, 28) uint8."""
    return mnist_test().images[STRIP_PLACES[which], 0].numpy()


def unasked() -> list[Answer]:
    return [Answer(picture, truth) for picture, truth in pictures()]


def answered(logits: np.ndarray) -> list[Answer]:
    """Return what the logits (16, 10) say of the digits."""
    names, shares = mnist_info().class_names, softmax(logits)
    best = shares.argmax(axis=1)
    return [
        Answer(
            picture,
            truth,
            names[said],
            TEXTS["strip"]["share"].format(share=f"{100 * shares[place, said]:.0f}"),
        )
        for place, ((picture, truth), said) in enumerate(zip(pictures(), best, strict=True))
    ]


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
