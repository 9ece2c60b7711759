"""One step of training: what each optimizer makes of a gradient, and the loss along the way.

Models are shared by all who look at them. So nothing here changes one: steps go on copies.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import Optimizer

from vit_core.config import TrainConfig
from vit_core.lean.optimizers import SGD
from vit_core.model import ViT
from vit_core.training.optimizers import build_optimizers

SGD_STEP, MOMENTUM, ADAM, MUON = "sgd", "momentum", "adam", "muon"
OPTIMIZERS = (SGD_STEP, MOMENTUM, ADAM, MUON)
KEPT = 0.9  # share of the momentum that a step keeps, as is usual beside SGD

Named = Mapping[str, Tensor]  # parameter's name → its gradient, or its change


@dataclass(frozen=True)
class Line:
    """The answer to images after one step, for steps of several sizes; all in float64.

    Attributes:
        rates: (R,) learning rates.
        losses: (R,) mean cross-entropy in nats.
        probabilities: (R, B, C).
    """

    rates: Tensor
    losses: Tensor
    probabilities: Tensor


@dataclass(frozen=True)
class Compared:
    """A change of some weights beside their gradient.

    Attributes:
        cosine: with minus the gradient, −1 to 1; None where one of both is zero.
        length: of the change, the root of the sum of its squares.
        mean: of the sizes of its numbers.
    """

    cosine: float | None
    length: float
    mean: float


def weight_gradients(model: ViT, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Return the gradient of the mean cross-entropy by every parameter.

    A parameter that the loss does not depend on gets zeros.

    Args:
        images: (B, channels, height, width), normalised.
        labels: (B,).
    """
    names, parameters = zip(*model.named_parameters(), strict=True)
    with torch.enable_grad():
        loss = F.cross_entropy(model(images), labels)
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)
    return dict(zip(names, gradients, strict=True))


def optimizers_for(name: str, model: ViT, rate: float, config: TrainConfig) -> list[Optimizer]:
    """Return an optimizer as training makes it, or plain SGD, which training never takes.

    Args:
        name: one of ``OPTIMIZERS``.
        rate: learning rate. With Muon, that of Muon; AdamW, which has the weights that Muon leaves
            over, then has the same share of its own usual rate.
        config: has all other settings, and the usual rates.

    Raises:
        ValueError: there is no such optimizer.
    """
    if name in (SGD_STEP, MOMENTUM):
        kept = KEPT if name == MOMENTUM else 0.0
        return [SGD(model.parameters(), rate, momentum=kept, weight_decay=config.weight_decay)]
    if name == ADAM:
        settings = replace(config, optimizer="adam" if config.optimizer == "adam" else "adamw")
        rates = {"lr": rate}
    elif name == MUON:
        settings = replace(config, optimizer="muon")
        rates = {"lr": rate * config.lr / config.muon_lr, "muon_lr": rate}
    else:
        raise ValueError(f"an optimizer is one of {', '.join(OPTIMIZERS)}, not {name!r}")
    optimizers = build_optimizers(model, settings)
    for optimizer in optimizers:  # beyond what a run may have, too
        is_muon = len(optimizers) > 1 and optimizer is optimizers[1]
        for group in optimizer.param_groups:
            group["lr"] = rates["muon_lr" if is_muon else "lr"]
    return optimizers


def usual_rate(name: str, config: TrainConfig) -> float | None:
    """Return the highest learning rate that a recipe gives an optimizer; None for SGD."""
    return {ADAM: config.lr, MUON: config.muon_lr}.get(name)


def left_by_muon(model: ViT) -> tuple[str, ...]:
    """Return the names of the parameters that Muon leaves to AdamW."""
    first = build_optimizers(model, TrainConfig(optimizer="muon"))[0]
    held = {id(one) for group in first.param_groups for one in group["params"]}
    return tuple(name for name, one in model.named_parameters() if id(one) in held)


