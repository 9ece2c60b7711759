"""The page on the patch embedding: from pixels to the numbers that the model works with."""

from collections.abc import Callable, Mapping

from explainer.observation.observe import Observation
from explainer.shell.code_panel import Snippet
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patch_embedding.filters import show_filters
from explainer.views.patch_embedding.multiply import cell_shapes, show_multiply
from explainer.views.patch_embedding.questions import questions
from explainer.views.patch_embedding.similar import show_similar
from explainer.views.patch_embedding.wording import facts
from vit_core.model import PatchEmbed

__all__ = ["CODE", "PARTS", "facts", "matrix_shapes", "questions"]

PARTS: Mapping[str, Callable[[Choice, Observation, Place], None]] = {
    "multiply": show_multiply,
    "filters": show_filters,
    "similar": show_similar,
}
CODE = (Snippet("multiply", PatchEmbed, ("self.proj =", "return tap(")),)


def matrix_shapes(choice: Choice, seen: Observation, place: Place) -> Mapping[str, tuple[int, int]]:
    """Return rows and columns of every matrix whose cells can be chosen."""
    return cell_shapes(seen.config)
