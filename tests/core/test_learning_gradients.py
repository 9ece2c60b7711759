"""The loss, its gradients and one turned weight, held to PyTorch's autograd on unlike models."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vit_core import ViT, ViTConfig, build, trace
from vit_core.interpret.changed import ChangedViT, with_flaws
from vit_core.learning.gradients import gradients_of, size_of
from vit_core.learning.loss import cross_entropy, guessing_loss, loss_gradient
from vit_core.learning.nudge import as_matrix, nudge
from vit_core.mistakes import Flaws

SMALL = ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2, mlp_ratio=2.0)
CONFIGS = {
    "LayerScale": replace(SMALL, layer_scale=0.1),
    "no class token": replace(SMALL, pool="mean"),
    "one block, one head": replace(SMALL, depth=1, num_heads=1),
    "odd grid, registers": replace(SMALL, image_size=35, num_registers=2, pos_embed="sincos"),
    "colour": replace(SMALL, image_size=32, in_channels=3, patch_size=8),
    "no final LayerNorm": replace(SMALL, final_norm=False),
}


def shaken(config: ViTConfig) -> ViT:
    """Return a model of which no number is a telling 0 or 1."""
    model = build(config, seed=2).eval()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn(parameter.shape, generator=generator)
    return model


MODELS: dict[str, Callable[[], ViT]] = {
    **{name: lambda config=config: shaken(config) for name, config in CONFIGS.items()},
    "untrained": lambda: build(SMALL, seed=1).eval(),
    "without residual sums": lambda: with_flaws(shaken(SMALL), Flaws(residual=False)),
    "without LayerNorm": lambda: with_flaws(shaken(SMALL), Flaws(layer_norm=False)),
    "a head off": lambda: ChangedViT(
        shaken(SMALL), {"blocks.1.attn.z": lambda z: z.index_fill_(1, torch.tensor(0), 0)}
    ),
}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> ViT:
    return MODELS[request.param]()


def picture(config: ViTConfig) -> Tensor:
    generator = torch.Generator().manual_seed(5)
    return torch.randn(1, config.in_channels, *config.image_hw, generator=generator)


def test_the_loss_is_pytorchs_and_its_gradient_is_p_minus_t() -> None:
    logits = (3 * torch.randn(4, 10, generator=torch.Generator().manual_seed(0))).requires_grad_()
    targets = torch.tensor([0, 9, 3, 3])
    losses = cross_entropy(logits, targets)
    torch.testing.assert_close(losses, F.cross_entropy(logits, targets, reduction="none"))
    (found,) = torch.autograd.grad(losses.sum(), [logits])
    assert (loss_gradient(logits, targets) - found).abs().max() <= 1e-6
    assert loss_gradient(logits, targets).sum(dim=1).abs().max() <= 1e-6


def test_guessing_costs_the_logarithm_of_the_classes() -> None:
    for classes in (1, 2, 10, 1_000):
        alike = cross_entropy(torch.zeros(1, classes), torch.tensor([0]))
        assert guessing_loss(classes) == pytest.approx(float(alike), abs=1e-6)
    with pytest.raises(ValueError, match="at least one class"):
        guessing_loss(0)


def test_every_gradient_is_autograds(model: ViT) -> None:
    image, target = picture(model.config), 3
    found = gradients_of(model, image, target)
    recorded = trace(model, image, gradients=True)
    loss = F.cross_entropy(recorded.logits, torch.tensor([target]))
    loss.backward()
    assert found.loss == pytest.approx(loss.item(), abs=1e-6)
    assert list(found.tensors) == list(recorded)
    for key, tensor in recorded.items():
        wanted = torch.zeros_like(tensor) if tensor.grad is None else tensor.grad
        assert found.tensors[key].shape == tensor.shape
        torch.testing.assert_close(found.tensors[key], wanted, rtol=1e-4, atol=1e-6, msg=key)
    parameters = dict(model.named_parameters())
    assert list(found.weights) == list(parameters)
    for name, parameter in parameters.items():
        wanted = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        torch.testing.assert_close(found.weights[name], wanted, rtol=1e-4, atol=1e-6, msg=name)


def test_nothing_is_left_on_the_model(model: ViT) -> None:
    gradients_of(model, picture(model.config), 0)
    nudge(model, picture(model.config), 0, "head.weight", 0, 0, [0.1])
    assert all(parameter.grad is None for parameter in model.parameters())
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_a_class_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="none of the model's 10 classes"):
        gradients_of(build(SMALL), picture(SMALL), 10)
    with pytest.raises(ValueError, match="none of the model's 0 classes"):
        gradients_of(build(replace(SMALL, num_classes=0)), picture(SMALL), 0)


def test_a_gradients_size_is_its_frobenius_norm() -> None:
    assert size_of(torch.tensor([[3.0, 0.0], [0.0, -4.0]])) == 5


@pytest.mark.parametrize(
    ("name", "row", "column"),
    [("head.weight", 3, 5), ("blocks.0.attn.qkv.weight", 40, 2), ("patch_embed.proj.weight", 1, 9),
     ("blocks.0.mlp.fc1.bias", 4, 0), ("norm.weight", 2, 0)],
)  # fmt: skip
def test_two_passes_find_the_same_gradient(model: ViT, name: str, row: int, column: int) -> None:
    if name == "norm.weight" and not model.config.final_norm:
        name = "blocks.0.norm1.weight"
    image, target = picture(model.config), 3
    found = nudge(model, image, target, name, row, column, [-0.5, 0.0, 0.5])
    assert found.difference == pytest.approx(found.gradient, rel=1e-6, abs=1e-9)
    lesson = gradients_of(model, image, target)
    single = float(as_matrix(lesson.weights[name])[row, column])
    assert single == pytest.approx(found.gradient, rel=2e-3, abs=2e-6)
    assert found.losses[1] == found.loss == pytest.approx(lesson.loss, abs=1e-5)
    assert found.weight == as_matrix(dict(model.named_parameters())[name])[row, column].item()


def test_each_point_of_the_curve_is_a_real_pass(model: ViT) -> None:
    image, changes = picture(model.config), [-1.0, -0.25, 0.5, 2.0]
    name, row, column = "blocks.0.mlp.fc2.weight", 3, 1
    found = nudge(model, image, 7, name, row, column, changes)
    parameter = dict(model.named_parameters())[name]
    own = parameter[row, column].item()
    for change, loss in zip(changes, found.losses, strict=True):
        with torch.no_grad():
            parameter[row, column] = own + change
            wanted = F.cross_entropy(model(image), torch.tensor([7]))
        assert loss == pytest.approx(float(wanted), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "row", "column"),
    [("nothing", 0, 0), ("head.weight", 10, 0), ("head.weight", -1, 0), ("head.bias", 0, 1)],
)
def test_a_weight_that_is_none_is_refused(name: str, row: int, column: int) -> None:
    with pytest.raises(ValueError, match=r"has no parameter|rows and"):
        nudge(build(SMALL), picture(SMALL), 0, name, row, column, [])


def test_every_parameter_is_a_matrix() -> None:
    model = build(replace(SMALL, num_registers=2, layer_scale=0.1))
    for name, parameter in model.named_parameters():
        found = as_matrix(parameter)
        assert found.ndim == 2 and found.numel() == parameter.numel(), name
        np.testing.assert_array_equal(found.detach().flatten(), parameter.detach().flatten())
    assert as_matrix(model.head.bias).shape == (10, 1)
    assert as_matrix(model.cls_token).shape == (1, 16)


def test_a_certain_answer_costs_nothing_and_an_impossible_one_a_lot() -> None:
    logits = torch.tensor([[100.0, 0.0]])
    assert float(cross_entropy(logits, torch.tensor([0]))) == pytest.approx(0, abs=1e-6)
    assert float(cross_entropy(logits, torch.tensor([1]))) == pytest.approx(100)
    assert math.isfinite(float(cross_entropy(1e4 * logits, torch.tensor([1]))))
