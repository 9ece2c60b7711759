"""A choice's model with the changes of its pass: heads off, no position, a step left out."""

from dataclasses import replace

import torch

from explainer.state.edits import Edits
from vit_core import ViT, ViTConfig
from vit_core.interpret.changed import ChangedViT, with_flaws
from vit_core.interpret.heads import switch_heads_off
from vit_core.mistakes import flaws_of
from vit_core.trace import Edit

STEPS = {  # mistake → the step that does not run
    "no_residual": "residual",
    "no_layer_norm": "layer_norm",
    "no_scaling": "scale_scores",
}


def changed_model(model: ViT, edits: Edits) -> ViT:
    """Return a model whose every pass has the changes; it shares all parameters with the other.

    Raises:
        ValueError: the model has no such head.
    """
    if edits.mistake:
        left_out = {STEPS[edits.mistake]: False}
        model = with_flaws(model, replace(flaws_of(model), **left_out))
    changes = changes_of(model.config, edits)
    return ChangedViT(model, changes) if changes else model


def changes_of(config: ViTConfig, edits: Edits) -> dict[str, Edit]:
    """Return the changes of single tensors, as ``trace`` takes them.

    Raises:
        ValueError: the model has no such head.
    """
    changes = dict(switch_heads_off(config, edits.heads_off))
    if edits.no_position and config.pos_embed != "none":
        changes["pos_embed"] = torch.zeros_like
    return changes
