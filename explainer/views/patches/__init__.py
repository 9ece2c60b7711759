"""The page on patches: how an image becomes a list of rows of numbers."""

from collections.abc import Callable, Mapping

from explainer.observation.observe import Observation
from explainer.shell.code_panel import Snippet
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patches.explore import show_explorer
from explainer.views.patches.normalise import show_normalisation
from explainer.views.patches.questions import questions
from explainer.views.patches.try_grid import show_cut
from explainer.views.patches.wording import facts
from vit_core.data import normalize
from vit_core.model import patchify

__all__ = ["CODE", "PARTS", "facts", "questions"]

PARTS: Mapping[str, Callable[[Choice, Observation, Place], None]] = {
    "explore": show_explorer,
    "normalise": show_normalisation,
    "cut": show_cut,
}
CODE = (
    Snippet("explore", patchify, ("grid =", "return grid.permute", "batch, rows")),
    Snippet("normalise", normalize, ("return",)),
)
