"""The optimizer Muon, which multiplies the matrices of one shape together.

Its steps are those of ``torch.optim.Muon`` with ``adjust_lr_fn="original"``, and so is its state.
But PyTorch's takes one small matrix after another, in bfloat16 even where a processor has to spell
that out.
"""

import math
import os
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, overload

import torch
from torch import Tensor, nn

from vit_core.lean.optimizers import LeanOptimizer

# the Newton-Schulz iteration (K. Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/)
ITERATIONS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
LEAST_NORM = 1e-7

# values of ONEDNN_MAX_CPU_ISA that leave no instruction for products in bfloat16
WITHOUT_BFLOAT16 = {
    *("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI")
}


class Muon(LeanOptimizer):
    """Momentum, made nearly orthogonal before each step.

    The state of a parameter is its "momentum_buffer".
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        lr: float,
        weight_decay: float,
        momentum: float = 0.95,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Hold matrices that are all on one device.

        Args:
            lr: a step changes a matrix of R rows and C columns by about lr · √max(1, R/C), measured
                in its spectral norm.
            weight_decay: lr times this is the share of a matrix that each step takes away.
            momentum: the share of the momentum that a step keeps, 0 to 1.
            dtype: of the products; None: what ``product_dtype`` says.

        Raises:
            ValueError: a parameter is not a matrix.
        """
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        held = [parameter for group in self.param_groups for parameter in group["params"]]
        if any(parameter.ndim != 2 for parameter in held):
            raise ValueError("Muon trains matrices only")
        self.dtype = dtype or product_dtype(held[0].device)
        self.stacks: dict[torch.Size, Stack] = {}

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Take a step with all matrices that have a gradient.

        Args:
            closure: evaluates the model again and returns the loss, as for any optimizer.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape.setdefault(parameter.shape, []).append(parameter)
            for parameters in by_shape.values():
                self.step_together(
                    parameters, group["lr"], group["weight_decay"], group["momentum"]
                )
        return loss

    def step_together(
        self, parameters: list[Tensor], lr: float, weight_decay: float, momentum: float
    ) -> None:
        """Take a step with matrices of one shape, which all have a gradient."""
        gradients = [p.grad for p in parameters if p.grad is not None]
        buffers = [self.buffer_of(parameter) for parameter in parameters]
        torch._foreach_lerp_(buffers, gradients, 1 - momentum)
        ahead = torch._foreach_lerp(gradients, buffers, momentum)  # Nesterov's momentum
        updates = self.stack_for(parameters).orthogonal(ahead)
        rows, columns = parameters[0].shape
        torch._foreach_mul_(parameters, 1 - lr * weight_decay)
        torch._foreach_add_(parameters, updates, alpha=-lr * math.sqrt(max(1, rows / columns)))

    def buffer_of(self, parameter: Tensor) -> Tensor:
        """Return the momentum of a parameter; it begins with zeros."""
        state = self.state[parameter]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        buffer: Tensor = state["momentum_buffer"]
        return buffer

    def stack_for(self, parameters: list[Tensor]) -> "Stack":
        """Return memory for matrices of one shape; it stays from step to step."""
        shape = torch.Size((len(parameters), *parameters[0].shape))
        if shape not in self.stacks:
            self.stacks[shape] = Stack.empty(shape, self.dtype, parameters[0].device)
        return self.stacks[shape]


class Stack(NamedTuple):
    """Memory in which matrices of one shape are made orthogonal.

    Attributes:
        now, after: (count, rows, columns) the matrices before and after an iteration.
        gram, polynomial: (count, m, m) with m the smaller of rows and columns.
    """

    now: Tensor
    after: Tensor
    gram: Tensor
    polynomial: Tensor

    @classmethod
    def empty(cls, shape: torch.Size, dtype: torch.dtype, device: torch.device) -> "Stack":
        """Return memory for (count, rows, columns) numbers."""
        count, side = shape[0], min(shape[1:])
        shapes = (shape, shape, (count, side, side), (count, side, side))
        return cls(*(torch.empty(size, dtype=dtype, device=device) for size in shapes))

    def orthogonal(self, matrices: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return matrices with the same singular vectors and singular values near 1.

        They lie in the memory of this stack, until it is used again.
        """
        now, after, gram, polynomial = self
        a, b, c = COEFFICIENTS
        torch._foreach_copy_(now.unbind(), tuple(matrices))
        now /= now.flatten(1).norm(dim=1).clamp(min=LEAST_NORM)[:, None, None]
        is_tall = now.shape[1] > now.shape[2]
        for _ in range(ITERATIONS):
            # a·X + (b·G + c·G²)·X with G = X·Xᵀ, or from the other side, where G is smaller
            left, right = (now.mT, now) if is_tall else (now, now.mT)
            torch.bmm(left, right, out=gram)
            torch.baddbmm(gram, gram, gram, beta=b, alpha=c, out=polynomial)
            factors = (now, polynomial) if is_tall else (polynomial, now)
            torch.baddbmm(now, *factors, beta=a, out=after)
            now, after = after, now
        return now.unbind()


def product_dtype(device: torch.device) -> torch.dtype:
    """Return what a device multiplies fastest: bfloat16, or float32 on most processors.

    It asks for the processor's instructions and measures nothing, so the same machine always gives
    the same answer. ``ONEDNN_MAX_CPU_ISA`` can forbid those instructions.
    """
    if device.type != "cpu":
        return torch.bfloat16
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper()
    abilities = torch.cpu.get_capabilities()
    has_bfloat16 = abilities.get("avx512_bf16", False) or abilities.get("amx_bf16", False)
    is_fast = has_bfloat16 and limit not in WITHOUT_BFLOAT16
    return torch.bfloat16 if is_fast else torch.float32
