"""The page on the encoder block: the residual stream, what flows into it, LayerNorm and the MLP."""

from collections.abc import Callable, Mapping

from explainer.observation.observe import Observation
from explainer.shell.code_panel import Snippet
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.encoder_block.cells import cell_shapes
from explainer.views.encoder_block.flow import show_flow
from explainer.views.encoder_block.mlp import show_mlp
from explainer.views.encoder_block.questions import questions
from explainer.views.encoder_block.wording import facts
from vit_core.model import EncoderBlock, Mlp

__all__ = ["CODE", "PARTS", "facts", "matrix_shapes", "questions"]

PARTS: Mapping[str, Callable[[Choice, Observation, Place], None]] = {
    "flow": show_flow,
    "mlp": show_mlp,
}
CODE = (
    Snippet("flow", EncoderBlock.forward, ("x_BND = tap", "normed_BND =", "return tap")),
    Snippet("mlp", Mlp.forward, ("pre_BNM =", "post_BNM =", "return")),
)


def matrix_shapes(choice: Choice, seen: Observation, place: Place) -> Mapping[str, tuple[int, int]]:
    """Return rows and columns of every matrix whose cells can be chosen."""
    return cell_shapes(seen.config)
