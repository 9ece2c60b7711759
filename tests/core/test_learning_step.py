"""One step is that of the real optimizers, on models as unlike one another as there are."""

import copy
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vit_core import TrainConfig, ViT, ViTConfig
from vit_core.interpret.changed import ChangedViT, with_flaws
from vit_core.interpret.heads import Head, switch_heads_off
from vit_core.learning.step import (
    OPTIMIZERS,
    along,
    compare,
    direction,
    exact_loss,
    left_by_muon,
    optimizers_for,
    usual_rate,
    walk,
    weight_gradients,
)
from vit_core.mistakes import Flaws
from vit_core.training.muon import Muon

SMALL = ViTConfig(
    image_size=8, in_channels=1, num_classes=4, patch_size=4, embed_dim=8, depth=2, num_heads=2
)
SHAPES = {
    "class token": SMALL,
    "registers, LayerScale, colour": replace(
        SMALL, in_channels=3, layer_scale=0.1, num_registers=2, num_classes=3
    ),
    "mean of the patches, sine and cosine": replace(SMALL, pool="mean", pos_embed="sincos"),
    "one block, one head, no position": replace(SMALL, depth=1, num_heads=1, pos_embed="none"),
    "without LayerNorm and residuals": replace(SMALL, embed_dim=12, num_heads=3),
    "a head off, no bias, an odd grid": replace(
        SMALL, image_size=(12, 4), qkv_bias=False, final_norm=False, num_classes=2
    ),
}
RECIPE = TrainConfig(weight_decay=0.03, lr=3e-3, muon_lr=0.03)
RATE = 0.05


@pytest.fixture(params=SHAPES)
def case(
    request: pytest.FixtureRequest,
    random_model: Callable[..., ViT],
    random_images: Callable[..., Tensor],
) -> tuple[ViT, Tensor, Tensor]:
    """A model in float64, two images and their labels."""
    config = SHAPES[request.param]
    model = random_model(config)
    if "without" in request.param:
        model = with_flaws(model, Flaws(residual=False, layer_norm=False))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter *= 0.3  # no LayerNorm tames them
    if "off" in request.param:
        model = ChangedViT(model, switch_heads_off(config, [Head(0, 1)]))
    return model, random_images(config, batch=2), torch.tensor([1, 0])


def real_optimizers(name: str, model: ViT, weight_decay: float) -> list[torch.optim.Optimizer]:
    """Return PyTorch's optimizers and our Muon, as one would make them by hand."""
    by_name = dict(model.named_parameters())
    matrices = {key for key, one in by_name.items() if one.ndim == 2}
    if name in ("sgd", "momentum"):
        momentum = 0.9 if name == "momentum" else 0
        return [
            torch.optim.SGD(by_name.values(), RATE, momentum=momentum, weight_decay=weight_decay)
        ]
    inner = {key for key in matrices if key.startswith("blocks.") and name == "muon"}
    rate = RATE if name == "adam" else RATE * RECIPE.lr / RECIPE.muon_lr
    groups = [
        {"params": [by_name[key] for key in matrices - inner], "weight_decay": weight_decay},
        {"params": [one for key, one in by_name.items() if key not in matrices]},
    ]
    found: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(groups, rate, betas=(0.9, 0.98), weight_decay=0.0)
    ]
    if inner:
        found.append(Muon([by_name[key] for key in sorted(inner)], RATE, weight_decay))
    return found


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("steps", [1, 3])
def test_a_step_is_that_of_the_real_optimizer(
    case: tuple[ViT, Tensor, Tensor], name: str, steps: int
) -> None:
    model, images, labels = case
    gradients = weight_gradients(model, images, labels)
    stepped = copy.deepcopy(model)
    optimizers = real_optimizers(name, stepped, weight_decay=0.0)
    for _ in range(steps):
        before = {key: one.detach().clone() for key, one in stepped.named_parameters()}
        for key, one in stepped.named_parameters():
            one.grad = gradients[key].clone()
        for optimizer in optimizers:
            optimizer.step()
    change = direction(name, model, gradients, RECIPE, steps)
    for key, one in stepped.named_parameters():
        # Muon multiplies in float32 or bfloat16, of which the stacks may be ordered otherwise
        close = {"rtol": 1e-2, "atol": 1e-4} if name == "muon" else {"rtol": 1e-9, "atol": 1e-12}
        torch.testing.assert_close(before[key] + RATE * change[key], one.detach(), **close)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_walk_is_training_by_hand(case: tuple[ViT, Tensor, Tensor], name: str) -> None:
    model, images, labels = case
    by_hand = copy.deepcopy(model)
    optimizers = real_optimizers(name, by_hand, RECIPE.weight_decay)
    walked = walk(model, images, labels, lambda own: optimizers_for(name, own, RATE, RECIPE), 2)
    for own in walked:
        for key, one in by_hand.named_parameters():
            close = {"rtol": 1e-2, "atol": 1e-3} if name == "muon" else {"rtol": 1e-8, "atol": 1e-9}
            torch.testing.assert_close(own.get_parameter(key), one, **close)
        by_hand.zero_grad()
        F.cross_entropy(by_hand(images), labels).backward()
        for optimizer in optimizers:
            optimizer.step()


