"""The page on the patch embedding: from pixels to the numbers that the model works with."""

from collections.abc import Callable, Mapping

from explainer.observation.observe import Observation
from explainer.shell.code_panel import Snippet
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patch_embedding.choose import show_choose
from explainer.views.patch_embedding.convolution import show_convolution
from explainer.views.patch_embedding.filters import show_filters
from explainer.views.patch_embedding.multiply import cell_shapes, show_multiply
from explainer.views.patch_embedding.principal import show_principal
from explainer.views.patch_embedding.questions import questions
from explainer.views.patch_embedding.similar import show_similar
from explainer.views.patch_embedding.wording import facts
from vit_core.interpret.filters import embed_by_convolution, principal_filters
from vit_core.model import PatchEmbed

__all__ = ["CODE", "PARTS", "facts", "matrix_shapes", "questions"]

PARTS: Mapping[str, Callable[[Choice, Observation, Place], None]] = {
    "choose": show_choose,
    "multiply": show_multiply,
    "filters": show_filters,
    "principal": show_principal,
    "similar": show_similar,
    "convolution": show_convolution,
}
CODE = (
    Snippet("multiply", PatchEmbed, ("self.proj =", "return tap(")),
    Snippet("principal", principal_filters, ("spread, directions_RV =", "(variances / total)")),
    Snippet("convolution", embed_by_convolution, ("kernel =", "maps =")),
)


def matrix_shapes(choice: Choice, seen: Observation, place: Place) -> Mapping[str, tuple[int, int]]:
    """Return rows and columns of every matrix whose cells can be chosen."""
    return cell_shapes(seen.config)
