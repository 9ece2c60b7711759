"""One weight of a model, changed by a little: what it does to the loss of one picture."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vit_core.learning.loss import cross_entropy
from vit_core.model import ViT

STEP = 1e-5  # of the central difference, times the size of the weight where that is above 1


@dataclass(frozen=True)
class Nudged:
    """What a change of one weight does to the loss of one picture, all in float64.

    Attributes:
        weight: the weight as it is.
        gradient: dL/dw as autograd finds it.
        difference: dL/dw as a central difference, (L(w + h) - L(w - h)) / 2h.
        step: that h.
        loss: L(w), in nats.
        losses: L(w + change) for each change that was asked for.
    """

    weight: float
    gradient: float
    difference: float
    step: float
    loss: float
    losses: tuple[float, ...]


def as_matrix(parameter: Tensor) -> Tensor:
    """Return a view of a parameter as a matrix; a list of numbers becomes one column."""
    if parameter.ndim < 2:
        return parameter.reshape(-1, 1)
    return parameter.reshape(-1, parameter.shape[-1])


def nudge(
    model: ViT,
    image: Tensor,
    target: int,
    name: str,
    row: int,
    column: int,
    changes: Sequence[float],
) -> Nudged:
    """Change one weight of a copy of the model, and run the whole forward pass for each change.

    Args:
        image: (1, channels, height, width), normalised as for the model.
        target: index of a class.
        name: of the parameter.
        row, column: of the weight in ``as_matrix`` of the parameter.
        changes: what is added to the weight.

    Raises:
        ValueError: the model has no such weight.
    """
    parameters = dict(model.named_parameters())
    if name not in parameters:
        raise ValueError(f"the model has no parameter {name!r}")
    rows, columns = as_matrix(parameters[name]).shape
    if not (0 <= row < rows and 0 <= column < columns):
        raise ValueError(f"{name} has {rows} rows and {columns} columns; no {row}.{column}")
    copied = double_copy(model)
    inputs, targets = image.double(), torch.tensor([target])
    parameter = dict(copied.named_parameters())[name]
    loss = cross_entropy(copied(inputs), targets)[0]
    (gradients,) = torch.autograd.grad(loss, [parameter], materialize_grads=True, allow_unused=True)
    gradient = float(as_matrix(gradients)[row, column])
    cell = as_matrix(parameter.detach())  # a view: what is written here is the weight of the copy
    weight = float(cell[row, column])

    @torch.no_grad()
    def loss_at(value: float) -> float:
        cell[row, column] = value
        return float(cross_entropy(copied(inputs), targets)[0])

    step = STEP * max(1.0, abs(weight))
    above, below = loss_at(weight + step), loss_at(weight - step)
    return Nudged(
        weight,
        gradient,
        (above - below) / (2 * step),
        step,
        loss_at(weight),
        tuple(loss_at(weight + change) for change in changes),
    )


def double_copy(model: ViT) -> ViT:
    """Return a copy of a model in float64, whose weights are its own."""
    return copy.deepcopy(model).double()
