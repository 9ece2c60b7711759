"""The page on the class token: one more row, why, and what models do that have none."""

from collections.abc import Callable, Mapping

from explainer.observation.observe import Observation
from explainer.shell.code_panel import Snippet
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.class_token.cells import cell_shapes
from explainer.views.class_token.join import show_join
from explainer.views.class_token.journey import show_journey
from explainer.views.class_token.listens import show_listens
from explainer.views.class_token.questions import questions
from explainer.views.class_token.what import show_what
from explainer.views.class_token.why import show_why
from explainer.views.class_token.wording import facts
from vit_core.model import ViT

__all__ = ["CODE", "PARTS", "facts", "matrix_shapes", "questions"]

PARTS: Mapping[str, Callable[[Choice, Observation, Place], None]] = {
    "join": show_join,
    "what": show_what,
    "journey": show_journey,
    "listens": show_listens,
    "why": show_why,
}
CODE = (
    Snippet("join", ViT.embed, ("if self.cls_token", "x_BND = torch.cat((self.cls_token")),
    Snippet("why", ViT.forward_head, ("if self.config.pool", "pooled_BD =")),
)


def matrix_shapes(choice: Choice, seen: Observation, place: Place) -> Mapping[str, tuple[int, int]]:
    """Return rows and columns of every matrix whose cells can be chosen."""
    return cell_shapes(seen.config)
