"""Which classes are drawn: all of a few, the most probable of many."""

from collections.abc import Sequence

import numpy as np

from explainer.content.strangers_words import StrangersWord, joined
from explainer.observation.observe import Observation

ALL_UP_TO = 12
MOST = 10  # of more


def shown_classes(seen: Observation) -> list[int]:
    """Return the classes to draw: all in their order, or the ten most probable, those first.

    The true class is always among them.
    """
    count = len(seen.class_names)
    if count <= ALL_UP_TO:
        return list(range(count))
    places = np.argsort(-seen.logits, kind="stable")[:MOST].tolist()
    if seen.label is not None and seen.label not in places:
        places[-1] = seen.label
    return places


def are_all_shown(seen: Observation) -> bool:
    return len(seen.class_names) <= ALL_UP_TO


def names_of(seen: Observation, places: Sequence[int]) -> list[StrangersWord]:
    """Return the names of classes, each once: a name that two of them share gets their number."""
    names = [seen.class_names[place] for place in places]
    return [
        joined(name, f" ({place})") if names.count(name) > 1 else name
        for name, place in zip(names, places, strict=True)
    ]


def left_over(seen: Observation, places: Sequence[int]) -> tuple[int, float]:
    """Return how many classes are not drawn, and their probability in all."""
    count = len(seen.class_names) - len(places)
    return count, max(0.0, 1.0 - float(seen.probabilities[list(places)].sum(dtype=np.float64)))
