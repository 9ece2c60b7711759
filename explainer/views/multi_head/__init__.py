"""The page on multi-head attention: all heads, what they add, and what changes without one."""

from collections.abc import Callable, Mapping

from explainer.observation.observe import Observation
from explainer.shell.code_panel import Snippet
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.multi_head.film import show_film_of_blocks
from explainer.views.multi_head.heads import show_heads
from explainer.views.multi_head.joined import show_joined, sum_shapes
from explainer.views.multi_head.questions import questions
from explainer.views.multi_head.wording import facts
from vit_core.interpret.heads import mean_attention_distance, switch_heads_off
from vit_core.model import SelfAttention

__all__ = ["CODE", "PARTS", "facts", "matrix_shapes", "questions"]

PARTS: Mapping[str, Callable[[Choice, Observation, Place], None]] = {
    "heads": show_heads,
    "film": show_film_of_blocks,
    "joined": show_joined,
}
CODE = (
    Snippet("heads", switch_heads_off, ("off.setdefault", "return")),
    Snippet("heads", mean_attention_distance, ("weights =", "return")),
    Snippet("joined", SelfAttention.forward, ("qkv =", "q_BHNK", "return")),
)


def matrix_shapes(choice: Choice, seen: Observation, place: Place) -> Mapping[str, tuple[int, int]]:
    """Return rows and columns of every matrix whose cells can be chosen."""
    return sum_shapes(seen.config)