def direction(
    name: str, model: ViT, gradients: Named, config: TrainConfig, steps: int = 1
) -> dict[str, Tensor]:
    """Return what an optimizer adds to each weight in its last step, for a learning rate of 1.

    Each step gets the same gradient. There is no weight decay, which adds the same to all of them.
    Then a step is linear in the learning rate and does not depend on the weights. So it is taken
    from zero, where nothing is lost by rounding.

    Args:
        name: one of ``OPTIMIZERS``.
        gradients: of all parameters.
        config: of the training, which has Adam's settings and how the rates of Muon and AdamW
            relate.
        steps: how many the optimizer takes from its start; only the last one is returned.
    """
    own = copy.deepcopy(model)
    parameters = dict(own.named_parameters())
    optimizers = optimizers_for(name, own, 1.0, replace(config, weight_decay=0.0))
    for parameter in parameters.values():
        parameter.grad = None
    with torch.no_grad():
        for _ in range(steps):
            for key, parameter in parameters.items():
                parameter.zero_()
                parameter.grad = gradients[key].clone()
            for optimizer in optimizers:
                optimizer.step()
    return {key: parameter.detach() for key, parameter in parameters.items()}


def compare(change: Named, gradients: Named, names: Sequence[str]) -> Compared:
    """Return how a change of some weights lies to their gradient.

    Args:
        names: of the parameters, which are taken together as one long row.
    """
    steps = torch.cat([change[name].double().flatten() for name in names])
    down = torch.cat([-gradients[name].double().flatten() for name in names])
    length, height = float(steps.norm()), float(down.norm())
    cosine = float(steps @ down) / (length * height) if length and height else None
    return Compared(cosine, length, float(steps.abs().mean()))


def along(
    model: ViT, images: Tensor, labels: Tensor, change: Named, rates: Sequence[float]
) -> Line:
    """Run the model with its weights moved by ``rate · change``, for each rate.

    In float32, what rounding does to a tiny loss would hide what a tiny step does to it.

    Args:
        images: (B, channels, height, width), normalised.
        labels: (B,).
        change: of every parameter, as ``direction`` returns it.
    """
    own, inputs = copy.deepcopy(model).double(), images.double()
    losses, shares = [], []
    with torch.no_grad():
        for _ in moved(own, change, rates):
            logits = own(inputs)
            losses.append(exact_loss(logits, labels))
            shares.append(logits.softmax(dim=1))
    return Line(torch.tensor(rates, dtype=torch.float64), torch.stack(losses), torch.stack(shares))


def moved(own: ViT, change: Named, rates: Sequence[float]) -> Iterator[float]:
    """Yield each rate while a model of one's own has its first weights plus ``rate · change``."""
    parameters = dict(own.named_parameters())
    start = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    for rate in rates:
        for name, parameter in parameters.items():
            parameter.copy_(start[name] + rate * change[name])
        yield rate


def exact_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy, which does not become 0 where a class is nearly certain.

    −ln p = ln(1 + Σ exp(z_j − z_true)), the sum being over all other classes.

    Args:
        logits: (B, C) float64.
        labels: (B,).
    """
    above = logits - logits.gather(1, labels[:, None])
    others = above.scatter(1, labels[:, None], -torch.inf)
    return F.softplus(others.logsumexp(dim=1), threshold=700).mean()


def walk(
    model: ViT,
    images: Tensor,
    labels: Tensor,
    make: Callable[[ViT], list[Optimizer]],
    steps: int,
) -> Iterator[ViT]:
    """Train a copy on the same images again and again; yield it before each step and at the end.

    Args:
        images: (B, channels, height, width), normalised.
        labels: (B,).
        make: returns the optimizers of the copy.
    """
    own = copy.deepcopy(model)
    optimizers = make(own)
    yield own
    for _ in range(steps):
        own.zero_grad()
        with torch.enable_grad():
            torch.autograd.backward(F.cross_entropy(own(images), labels))
        for optimizer in optimizers:
            optimizer.step()
        yield own
