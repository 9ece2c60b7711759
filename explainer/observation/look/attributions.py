"""What each method says of the patches of the chosen picture, kept for all visitors."""

import numpy as np

from explainer.observation.observe import Observation
from explainer.state.place import Place


def explained(seen: Observation, place: Place) -> int:
    """Return the class whose score is explained; the model must have classes."""
    return int(seen.prediction if place.explain is None else place.explain)


def runner_up(seen: Observation) -> int:
    """Return the class with the largest logit after the predicted one; it, if it is the only."""
    order = np.argsort(-seen.logits, kind="stable")
    return int(order[min(1, len(order) - 1)])
