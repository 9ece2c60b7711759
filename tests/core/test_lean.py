"""Optimizers without PyTorch's compiler compute what PyTorch's own do."""

import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from torch import nn, optim

from vit_core.lean import freed_memory, optimizers

KINDS: dict[str, dict[str, object]] = {
    "Adam": {"lr": 0.01, "fused": True},
    "AdamW": {"lr": 0.01, "weight_decay": 0.1, "fused": True},
    "SGD": {"lr": 0.01, "momentum": 0.9},
    "LBFGS": {"max_iter": 3},
}
TRAINING = """
import sys
import torch
from vit_core import TrainConfig, ViTConfig, build
from vit_core.training.optimizers import build_optimizers
for name in ("muon", "adam"):
    model = build(ViTConfig(embed_dim=8, depth=1, num_heads=1))
    optimizers = build_optimizers(model, TrainConfig(optimizer=name))
    model(torch.zeros(2, 1, 28, 28)).sum().backward()
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
print(*{"torch._dynamo", "sympy"} & set(sys.modules))
"""


def trained(make: Callable[..., optim.Optimizer], settings: dict[str, object]) -> torch.Tensor:
    """Return a matrix after three steps."""
    weight = nn.Parameter(torch.arange(12.0).reshape(3, 4) / 10)
    optimizer = make([weight], **settings)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = (weight.sin() ** 2).sum()
        value.backward()
        return value

    for _ in range(3):
        optimizer.step(loss)
    return weight.detach()


@pytest.mark.parametrize("name", KINDS)
def test_the_steps_are_those_of_pytorch(name: str) -> None:
    ours = trained(getattr(optimizers, name), KINDS[name])
    assert torch.equal(ours, trained(getattr(optim, name), KINDS[name]))


def test_training_imports_no_compiler() -> None:
    command = [sys.executable, "-c", TRAINING]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_freed_memory_can_be_returned_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    freed_memory.return_freed_memory()
    monkeypatch.setattr(freed_memory, "c_library", lambda: None)
    freed_memory.return_freed_memory()