def test_gradients_are_those_of_backward_and_the_model_stays(
    case: tuple[ViT, Tensor, Tensor],
) -> None:
    model, images, labels = case
    before = {key: one.detach().clone() for key, one in model.named_parameters()}
    gradients = weight_gradients(model, images, labels)
    for name in OPTIMIZERS:
        along(model, images, labels, direction(name, model, gradients, RECIPE), [0.1, 10.0])
    assert all(one.grad is None for one in model.parameters())
    for key, one in model.named_parameters():
        torch.testing.assert_close(one.detach(), before[key], rtol=0, atol=0)
    own = copy.deepcopy(model)
    F.cross_entropy(own(images), labels).backward()
    for key, one in own.named_parameters():
        expected = torch.zeros_like(one) if one.grad is None else one.grad
        torch.testing.assert_close(gradients[key], expected)


def test_the_losses_along_a_line_are_those_of_moved_models(
    case: tuple[ViT, Tensor, Tensor],
) -> None:
    model, images, labels = case
    gradients = weight_gradients(model, images, labels)
    rates = [0.0, 1e-3, 0.1, 3.0]
    line = along(model, images, labels, direction("sgd", model, gradients, RECIPE), rates)
    for index, rate in enumerate(rates):
        own = copy.deepcopy(model)
        with torch.no_grad():
            for key, one in own.named_parameters():
                one -= rate * gradients[key]
            logits = own(images)
        torch.testing.assert_close(line.losses[index], F.cross_entropy(logits, labels))
        torch.testing.assert_close(
            line.probabilities[index], logits.softmax(dim=1), rtol=1e-6, atol=1e-6
        )
    slope = sum(float(one.square().sum()) for one in gradients.values())
    fallen = float(line.losses[0] - line.losses[1])
    assert fallen == pytest.approx(rates[1] * slope, rel=0.2), "the gradient is the slope"


def test_the_same_gradient_again_makes_momentum_longer_and_nothing_else(
    case: tuple[ViT, Tensor, Tensor],
) -> None:
    model, images, labels = case
    gradients = weight_gradients(model, images, labels)
    names = list(gradients)
    for name, factor in (("sgd", 1.0), ("momentum", (1 - 0.9**10) / 0.1), ("adam", 1.0)):
        first, tenth = (
            compare(direction(name, model, gradients, RECIPE, steps), gradients, names)
            for steps in (1, 10)
        )
        assert tenth.length == pytest.approx(factor * first.length, rel=1e-3)
        assert tenth.cosine == pytest.approx(first.cosine, rel=1e-3)


def test_what_is_compared() -> None:
    gradients = {"one": torch.tensor([3.0, 0.0]), "two": torch.tensor([[4.0]])}
    down = {name: -2 * one for name, one in gradients.items()}
    both = compare(down, gradients, ["one", "two"])
    assert both.length == pytest.approx(10) and both.cosine == pytest.approx(1)
    assert both.mean == pytest.approx((6 + 0 + 8) / 3)
    aside = compare({"one": torch.tensor([0.0, 1.0])}, gradients, ["one"])
    assert aside.cosine == 0 and aside.length == 1
    assert compare({"one": torch.zeros(2)}, gradients, ["one"]).cosine is None


def test_muon_leaves_all_but_the_matrices_of_the_blocks() -> None:
    model = ViT(SHAPES["registers, LayerScale, colour"])
    left = left_by_muon(model)
    for name, one in model.named_parameters():
        assert (name in left) is not (name.startswith("blocks.") and one.ndim == 2)


def test_the_usual_rates_are_those_of_the_recipe() -> None:
    assert [usual_rate(name, RECIPE) for name in OPTIMIZERS] == [None, None, 3e-3, 0.03]
    with pytest.raises(ValueError, match="sgd, momentum, adam, muon"):
        optimizers_for("other", ViT(SMALL), 1.0, RECIPE)


@pytest.mark.parametrize("ahead", [0.0, 5.0, 40.0, 600.0, 900.0, -900.0])
def test_a_loss_near_zero_keeps_its_digits(ahead: float) -> None:
    """With two classes −ln p = ln(1 + e^−x), which is about e^−x for a large x."""
    loss = float(exact_loss(torch.tensor([[ahead, 0.0]], dtype=torch.float64), torch.tensor([0])))
    expected = (
        math.exp(-ahead) if ahead > 30 else math.log1p(math.exp(-ahead)) if ahead > -700 else -ahead
    )
    assert loss == pytest.approx(expected, rel=1e-9)


def test_a_single_class_costs_nothing() -> None:
    assert float(exact_loss(torch.tensor([[3.0]], dtype=torch.float64), torch.tensor([0]))) == 0
