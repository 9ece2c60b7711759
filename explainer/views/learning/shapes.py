"""The matrices of the page whose cells can be chosen."""

from collections.abc import Mapping

from explainer.observation.learning.lesson import can_learn
from explainer.observation.learning.one_weight import shapes
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.learning.station import matrix_of
from explainer.views.learning.weight import weight_of


def matrix_shapes(choice: Choice, seen: Observation, place: Place) -> Mapping[str, tuple[int, int]]:
    """Return rows and columns of every matrix whose cells can be chosen."""
    if not can_learn(seen.config):
        return {}
    rows, columns = matrix_of(seen, place, seen.tensors).shape
    of_weights = shapes(choice)[weight_of(choice, seen, place).name]
    return {
        "tensor": (rows, columns),
        "gradient": (rows, columns),
        "weights": of_weights,
        "weight_gradients": of_weights,
    }
