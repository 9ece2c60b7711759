"""``fit``: what it yields, that it learns, repeats itself, and touches nothing else."""

import dataclasses
import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from training_data import QUICK, TINY, part, small_mnist

from vit_core import PRESETS, TrainConfig, ViT, build
from vit_core.data import ImageData, normalize
from vit_core.data.augmentation import augment
from vit_core.training.evaluation import evaluate
from vit_core.training.events import Done, EpochEnd, StepEnd, TrainingDivergedError
from vit_core.training.loop import Training, fit

OVERFIT = TrainConfig(
    epochs=100, batch_size=32, augment="none", optimizer="adamw", lr=1e-2, warmup=0.0
)


def losses(model: ViT, config: TrainConfig, data: ImageData | None = None) -> list[float]:
    events = fit(model, data or small_mnist(), config)
    return [event.train_loss for event in events if isinstance(event, StepEnd)]


def test_the_events_of_a_run_in_order() -> None:
    model, data = build(TINY), small_mnist()
    events, evaluations = [], []
    for event in fit(model, data, QUICK):
        events.append(event)
        if not isinstance(event, StepEnd):
            split = data.test if isinstance(event, Done) else data.val
            evaluations.append(evaluate(model, split, data.info))
    kinds = [type(event) for event in events]
    assert kinds == [*[StepEnd] * 5, EpochEnd, *[StepEnd] * 5, EpochEnd, Done]
    assert [event.step for event in events] == [1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10, 10, 10]
    assert [event.epoch for event in events] == [1] * 6 + [2] * 7
    epoch = events[5]
    assert epoch.train_loss == pytest.approx(sum(e.train_loss for e in events[:5]) / 5)
    assert epoch.train_accuracy == pytest.approx(sum(e.train_accuracy for e in events[:5]) / 5)
    found = [events[5].validation, events[11].validation, events[12].test]
    assert [(e.loss, e.accuracy) for e in found] == [(e.loss, e.accuracy) for e in evaluations]
    assert (epoch.val_loss, epoch.val_accuracy) == (found[0].loss, found[0].accuracy)
    assert events[-1].test_accuracy == found[2].accuracy


def test_the_same_seed_gives_the_identical_losses() -> None:
    assert losses(build(TINY), QUICK) == losses(build(TINY), QUICK)
    other = dataclasses.replace(QUICK, seed=1)
    assert losses(build(TINY), QUICK) != losses(build(TINY), other)


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_the_callers_random_state_is_neither_used_nor_changed(dropout: float) -> None:
    config = dataclasses.replace(TINY, dropout=dropout)
    torch.manual_seed(1)
    first = losses(build(config), QUICK)
    torch.manual_seed(2)
    before = torch.get_rng_state()
    assert losses(build(config), QUICK) == first
    assert torch.equal(torch.get_rng_state(), before)


def test_one_batch_can_be_overfitted() -> None:
    data = small_mnist(train=32)
    config = dataclasses.replace(OVERFIT, schedule="constant")
    assert losses(build(TINY), config, data)[-1] < 0.02


def test_a_first_epoch_on_real_digits_learns() -> None:
    config = TrainConfig(epochs=1, batch_size=32, augment="none", lr=1e-2, muon_lr=0.05)
    events = list(fit(build(TINY), small_mnist(6400, 500), config))
    assert events[-1].test_accuracy > 0.4  # chance is 0.1


def test_the_first_loss_is_that_of_the_untrained_model() -> None:
    data = small_mnist(train=32)
    config = dataclasses.replace(QUICK, augment="none", epochs=1)
    model = build(TINY)
    with torch.no_grad():
        logits = model(normalize(data.train.images, data.info))
    expected = F.cross_entropy(logits, data.train.labels).item()
    assert losses(model, config, data) == pytest.approx([expected], rel=1e-5)


