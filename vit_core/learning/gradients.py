"""The backward pass of one picture: the gradient of its loss at every tensor and every weight."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from vit_core.learning.loss import cross_entropy
from vit_core.model import ViT
from vit_core.trace import Trace, trace


@dataclass(frozen=True)
class Gradients:
    """One forward and one backward pass of one picture.

    Attributes:
        loss: -ln p(target), in nats.
        target: the class whose probability the loss asks for.
        recorded: the forward pass.
        tensors: trace key → dL/dtensor, of the tensor's shape.
        weights: parameter's name → dL/dparameter; zeros where the pass does not use it.
    """

    loss: float
    target: int
    recorded: Trace
    tensors: Mapping[str, Tensor]
    weights: Mapping[str, Tensor]


def gradients_of(model: ViT, image: Tensor, target: int) -> Gradients:
    """Return the gradients of the loss of one picture.

    Nothing is stored on the model, so many threads may ask for the gradients of one model.

    Args:
        image: (1, channels, height, width), normalised as for the model.
        target: index of a class.

    Raises:
        ValueError: the model has no head or no such class, or the image does not fit.
    """
    classes = model.config.num_classes
    if not 0 <= target < classes:
        raise ValueError(f"target {target} is none of the model's {classes} classes")
    recorded = trace(model, image, gradients=True)
    # in float64, since in float32 a loss near 0 keeps only two or three digits
    loss = cross_entropy(recorded.logits.double(), torch.tensor([target]))[0]
    weights = dict(model.named_parameters())
    found = torch.autograd.grad(
        loss, [*recorded.values(), *weights.values()], allow_unused=True, materialize_grads=True
    )
    tensors = [gradient.detach() for gradient in found]
    return Gradients(
        float(loss.detach()),
        target,
        recorded,
        dict(zip(recorded, tensors, strict=False)),
        dict(zip(weights, tensors[len(recorded) :], strict=True)),
    )


def size_of(gradient: Tensor) -> float:
    """Return the root of the sum of the squares of all numbers, the Frobenius norm."""
    return float(gradient.double().square().sum().sqrt())
