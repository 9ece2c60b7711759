"""Our Muon: the steps of PyTorch's, its state, and the precision that suits the processor."""

import dataclasses
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from training_data import QUICK, TINY, small_mnist

from vit_core import build
from vit_core.training import muon, optimizers
from vit_core.training.events import Event, StepEnd
from vit_core.training.loop import Training
from vit_core.training.muon import Muon, product_dtype

SHAPES = [(6, 6), (6, 18), (24, 6), (6, 24), (5, 7), (1, 9), (9, 1)]
CPU = torch.device("cpu")


def torchs(parameters: list[nn.Parameter], lr: float, weight_decay: float) -> Optimizer:
    return torch.optim.Muon(parameters, lr=lr, weight_decay=weight_decay, adjust_lr_fn="original")


@pytest.fixture
def torchs_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch's Muon has no other switch: it says ``bfloat16()``."""
    monkeypatch.setattr(Tensor, "bfloat16", lambda self: self.to(torch.float32, copy=True))


def trained(make: Callable[[list[nn.Parameter]], Optimizer], steps: int) -> list[Tensor]:
    """Return parameters and momenta after some steps; some matrices lack some gradients."""
    generator = torch.Generator().manual_seed(0)
    parameters = [
        nn.Parameter(torch.randn(shape, generator=generator)) for shape in SHAPES for _ in range(3)
    ]
    optimizer = make(parameters)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 0.1 / (step + 1)
        for index, parameter in enumerate(parameters):
            scale = 10.0 ** (index % 5 - 3)
            gradient = scale * torch.randn(parameter.shape, generator=generator)
            parameter.grad = gradient if index and (index + step) % 4 else None
        optimizer.step()
    assert parameters[0] not in optimizer.state
    momenta = [optimizer.state[p]["momentum_buffer"] for p in parameters[1:]]
    return [parameter.detach() for parameter in parameters] + momenta


def assert_same_steps(dtype: torch.dtype, far: float) -> None:
    ours = trained(lambda held: Muon(held, lr=0.1, weight_decay=0.3, dtype=dtype), steps=4)
    expected = trained(lambda held: torchs(held, lr=0.1, weight_decay=0.3), steps=4)
    for found, wanted in zip(ours, expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=0, atol=far)


def test_in_bfloat16_it_steps_as_pytorchs_does() -> None:
    assert_same_steps(torch.bfloat16, far=1e-3)  # float32 is 3e-3 away


@pytest.mark.usefixtures("torchs_in_float32")
def test_in_float32_it_steps_as_pytorchs_would() -> None:
    assert_same_steps(torch.float32, far=2e-6)


def test_its_own_precision_is_one_of_the_two() -> None:
    def steps(dtype: torch.dtype | None) -> list[Tensor]:
        return trained(lambda held: Muon(held, lr=0.1, weight_decay=0.3, dtype=dtype), steps=2)

    pairs = zip(steps(None), steps(product_dtype(CPU)), strict=True)
    assert all(torch.equal(found, expected) for found, expected in pairs)


def test_a_gradient_of_zeros_lets_a_matrix_decay_only() -> None:
    held = nn.Parameter(torch.ones(3, 5))
    held.grad = torch.zeros(3, 5)
    Muon([held], lr=0.1, weight_decay=0.5).step()
    torch.testing.assert_close(held.detach(), torch.full((3, 5), 0.95))


def test_groups_have_their_own_settings() -> None:
    """Also where their matrices have one shape, and so one memory."""
    slow, fast = (nn.Parameter(torch.zeros(3, 5)) for _ in range(2))
    for held in (slow, fast):
        held.grad = torch.arange(15.0).reshape(3, 5).sin()
    groups = [{"params": [slow]}, {"params": [fast], "lr": 0.4}]
    Muon(groups, lr=0.1, weight_decay=0.0).step()
    assert slow.abs().max() > 0.01
    torch.testing.assert_close(4 * slow, fast)


def test_it_can_evaluate_the_model_itself() -> None:
    held = nn.Parameter(torch.ones(2, 3))

    def closure() -> float:
        held.grad = None
        loss = held.square().sum()
        loss.backward()
        return loss.item()

    assert Muon([held], lr=0.1, weight_decay=0.0).step(closure) == 6
    assert (held < 1).all()


def test_only_matrices_are_trained() -> None:
    with pytest.raises(ValueError, match="matrices only"):
        Muon([nn.Parameter(torch.zeros(3))], lr=0.1, weight_decay=0.0)


def test_a_run_of_pytorchs_muon_goes_on_with_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names and shapes of what is saved are the same, and so are the steps after resuming."""

    def run(epochs: int, saved: dict[str, Tensor] | None = None) -> tuple[Training, list[float]]:
        training = Training(build(TINY), small_mnist(), dataclasses.replace(QUICK, epochs=2))
        if saved:
            # the optimizers go on in the memory that they are given
            training.load({name: tensor.clone() for name, tensor in saved.items()}, epoch=1)
        events: list[Event] = []
        while training.epoch < epochs:
            events += training.run_epoch(training.epoch + 1)
        return training, [event.train_loss for event in events if isinstance(event, StepEnd)]

    with monkeypatch.context() as patch:
        patch.setattr(optimizers, "Muon", torchs)
        old, _ = run(epochs=1)
        saved = old.tensors()
        _, expected = run(epochs=2, saved=saved)
    assert "optimizer.1.blocks.0.attn.qkv.weight.momentum_buffer" in saved
    monkeypatch.setattr(muon, "product_dtype", lambda _: torch.bfloat16)
    resumed, found = run(epochs=2, saved=saved)
    assert found == pytest.approx(expected, abs=1e-3)
    ours = resumed.tensors()
    assert {name: tensor.shape for name, tensor in ours.items()} == {
        name: tensor.shape for name, tensor in saved.items()
    }


def test_two_threads_repeat_themselves() -> None:
    torch.set_num_threads(2)

    def steps() -> list[Tensor]:
        generator = torch.Generator().manual_seed(0)
        held = [nn.Parameter(torch.randn(192, 64, generator=generator)) for _ in range(4)]
        optimizer = Muon(held, lr=0.1, weight_decay=0.1)
        for _ in range(3):
            for parameter in held:
                parameter.grad = torch.randn(parameter.shape, generator=generator)
            optimizer.step()
        return held

    assert all(torch.equal(one, other) for one, other in zip(steps(), steps(), strict=True))


@pytest.mark.parametrize(
    ("abilities", "limit", "expected"),
    [
        ({"avx2": True}, None, torch.float32),
        ({"avx512_f": True}, None, torch.float32),
        ({"avx512_f": True, "avx512_bf16": True}, None, torch.bfloat16),
        ({"amx_bf16": True}, "", torch.bfloat16),
        ({"amx_bf16": True}, "all", torch.bfloat16),
        ({"avx512_bf16": True}, "AVX512_CORE_BF16", torch.bfloat16),
        ({"avx512_bf16": True, "amx_bf16": True}, "AVX512_CORE", torch.float32),
        ({"avx512_bf16": True, "amx_bf16": True}, "avx2", torch.float32),
        ({"neon": True, "bf16": True}, None, torch.float32),
        ({}, None, torch.float32),
    ],
)
def test_the_products_are_in_what_the_processor_multiplies_fast(
    monkeypatch: pytest.MonkeyPatch,
    abilities: dict[str, bool],
    limit: str | None,
    expected: torch.dtype,
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: abilities)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    if limit is not None:
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert product_dtype(CPU) == expected
    assert product_dtype(torch.device("cuda")) == torch.bfloat16
