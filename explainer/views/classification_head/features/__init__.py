"""The page that stands in the place of the classification head where a model has none."""

from collections.abc import Callable, Mapping

from explainer.observation.observe import Observation
from explainer.shell.code_panel import Snippet
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.classification_head.cells import MATRICES, cell_shapes
from explainer.views.classification_head.features.colours import show_colours
from explainer.views.classification_head.features.nearest import show_nearest
from explainer.views.classification_head.features.questions import questions
from explainer.views.classification_head.features.read import show_read
from explainer.views.classification_head.features.wording import facts
from vit_core.interpret.features import cosine_similarities, principal_map
from vit_core.model import ViT

__all__ = ["CODE", "PARTS", "TEXTS_NAME", "facts", "matrix_shapes", "questions"]

TEXTS_NAME = "features"  # its texts are not those of the view whose place it takes
PARTS: Mapping[str, Callable[[Choice, Observation, Place], None]] = {
    "colours": show_colours,
    "nearest": show_nearest,
    "read": show_read,
}
CODE = (
    Snippet("colours", principal_map, ("centred_PD =", "left, spread, right", "scores =")),
    Snippet("nearest", cosine_similarities, ("return",)),
    Snippet("read", ViT.forward_features, ('return tap("final_norm"',)),
    Snippet("read", ViT.forward_head, ("if self.config.pool", "pooled_BD =")),
)


def matrix_shapes(choice: Choice, seen: Observation, place: Place) -> Mapping[str, tuple[int, int]]:
    """Return rows and columns of every matrix whose cells can be chosen."""
    return {name: shape for name, shape in cell_shapes(seen).items() if name in MATRICES["pooled"]}
