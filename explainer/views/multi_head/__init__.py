"""The page on multi-head attention: all heads, what they add, and what changes without one."""

from collections.abc import Callable, Mapping

from explainer.observation.observe import Observation
from explainer.shell.code_panel import Snippet
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.multi_head.concat import show_concat, sum_shapes
from explainer.views.multi_head.effects import show_effects
from explainer.views.multi_head.formula import show_formula
from explainer.views.multi_head.looks import show_looks
from explainer.views.multi_head.off import show_off
from explainer.views.multi_head.overview import show_overview
from explainer.views.multi_head.questions import questions
from explainer.views.multi_head.spread import show_spread
from explainer.views.multi_head.wording import facts
from vit_core.interpret.heads import mean_attention_distance, switch_heads_off
from vit_core.model import SelfAttention

__all__ = ["CODE", "PARTS", "facts", "matrix_shapes", "questions"]

PARTS: Mapping[str, Callable[[Choice, Observation, Place], None]] = {
    "looks": show_looks,
    "overview": show_overview,
    "concat": show_concat,
    "off": show_off,
    "effects": show_effects,
    "spread": show_spread,
    "formula": show_formula,
}
CODE = (
    Snippet("off", switch_heads_off, ("off.setdefault", "return")),
    Snippet("spread", mean_attention_distance, ("weights =", "return")),
    Snippet("formula", SelfAttention.forward, ("qkv =", "q_BHNK", "return")),
)


def matrix_shapes(choice: Choice, seen: Observation, place: Place) -> Mapping[str, tuple[int, int]]:
    """Return rows and columns of every matrix whose cells can be chosen."""
    return sum_shapes(seen.config)
