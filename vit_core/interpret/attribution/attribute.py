"""One call for all methods: what is given is checked, and the method is looked up."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vit_core.checks import quoted
from vit_core.interpret.attribution.attention import attention
from vit_core.interpret.attribution.baselines import chance, ink
from vit_core.interpret.attribution.checked import (
    check_finite,
    check_images,
    check_options,
    checked_target,
)
from vit_core.interpret.attribution.grad_cam import grad_cam
from vit_core.interpret.attribution.gradient_attention import gradient_attention
from vit_core.interpret.attribution.integrated_gradients import integrated_gradients
from vit_core.interpret.attribution.lrp import lrp
from vit_core.interpret.attribution.occlusion import occlusion
from vit_core.interpret.attribution.private import private
from vit_core.interpret.attribution.result import Attribution, AttributionError
from vit_core.interpret.attribution.rollout import rollout
from vit_core.interpret.attribution.task import Task
from vit_core.model import ViT


@dataclass(frozen=True)
class Method:
    """A row of the table of methods.

    Attributes:
        compute: makes the attribution; takes the task, and the options by name.
        options: that it has, beside ``progress``.
        is_targeted: whether its map depends on what is explained, a class or a reference.
        is_signed: whether its values may be below 0, and then speak against the target.
    """

    compute: Callable[..., Attribution]
    options: tuple[str, ...] = ()
    is_targeted: bool = False
    is_signed: bool = False


EXPLAINS = ("reference",)

TABLE: dict[str, Method] = {
    "attention": Method(attention),
    "rollout": Method(rollout),
    "gradient_attention": Method(gradient_attention, EXPLAINS, is_targeted=True),
    "lrp": Method(lrp, EXPLAINS, is_targeted=True, is_signed=True),
    "integrated_gradients": Method(
        integrated_gradients, (*EXPLAINS, "steps", "baseline"), is_targeted=True, is_signed=True
    ),
    "occlusion": Method(occlusion, EXPLAINS, is_targeted=True, is_signed=True),
    "grad_cam": Method(grad_cam, (*EXPLAINS, "layer"), is_targeted=True),
    "ink": Method(ink),
    "random": Method(chance, ("seed",)),
}
METHODS = tuple(TABLE)
TARGETED = frozenset(name for name, method in TABLE.items() if method.is_targeted)
SIGNED = frozenset(name for name, method in TABLE.items() if method.is_signed)


def attribute(
    model: ViT,
    images: Tensor,
    targets: Tensor | None = None,
    method: str = "rollout",
    **options: Any,
) -> Attribution:
    """Say how much each patch counts for a model's answer to each picture.

    What is explained is the logit of a class, in nats, for the methods that use gradients, and its
    probability for occlusion. For a model without a head it is the cosine of its features and the
    ``reference``. Attention, rollout and the two baselines (ink, random) explain no class: their
    map is the same for all.

    The model is not changed, nor its mode, gradients or parameters, and many threads may ask about
    one model. Its pass runs in evaluation mode, through the tap; a flawed or changed model
    (``vit_core.mistakes``, ``vit_core.interpret.changed``) is explained as it runs. Work is done in
    chunks of at most 0.1 s of one core and 8 MiB, but for what one picture alone needs.

    Args:
        model: any ``ViT``, in float32 or float64.
        images: (B, channels, height, width), normalised as for the model and of its dtype.
        targets: (B,), the class to explain in each picture. None for a model without a head; may
            be None for the methods that explain no class.
        method: one of ``METHODS``.
        **options: All have ``progress``, called as progress(done, total) in passes after each
            chunk; what it raises ends the computation and reaches the caller. All that explain
            something have ``reference``, for a model without a head: features (D,) or (B, D) to
            compare with, by default those of the whole picture. ``steps`` (integrated_gradients):
            points on the way; ``baseline`` beside it: the colour where the way starts, (channels,),
            normalised, by default 0, the mean pixel. ``layer`` (grad_cam): trace key of the tokens
            that it reads. ``seed`` (random).

    Returns:
        (B, P) values, what they mean, how far they miss their sum, and what they cost.

    Raises:
        AttributionError: something that was given does not fit, in one sentence.
    """
    if not isinstance(method, str) or method not in TABLE:
        raise AttributionError(f"there is no method {quoted(method)}; use {', '.join(METHODS)}")
    how = TABLE[method]
    check_images(model, images)
    check_options(method, options, how.options, model.config.in_channels)
    chosen = dict(options)
    progress, reference = chosen.pop("progress", None), chosen.pop("reference", None)
    target = checked_target(model, len(images), targets, reference, method, how.is_targeted)
    # also for a caller who has switched gradients off
    with torch.inference_mode(False), torch.enable_grad():
        pictures = images.detach()
        if pictures.is_inference():
            pictures = pictures.clone()
        found = how.compute(Task(private(model), pictures, target, progress), **chosen)
    check_finite(found.patches)
    return found
