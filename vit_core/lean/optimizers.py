"""PyTorch's optimizers without its compiler, which each of them would import.

``torch.optim`` marks some methods as not to be compiled, and for that imports ``torch._dynamo``
when the first optimizer is made: about 100 MB and a second of a process that compiles nothing.
Here are the same methods without their marks. What they compute is untouched.
"""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import optim


class LeanOptimizer(optim.Optimizer):
    """An optimizer that imports no compiler when it is made and when it clears gradients."""

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Take parameters with settings of their own."""
        inspect.unwrap(optim.Optimizer.add_param_group)(self, param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients of all parameters."""
        inspect.unwrap(optim.Optimizer.zero_grad)(self, set_to_none)


def plain_step(kind: type[optim.Optimizer]) -> Callable[..., Any]:
    """Return the method ``step`` of an optimizer, without gradients and without its marks."""
    step: Callable[..., Any] = torch.no_grad()(inspect.unwrap(kind.step))
    return step


class Adam(LeanOptimizer, optim.Adam):
    """``torch.optim.Adam``."""

    step = plain_step(optim.Adam)


class AdamW(LeanOptimizer, optim.AdamW):
    """``torch.optim.AdamW``."""

    step = plain_step(optim.AdamW)


class SGD(LeanOptimizer, optim.SGD):
    """``torch.optim.SGD``."""

    step = plain_step(optim.SGD)


class LBFGS(LeanOptimizer, optim.LBFGS):
    """``torch.optim.LBFGS``, whose step has no mark."""
