"""The loss of a classifier, and its gradient at the logits, written out."""

import math

import torch.nn.functional as F
from torch import Tensor


def cross_entropy(logits_BC: Tensor, targets_B: Tensor) -> Tensor:
    """Return the loss of each picture, L = -ln p(target), in nats: (B,).

    Args:
        logits_BC: unnormalised log-probabilities.
        targets_B: index of the class that each picture shows, int64.
    """
    log_p_BC = logits_BC.log_softmax(dim=-1)
    return -log_p_BC.gather(1, targets_B[:, None])[:, 0]


def loss_gradient(logits_BC: Tensor, targets_B: Tensor) -> Tensor:
    """Return the gradient of each picture's loss at its logits, dL/dy = p - t: (B, C).

    t is 1 for the target and 0 for all other classes. Each row adds up to 0.
    """
    p_BC = logits_BC.softmax(dim=-1)
    t_BC = F.one_hot(targets_B, logits_BC.shape[1]).to(p_BC.dtype)
    return p_BC - t_BC


def guessing_loss(classes: int) -> float:
    """Return the loss of a model that gives all classes the same probability, ln C, in nats.

    Raises:
        ValueError: there is no class.
    """
    if classes < 1:
        raise ValueError(f"a classifier has at least one class, not {classes}")
    return math.log(classes)
