"""The page on self-attention: one head, from a token's row to the row it collects, in numbers."""

from collections.abc import Callable, Mapping

from explainer.observation.observe import Observation
from explainer.shell.code_panel import Snippet
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.self_attention.cells import cell_shapes, shapes_of_old_links
from explainer.views.self_attention.questions import questions
from explainer.views.self_attention.steps import show_steps
from explainer.views.self_attention.temperature import show_temperature
from explainer.views.self_attention.wording import facts
from vit_core.model import SelfAttention

__all__ = ["CODE", "PARTS", "facts", "matrix_shapes", "questions"]

PARTS: Mapping[str, Callable[[Choice, Observation, Place], None]] = {
    "steps": show_steps,
    "temperature": show_temperature,
}
CODE = (
    Snippet("steps", SelfAttention.forward, ("qkv =", "q_BHNK, k_BHNK, v_BHNK =")),
    Snippet(
        "steps",
        SelfAttention.spelled_out,
        ("scaled_BHNK =", "scores_BHNN =", "pattern_BHNN =", "return"),
    ),
)


def matrix_shapes(choice: Choice, seen: Observation, place: Place) -> Mapping[str, tuple[int, int]]:
    """Return rows and columns of every matrix whose cells can be chosen."""
    return cell_shapes(seen.config) | shapes_of_old_links(seen.config)
