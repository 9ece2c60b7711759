"""Layer-wise relevance, CP-LRP: input times gradient of a pass in which only linear steps are left.

R. Achtibat et al. 2024, "AttnLRP: Attention-Aware Layer-Wise Relevance Propagation for
Transformers", https://arxiv.org/abs/2402.05602, which names the rule that holds the pattern
constant CP-LRP (after A. Ali et al. 2022, "XAI for Transformers: Better Explanations through
Conservative Propagation", https://arxiv.org/abs/2202.07304). Three things of the pass are held
constant at what they are for this picture: each attention pattern, what each LayerNorm divides by,
and the quotient GELU(x) / x. All else is linear in the tokens that enter the first block, so that
token times gradient shares the target out. A patch's token is its pixels and its position. What the
biases of the blocks, the class token and registers add belongs to no patch: it is the error.

The pass itself stays as it is: only how it is differentiated changes. Held patterns mean that the
map does not say why the model looks where it looks.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vit_core.interpret.attribution.reading import gradients, with_graph
from vit_core.interpret.attribution.result import Attribution
from vit_core.interpret.attribution.task import Task
from vit_core.mistakes import NORMED
from vit_core.model import ViT


def lrp(task: Task) -> Attribution:
    """Return the share of the target that comes from each patch's token, Σ_d z_pd ∇z_pd: (B, P).

    z are the tokens that enter the first block, ``embed``. The error is what the shares of a
    picture's patches and its target differ by.
    """
    first = task.config.num_prefix_tokens
    parts: list[Tensor] = []
    errors: list[Tensor] = []
    for some in task.chunks(len(task.images), backward=True):
        linearised = Linearised(task.model)
        output_RC = task.model(task.images[some], linearised)
        score_R = task.target.score(output_RC, some, hold_length=True)
        z_RND = linearised.last["embed"]
        slope_RND = gradients(score_R, [z_RND])[0]
        patches_RP = (z_RND.detach() * slope_RND)[:, first:].sum(dim=2)
        parts.append(patches_RP)
        errors.append((patches_RP.sum(dim=1) - score_R.detach()).abs())
    kind = f"share of {task.target.words} that the patch's token gives, in a pass made linear"
    return Attribution("lrp", torch.cat(parts), kind, True, torch.cat(errors), passes=1)


class Linearised:
    """A tap for one pass that changes no value, and lets gradients see linear steps alone.

    What a model leaves out, or what an edit has replaced before, is left as it is.
    """

    def __init__(self, model: ViT) -> None:
        self.model = model
        self.last: dict[str, Tensor] = {}  # latest tensor by the last part of its name

    def __call__(self, name: str, tensor: Tensor) -> Tensor:
        kind = name.rpartition(".")[2]
        if kind == "embed":
            tensor = with_graph(tensor)
        elif kind == "pattern":
            tensor = tensor.detach()
        elif kind == "post":
            tensor = linear_gelu(self.last["pre"], tensor)
        elif kind in NORMED:
            norm = self.model.norm if kind == "final_norm" else self.model.get_submodule(name)
            if isinstance(norm, nn.LayerNorm):
                tensor = linear_norm(norm, self.last[NORMED[kind]], tensor)
        self.last[kind] = tensor
        return tensor


def linear_gelu(pre: Tensor, post: Tensor) -> Tensor:
    """Return ``post`` = GELU(pre), with the gradient of pre · Φ where Φ = GELU(pre) / pre is held.

    Φ is the normal distribution's function, and has a value at 0, too.
    """
    return same_value(post, pre * torch.special.ndtr(pre.detach()), F.gelu(pre.detach()))


def linear_norm(norm: nn.LayerNorm, x_BND: Tensor, normed_BND: Tensor) -> Tensor:
    """Return ``normed`` = LN(x), with the gradient of (x − mean) · γ / σ where σ is held."""
    centred_BND = x_BND - x_BND.mean(dim=-1, keepdim=True)
    variance_BN1 = centred_BND.detach().square().mean(dim=-1, keepdim=True)
    # one factor after the other, since the graph keeps each, and their product is a large tensor
    linear_BND = centred_BND * torch.rsqrt(variance_BN1 + norm.eps) * norm.weight
    return same_value(normed_BND, linear_BND, norm(x_BND.detach()))


def same_value(tensor: Tensor, linear: Tensor, usual: Tensor) -> Tensor:
    """Return ``tensor`` itself, with the gradient of ``linear`` where it has its usual value."""
    as_linear = tensor.detach() + (linear - linear.detach())
    is_usual = tensor.detach() == usual
    # the graph of what is not returned is freed
    return as_linear if is_usual.all() else torch.where(is_usual, as_linear, tensor)
