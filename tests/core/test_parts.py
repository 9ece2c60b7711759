"""A processor computes the gradient of a large batch in parts."""

import dataclasses

import pytest
import torch
from torch import Tensor
from training_data import QUICK, TINY, small_mnist

from vit_core import PRESETS, TrainConfig, ViTConfig, build
from vit_core.data import Batch
from vit_core.training import parts
from vit_core.training.events import StepEnd
from vit_core.training.loop import Training, fit
from vit_core.training.parts import image_bytes, parts_of_step

CPU = torch.device("cpu")


def count(model: ViTConfig, train: TrainConfig, device: torch.device = CPU) -> int:
    tokens = model.num_prefix_tokens + model.num_patches
    return parts_of_step(model, train, train.batch_size, tokens, device)


def cut(patch: pytest.MonkeyPatch, images: int) -> None:
    """Let a part of a batch of the tiny model have so many images at most."""
    tokens = TINY.num_prefix_tokens + TINY.num_patches
    patch.setattr(parts, "MOST_WHOLE", 0)
    patch.setattr(parts, "MOST_IN_PART", images * image_bytes(TINY, tokens))
    patch.setattr(parts, "LEAST_TOKENS", 1)


def step(train: TrainConfig) -> tuple[float, float, list[Tensor], list[int]]:
    """Take one step; return its loss and accuracy, the gradients, and the sizes of the parts."""
    training = Training(build(TINY, 0), small_mnist(), train)
    training.model.train()
    gradients: list[Tensor] = []
    sizes: list[int] = []

    def watch(*_: object) -> None:
        gradients.extend(weight.grad.clone() for weight in training.model.parameters())

    training.optimizers[0].register_step_pre_hook(watch)
    training.model.register_forward_pre_hook(lambda _, images: sizes.append(len(images[0])))
    indices = torch.arange(training.batch_size)
    batch = Batch(training.data.train.at(indices.tolist()), indices)
    loss, accuracy = training.run_step(0, batch, torch.Generator().manual_seed(1))
    return loss, accuracy, gradients, sizes


@pytest.mark.parametrize("images", [1, 8, 12])
def test_the_parts_have_the_gradient_of_the_batch(
    images: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = dataclasses.replace(QUICK, optimizer="adamw", label_smoothing=0.1)
    loss, accuracy, whole, sizes = step(train)
    assert sizes == [32]
    cut(monkeypatch, images)
    in_parts = step(train)
    assert max(in_parts[3]) <= images
    assert sum(in_parts[3]) == 32
    assert in_parts[:2] == (pytest.approx(loss, abs=1e-5), pytest.approx(accuracy))
    for ours, expected in zip(in_parts[2], whole, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-6)


def test_a_run_in_parts_draws_the_same_and_resumes_to_the_identical_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train = dataclasses.replace(QUICK, patch_drop=0.5, flip=True, clip_norm=1.0)

    def losses() -> list[float]:
        events = fit(build(TINY, 0), small_mnist(), train)
        return [event.train_loss for event in events if isinstance(event, StepEnd)]

    whole = losses()
    cut(monkeypatch, 12)
    assert losses() == pytest.approx(whole, abs=1e-3)
    first = Training(build(TINY, 0), small_mnist(), train)
    list(first.run_epoch(1))
    saved = {name: tensor.clone() for name, tensor in first.tensors().items()}
    list(first.run_epoch(2))
    second = Training(build(TINY, 5), small_mnist(), train)
    second.load(saved, 1)
    list(second.run_epoch(2))
    expected = first.tensors()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in second.tensors().items())


@pytest.mark.parametrize("name", ["fast", "best", "default", "photographs"])
def test_a_step_of_a_preset_keeps_little_for_its_backward_pass(name: str) -> None:
    model, train = PRESETS[name].model, PRESETS[name].train
    tokens = model.num_prefix_tokens + model.num_patches
    size = train.batch_size / count(model, train)
    assert size * image_bytes(model, tokens) <= parts.MOST_WHOLE
    assert size * tokens >= parts.LEAST_TOKENS


def test_a_small_step_is_not_cut() -> None:
    assert count(PRESETS["fast"].model, PRESETS["fast"].train) == 1


def test_the_count_covers_what_autograd_keeps() -> None:
    kept: dict[int, int] = {}  # address of a tensor's memory → its bytes

    def note(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    model = build(PRESETS["default"].model)
    tokens = model.config.num_prefix_tokens + model.config.num_patches
    weights = sum(weight.nbytes for weight in model.parameters())
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        logits = model(torch.zeros(8, 1, 28, 28))
    assert logits.requires_grad
    assert sum(kept.values()) - weights == pytest.approx(
        8 * image_bytes(model.config, tokens), rel=0.15
    )


@pytest.mark.parametrize(
    ("model", "train"), [({"dropout": 0.1}, {}), ({}, {"compile": True, "epochs": 1})]
)
def test_what_has_no_gain_from_parts_stays_whole(
    model: dict[str, float], train: dict[str, int]
) -> None:
    preset = PRESETS["default"]
    shape, settings = (
        dataclasses.replace(preset.model, **model),
        dataclasses.replace(preset.train, **train),
    )
    assert count(shape, settings) == 1
    assert count(shape, dataclasses.replace(settings, grad_accumulation=4)) == 4


def test_other_devices_and_settings_with_more_parts_keep_their_number() -> None:
    preset = PRESETS["default"]
    assert count(preset.model, preset.train, torch.device("cuda")) == 1
    assert count(preset.model, dataclasses.replace(preset.train, grad_accumulation=64)) == 64
