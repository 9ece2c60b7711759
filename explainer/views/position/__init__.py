"""The page on position: what a model loses without it, what is added, and where it comes from."""

from collections.abc import Callable, Mapping

from explainer.observation.observe import Observation
from explainer.shell.code_panel import Snippet
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.position.add import add_shapes, show_add, summed
from explainer.views.position.patterns import pattern_text
from explainer.views.position.questions import questions
from explainer.views.position.shuffle import show_shuffle
from explainer.views.position.similarity import show_similarity
from explainer.views.position.table import show_table, table_shapes
from explainer.views.position.wording import base_facts
from vit_core.interpret.position import position_similarity, shuffle_patches
from vit_core.model import ViT

__all__ = ["CODE", "PARTS", "facts", "matrix_shapes", "questions"]

PARTS: Mapping[str, Callable[[Choice, Observation, Place], None]] = {
    "shuffle": show_shuffle,
    "add": show_add,
    "table": show_table,
    "similarity": show_similarity,
}
CODE = (
    Snippet("shuffle", shuffle_patches, ("patches_BPV =", "grid =")),
    Snippet("add", ViT.embed, ("x_BND = x_BND + tap",)),
    Snippet("similarity", position_similarity, ("unit_ND =", "return")),
)


def facts(choice: Choice, seen: Observation, place: Place) -> Mapping[str, object]:
    return base_facts(choice, seen) | {"shown_kind_text": pattern_text(choice, seen, place)}


def matrix_shapes(choice: Choice, seen: Observation, place: Place) -> Mapping[str, tuple[int, int]]:
    """Return rows and columns of every matrix whose cells can be chosen."""
    config = seen.config
    one = {"added": (len(summed(config)), config.embed_dim)}
    return one | add_shapes(config) | table_shapes(choice, seen, place)
