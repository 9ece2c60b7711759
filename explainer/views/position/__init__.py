"""The page on position: what is added, where it comes from, and what a model loses without it."""

from collections.abc import Callable, Mapping

from explainer.observation.observe import Observation
from explainer.shell.code_panel import Snippet
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.position.add import add_shapes, show_add
from explainer.views.position.curves import show_curves
from explainer.views.position.questions import questions
from explainer.views.position.shuffle import show_shuffle
from explainer.views.position.similarity import show_similarity
from explainer.views.position.table import show_table, table_shapes
from explainer.views.position.wording import facts
from vit_core.interpret.position import position_similarity, shuffle_patches
from vit_core.model import ViT

__all__ = ["CODE", "PARTS", "facts", "matrix_shapes", "questions"]

PARTS: Mapping[str, Callable[[Choice, Observation, Place], None]] = {
    "add": show_add,
    "table": show_table,
    "curves": show_curves,
    "similarity": show_similarity,
    "shuffle": show_shuffle,
}
CODE = (
    Snippet("add", ViT.embed, ("x_BND = x_BND + tap",)),
    Snippet("similarity", position_similarity, ("unit_ND =", "return")),
    Snippet("shuffle", shuffle_patches, ("patches_BPV =", "grid =")),
)


def matrix_shapes(choice: Choice, seen: Observation, place: Place) -> Mapping[str, tuple[int, int]]:
    """Return rows and columns of every matrix whose cells can be chosen."""
    return add_shapes(seen.config) | table_shapes(choice, seen, place)
