"""The optimizers of a run and their learning-rate schedule."""

import math
from collections.abc import Iterable

from torch import Tensor, nn
from torch.optim import Optimizer

from vit_core.config import TrainConfig
from vit_core.lean.optimizers import Adam, AdamW
from vit_core.model import ViT
from vit_core.training.muon import Muon


def build_optimizers(model: ViT, config: TrainConfig) -> list[Optimizer]:
    """Return optimizers that together hold every parameter exactly once.

    With "muon" the matrices of the encoder blocks go to Muon (K. Jordan et al. 2024,
    https://kellerjordan.github.io/posts/muon/) and all other parameters to AdamW. Weight decay
    applies only to matrices, not to tokens, positions, biases and LayerNorms.
    """
    matrices: list[nn.Parameter] = []
    decaying: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if config.optimizer == "muon" and parameter.ndim == 2 and name.startswith("blocks."):
            matrices.append(parameter)
        elif parameter.ndim == 2:
            decaying.append(parameter)
        else:
            rest.append(parameter)
    groups = [
        {"params": decaying, "weight_decay": config.weight_decay},
        {"params": rest, "weight_decay": 0.0},
    ]
    kind = Adam if config.optimizer == "adam" else AdamW
    optimizers: list[Optimizer] = [
        kind(groups, lr=config.lr, betas=(0.9, config.beta2), fused=True)
    ]
    if matrices:
        optimizers.append(Muon(matrices, lr=config.muon_lr, weight_decay=config.weight_decay))
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak_lr"] = group["lr"]
    return optimizers


def lr_factor(step: int, total_steps: int, config: TrainConfig) -> float:
    """Return the learning rate of ``step`` as a share of its peak, 0 to 1.

    It rises linearly over the warm-up, then falls to zero or stays constant, as
    ``config.schedule`` says.

    Args:
        step: counted from 0.
    """
    warmup_steps = round(config.warmup * total_steps)
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    if config.schedule == "constant":
        return 1.0
    progress = (step - warmup_steps) / max(1, total_steps - warmup_steps)
    return 1 - progress if config.schedule == "linear" else (1 + math.cos(math.pi * progress)) / 2


def set_lr(optimizers: Iterable[Optimizer], factor: float) -> None:
    """Set every learning rate to ``factor`` times its peak."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = factor * group["peak_lr"]


def optimizer_tensors(model: ViT, optimizers: list[Optimizer]) -> dict[str, Tensor]:
    """Return the state of all optimizers by name: "optimizer.<i>.<parameter>.<slot>"."""
    names: dict[Tensor, str] = {parameter: name for name, parameter in model.named_parameters()}
    return {
        f"optimizer.{index}.{names[parameter]}.{slot}": value
        for index, optimizer in enumerate(optimizers)
        for parameter, slots in optimizer.state.items()
        for slot, value in slots.items()
    }


def load_optimizer_tensors(
    model: ViT, optimizers: list[Optimizer], tensors: dict[str, Tensor]
) -> None:
    """Restore the state that ``optimizer_tensors`` returned.

    Raises:
        KeyError, IndexError: a name belongs to no parameter or optimizer of this run.
    """
    parameters = dict(model.named_parameters())
    for key, value in tensors.items():
        _, index, rest = key.split(".", 2)
        name, slot = rest.rsplit(".", 1)
        parameter = parameters[name]
        optimizers[int(index)].state[parameter][slot] = value.to(parameter.device)
