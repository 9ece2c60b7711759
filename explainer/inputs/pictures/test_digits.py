"""The test digits of MNIST by class and index."""

from functools import cache

import numpy as np

from vit_core.data.packed import packed_mnist_test


@cache
def digit_indices() -> tuple[np.ndarray, ...]:
    """Return the indices in the test set of the digits of each class."""
    labels = packed_mnist_test().labels.numpy()
    return tuple(np.flatnonzero(labels == digit) for digit in range(10))


def count_digits(digit: int) -> int:
    """Return how many test digits of a class there are."""
    return len(digit_indices()[digit])


def test_digit(digit: int, index: int) -> np.ndarray:
    """Return the test digit of a class with an index from 0, (28, 28) uint8."""
    return packed_mnist_test().at([int(digit_indices()[digit][index])])[0, 0].numpy()
