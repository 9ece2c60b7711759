"""One weight of the chosen model, and the loss of the chosen picture while it changes."""

from collections.abc import Mapping

import numpy as np

from explainer.caching import remember
from explainer.observation.learning.lesson import Lesson, model_and_image, one_at_a_time
from explainer.observation.weights import weights
from explainer.state.choice import Choice
from explainer.state.link import NUDGES
from explainer.state.place import Weight
from vit_core.learning.nudge import Nudged, nudge

ROUND = (1, 2, 5, 10)


def as_matrix(array: np.ndarray) -> np.ndarray:
    """Return a parameter as a matrix, as ``vit_core.learning.nudge.as_matrix`` does."""
    return array.reshape(-1, 1 if array.ndim < 2 else array.shape[-1])


def shapes(choice: Choice) -> Mapping[str, tuple[int, int]]:
    """Return rows and columns of every parameter."""
    return {name: as_matrix(array).shape for name, array in weights(choice).items()}


def nearest(weight: Weight | None, choice: Choice) -> Weight | None:
    """Return the weight of the model that is nearest to the one asked for; None for none."""
    if weight is None:
        return None
    size = shapes(choice).get(weight.name)
    if size is None:
        return None
    return Weight(weight.name, min(weight.row, size[0] - 1), min(weight.column, size[1] - 1))


def gradient_at(taught: Lesson, weight: Weight) -> float:
    """Return the gradient of one weight, as the pass of the page has it."""
    return float(as_matrix(taught.weights[weight.name])[weight.row, weight.column])


def starting(taught: Lesson) -> Weight:
    """Return the weight with which the page begins: in the head, where the gradient is largest."""
    row, column = np.unravel_index(
        int(np.abs(taught.weights["head.weight"]).argmax()), taught.weights["head.weight"].shape
    )
    return Weight("head.weight", int(row), int(column))


def reach(parameter: np.ndarray) -> float:
    """Return how far a weight is changed at most: a round number of a few standard deviations."""
    wanted = max(4 * float(parameter.std()), float(np.abs(parameter).mean()), 1e-6)
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(power * next(one for one in ROUND if one * power >= wanted * 0.999))


def changes(parameter: np.ndarray) -> np.ndarray:
    """Return the changes that the slider offers, with 0 in the middle."""
    return reach(parameter) * np.asarray(NUDGES, np.float64) / NUDGES[-1]


def nudged(choice: Choice, target: int, weight: Weight) -> Nudged:
    """Return the loss of the picture for each change of the weight; real passes in float64."""

    def make() -> Nudged:
        model, image = model_and_image(choice)
        offered = changes(weights(choice)[weight.name]).tolist()
        with one_at_a_time(model.config):
            return nudge(model, image, target, *weight, offered)

    return remember(("nudged", choice, target, weight), make)
