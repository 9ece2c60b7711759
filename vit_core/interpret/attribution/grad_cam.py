"""Grad-CAM: which patches carry the features that the answer asks for.

R. R. Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", https://arxiv.org/abs/1610.02391, section 3, with the tokens of the patches in place
of the cells of a feature map.

In a model that reads its class token, nothing that a patch's token holds after the last attention
can reach the answer: every gradient there is 0. So the tokens are taken before the last mixing, as
the last block's ``norm1`` gives them to its attention. With mean pooling later ones work, too.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from vit_core.checks import quoted
from vit_core.config import ViTConfig
from vit_core.interpret.attribution.reading import gradients, with_graph
from vit_core.interpret.attribution.result import Attribution, AttributionError
from vit_core.interpret.attribution.task import Task

BEFORE_MIXING = ("resid_pre", "norm1")
AFTER_MIXING = ("attn_out", "resid_mid", "norm2", "mlp_out", "resid_post")


def grad_cam(task: Task, layer: str | None = None) -> Attribution:
    """Return (Σ_d w_d a_pd)⁺ for each patch p, where w is the mean of ∇a over the patches: (B, P).

    a are the patches' tokens in ``layer`` and ∇a the target's gradient by them.

    Args:
        layer: trace key of tokens; by default the last block's ``norm1``.

    Raises:
        AttributionError: there are no such tokens, or the answer cannot depend on them.
    """
    config = task.config
    layer = usual_layer(config) if layer is None else layer
    check_layer(config, layer)
    parts: list[Tensor] = []
    for some in task.chunks(len(task.images), backward=True):
        read: list[Tensor] = []
        output_RC = task.model(task.images[some], recording(layer, read))
        slope_RND = gradients(task.target.score(output_RC, some), read)[0]
        first = config.num_prefix_tokens
        tokens_RPD, slope_RPD = read[0].detach()[:, first:], slope_RND[:, first:]
        weights_R1D = slope_RPD.mean(dim=1, keepdim=True)
        parts.append((weights_R1D * tokens_RPD).sum(dim=2).clamp_min(0))
    kind = f"how much of what raises {task.target.words} is in the patch at {layer}; at least 0"
    return Attribution("grad_cam", torch.cat(parts), kind, False, None, passes=1)


def recording(layer: str, read: list[Tensor]) -> Callable[[str, Tensor], Tensor]:
    """Return a tap that appends the tensor of this name to ``read``, with a graph from it on."""

    def tap(name: str, tensor: Tensor) -> Tensor:
        if name == layer:
            tensor = with_graph(tensor)
            read.append(tensor)
        return tensor

    return tap


def usual_layer(config: ViTConfig) -> str:
    """Return the key of the last tokens that every model's answer depends on."""
    return f"blocks.{config.depth - 1}.norm1"


def check_layer(config: ViTConfig, layer: object) -> None:
    """Refuse what is no tensor of tokens, or one that the answer cannot depend on.

    Raises:
        AttributionError: the sentence says why.
    """
    last = config.depth - 1
    within = [f"blocks.{block}" for block in range(config.depth)]
    early = ["embed", *(f"{block}.{name}" for block in within for name in BEFORE_MIXING)]
    late = [f"{within[last]}.{name}" for name in AFTER_MIXING] + ["final_norm"]
    middle = [f"{block}.{name}" for block in within[:-1] for name in AFTER_MIXING]
    if layer in late and config.pool == "cls":
        raise AttributionError(
            f"Grad-CAM at {layer} is 0 for every patch, since this model reads its class token and "
            f"mixes no tokens after blocks.{last}.attn; the last layer that works is "
            f"{usual_layer(config)}"
        )
    if layer not in (*early, *middle, *late):
        names = ", .".join((*BEFORE_MIXING, *AFTER_MIXING))
        raise AttributionError(
            f"Grad-CAM reads tokens: layer must be embed, final_norm, or blocks.0 to "
            f"blocks.{last} with .{names}, not {quoted(layer)}"
        )
