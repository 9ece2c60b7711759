"""The page on self-attention: one head, from a token's row to the row it collects, in numbers."""

from collections.abc import Callable, Mapping

from explainer.observation.observe import Observation
from explainer.shell.code_panel import Snippet
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.self_attention.cells import cell_shapes
from explainer.views.self_attention.choose import show_choose
from explainer.views.self_attention.formula import show_formula
from explainer.views.self_attention.mix import show_mix
from explainer.views.self_attention.qkv import show_qkv
from explainer.views.self_attention.questions import questions
from explainer.views.self_attention.scores import show_scores
from explainer.views.self_attention.softmax import show_softmax
from explainer.views.self_attention.temperature import show_temperature
from explainer.views.self_attention.wording import facts
from vit_core.model import SelfAttention

__all__ = ["CODE", "PARTS", "facts", "matrix_shapes", "questions"]

PARTS: Mapping[str, Callable[[Choice, Observation, Place], None]] = {
    "choose": show_choose,
    "qkv": show_qkv,
    "scores": show_scores,
    "softmax": show_softmax,
    "mix": show_mix,
    "temperature": show_temperature,
    "formula": show_formula,
}
CODE = (
    Snippet("qkv", SelfAttention.forward, ("qkv =", "q_BHNK, k_BHNK, v_BHNK =")),
    Snippet("scores", SelfAttention.spelled_out, ("scores_BHNN =",)),
    Snippet("softmax", SelfAttention.spelled_out, ("pattern_BHNN =",)),
    Snippet("mix", SelfAttention.spelled_out, ("return",)),
)


def matrix_shapes(choice: Choice, seen: Observation, place: Place) -> Mapping[str, tuple[int, int]]:
    """Return rows and columns of every matrix whose cells can be chosen."""
    return cell_shapes(seen.config)