def test_the_training_accuracy_is_that_of_the_images_as_augmented() -> None:
    data, config = small_mnist(train=32), dataclasses.replace(QUICK, epochs=1, clean_fraction=0.0)
    model = build(TINY)
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + 1)
    order = torch.randperm(32, generator=generator)
    images = augment(data.train.images[order], config.augment, config.augment_strength, generator)
    with torch.no_grad():
        right = model(normalize(images, data.info)).argmax(dim=1) == data.train.labels[order]
    (step, *_) = fit(model, data, config)
    assert isinstance(step, StepEnd)
    assert step.train_accuracy == pytest.approx(right.float().mean().item())


def test_softmax_before_the_loss_cannot_fall_below_its_floor() -> None:
    data = small_mnist(train=32)
    config = dataclasses.replace(OVERFIT, softmax_before_loss=True)
    last = losses(build(TINY), config, data)[-1]
    assert last < 1.8  # it does learn
    assert last >= math.log(math.e + 9) - 1  # ten classes, all of the probability on the right one
    assert PRESETS["seed-faithful"].train.softmax_before_loss


def test_a_run_resumed_after_any_epoch_ends_identically() -> None:
    config = dataclasses.replace(QUICK, epochs=3)
    whole = Training(build(TINY), small_mnist(), config)
    events = list(whole.events())
    first = Training(build(TINY), small_mnist(), config)
    for event in first.events():
        if isinstance(event, EpochEnd):
            break
    second = Training(build(TINY, seed=99), small_mnist(), config)
    second.load({key: value.clone() for key, value in first.tensors().items()}, epoch=1)
    rest = list(second.events())
    # the first epoch is 5 steps and its end
    assert [e.train_loss for e in rest[:-1]] == [e.train_loss for e in events[6:-1]]
    assert rest[-1].test_accuracy == events[-1].test_accuracy
    for key, value in whole.tensors().items():
        assert torch.equal(value, second.tensors()[key]), key


def test_a_diverging_run_says_so() -> None:
    model = build(TINY)
    with torch.no_grad():
        model.head.weight[0, 0] = math.nan
    with pytest.raises(TrainingDivergedError, match=r"nan in step 1; a smaller lr"):
        losses(model, QUICK)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_size": 14}, r"\(1, 28, 28\).*do not fit"),
        ({"num_classes": 5}, "10 classes do not fit a model for 5"),
    ],
)
def test_data_that_does_not_fit_the_model_is_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit(build(dataclasses.replace(TINY, **change)), small_mnist(), QUICK)


def test_a_batch_larger_than_the_data_is_all_of_it() -> None:
    data = small_mnist(train=20)
    assert len(losses(build(TINY), dataclasses.replace(QUICK, batch_size=4096), data)) == 2


def test_a_handful_of_images_is_used_several_times_in_an_epoch() -> None:
    data = small_mnist(train=20)
    config = dataclasses.replace(QUICK, epochs=2, repeats=8, batch_size=32)
    training = Training(build(TINY), data, config)
    seen: list[int] = []
    prepare = training.prepare
    training.prepare = lambda step, batch, rest: (  # type: ignore[method-assign]
        seen.extend(batch.indices.tolist()) or prepare(step, batch, rest)
    )
    steps = [event for event in training.events() if isinstance(event, StepEnd)]
    assert len(steps) == 10 == training.total_steps
    for epoch in (seen[:160], seen[160:]):
        assert all(epoch.count(image) == 8 for image in range(20))
        assert sorted(epoch[:20]) == list(range(20))  # all, before the first comes again


def test_evaluation_by_hand(random_model: Callable[..., ViT]) -> None:
    model, data = random_model(TINY).float(), small_mnist()
    split = part(data.test, 37)
    model.train()
    result = evaluate(model, split, data.info, batch_size=10)
    assert model.training
    logits = model.eval()(normalize(split.images, data.info))
    assert result.loss == pytest.approx(F.cross_entropy(logits, split.labels).item(), rel=1e-5)
    right = logits.argmax(1) == split.labels
    assert result.accuracy == pytest.approx(right.float().mean().item())
    assert result.confusion.sum() == 37
    for label in range(10):
        of_class = split.labels == label
        assert result.confusion[label].sum() == of_class.sum()
        assert result.confusion[label, label] == (right & of_class).sum()
