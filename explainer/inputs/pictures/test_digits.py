"""The test digits of MNIST, by class and number."""

from functools import cache

import numpy as np

from vit_core.data import mnist_test


@cache
def digit_places() -> tuple[np.ndarray, ...]:
    """Return, for each class, the places of its digits in the test set."""
    labels = mnist_test().labels.numpy()
    return tuple(np.flatnonzero(labels == digit) for digit in range(10))


def count_digits(digit: int) -> int:
    """Return how many test digits of a class there are."""
    return len(digit_places()[digit])


def test_digit(digit: int, index: int) -> np.ndarray:
    """Return the test digit number ``index`` of a class, (28, 28) uint8."""
    return mnist_test().images[digit_places()[digit][index], 0].numpy()
