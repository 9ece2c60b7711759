"""The page on the head: from one row to logits, to probabilities, and who wrote them."""

from collections.abc import Callable, Mapping

from explainer.observation.observe import Observation
from explainer.shell.code_panel import Snippet
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.classification_head.cells import cell_shapes, shapes_of_old_links
from explainer.views.classification_head.lens import show_lens
from explainer.views.classification_head.logits import show_logits
from explainer.views.classification_head.parts import show_parts
from explainer.views.classification_head.questions import questions
from explainer.views.classification_head.softmax import show_softmax
from explainer.views.classification_head.wording import facts
from vit_core.interpret.lens import logit_attribution, logit_lens
from vit_core.model import ViT

__all__ = ["CODE", "PARTS", "facts", "matrix_shapes", "questions"]

PARTS: Mapping[str, Callable[[Choice, Observation, Place], None]] = {
    "softmax": show_softmax,
    "lens": show_lens,
    "logits": show_logits,
    "parts": show_parts,
}
CODE = (
    Snippet("lens", logit_lens, ("stages =",)),
    Snippet("logits", ViT.forward_features, ('return tap("final_norm"',)),
    Snippet("logits", ViT.forward_head, ("if self.config.pool", "pooled_BD =", "return tap(")),
    Snippet("parts", logit_attribution, ("centred_BWND =", "written_BWND = centred")),
)


def matrix_shapes(choice: Choice, seen: Observation, place: Place) -> Mapping[str, tuple[int, int]]:
    """Return rows and columns of every matrix whose cells can be chosen."""
    return cell_shapes(seen) | shapes_of_old_links(seen.config)
