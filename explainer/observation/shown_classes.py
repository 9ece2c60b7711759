"""Which classes are drawn: all of them if there are few, else the most probable."""

from collections.abc import Sequence

import numpy as np

from explainer.content.strangers_words import StrangersWord, joined
from explainer.observation.observe import Observation

MAX_ALL = 12  # classes that are all drawn
TOP = 10  # classes that are drawn if there are more


def shown_classes(seen: Observation) -> list[int]:
    """Return the classes to draw: all in their order, or the ten most probable in falling order.

    The true class is always among them.
    """
    count = len(seen.class_names)
    if count <= MAX_ALL:
        return list(range(count))
    classes = np.argsort(-seen.logits, kind="stable")[:TOP].tolist()
    if seen.label is not None and seen.label not in classes:
        classes[-1] = seen.label
    return classes


def are_all_shown(seen: Observation) -> bool:
    """Return whether ``shown_classes`` are all classes."""
    return len(seen.class_names) <= MAX_ALL


def names_of(seen: Observation, classes: Sequence[int]) -> list[StrangersWord]:
    """Return the names of classes; a name that two of them share gets the index of the class."""
    names = [seen.class_names[index] for index in classes]
    return [
        joined(name, f" ({index})") if names.count(name) > 1 else name
        for name, index in zip(names, classes, strict=True)
    ]


def left_over(seen: Observation, classes: Sequence[int]) -> tuple[int, float]:
    """Return how many classes are not drawn, and the sum of their probabilities."""
    count = len(seen.class_names) - len(classes)
    return count, max(0.0, 1.0 - float(seen.probabilities[list(classes)].sum(dtype=np.float64)))
