"""What training can do besides: parts of a batch, clipping, a running mean, mixing, compiling."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from training_data import QUICK, TINY, small_mnist

from vit_core import TrainConfig, build, load_checkpoint
from vit_core.data.augmentation import augment, flip
from vit_core.data.mixing import mix
from vit_core.data.share import Share
from vit_core.runs.directory import RunConfig, RunDirectory
from vit_core.runs.recorder import Cadence, Recorder
from vit_core.training.dropout import whole_dropout
from vit_core.training.evaluation import evaluate
from vit_core.training.events import EpochEnd, StepEnd
from vit_core.training.loop import Training, fit
from vit_core.training.network import Network

ADAM = dataclasses.replace(QUICK, optimizer="adamw")
MIXED = {"mixup": 0.4, "cutmix": 1.0}


def losses(config: TrainConfig, dropout: float = 0.0) -> list[float]:
    events = fit(build(dataclasses.replace(TINY, dropout=dropout)), small_mnist(), config)
    return [event.train_loss for event in events if isinstance(event, StepEnd)]


# parts of a batch


@pytest.mark.parametrize("parts", [2, 8])
@pytest.mark.parametrize("extra", [{}, {"patch_drop": 0.5, "flip": True} | MIXED])
def test_a_batch_in_parts_is_the_batch(parts: int, extra: dict[str, Any]) -> None:
    whole = dataclasses.replace(ADAM, **extra)
    cut = dataclasses.replace(whole, grad_accumulation=parts)
    assert losses(cut, 0.1) == pytest.approx(losses(whole, 0.1), abs=1e-5)


def test_a_batch_that_cannot_be_cut_evenly_is_refused() -> None:
    config = dataclasses.replace(QUICK, grad_accumulation=5)
    with pytest.raises(ValueError, match=r"32 cannot be divided evenly.*: 30 and 35"):
        Training(build(TINY), small_mnist(), config)
    small = dataclasses.replace(QUICK, grad_accumulation=4)
    assert Training(build(TINY), small_mnist(train=22), small).batch_size == 20
    with pytest.raises(ValueError, match="3 training images cannot be divided"):
        Training(build(TINY), small_mnist(train=3), small)


@pytest.mark.parametrize("kind", ["none", "shift", "affine", "elastic", "crop"])
@pytest.mark.parametrize("share", [Share(12, 0, 6), Share(12, 8, 12), Share(12, -1, 4)])
def test_a_share_of_a_batch_is_augmented_as_in_the_whole(kind: str, share: Share) -> None:
    images = small_mnist().train.images[:12]
    own = share.select(images)
    assert len(own) == len(share)
    assert torch.equal(own, images[torch.arange(share.start, share.stop) % 12])
    made = [torch.Generator().manual_seed(3) for _ in range(2)]
    whole = flip(augment(images, kind, 1.0, made[0]), made[0])
    part = flip(augment(own, kind, 1.0, made[1], share), made[1], share)
    torch.testing.assert_close(part.float(), share.select(whole).float(), rtol=0, atol=1e-3)


def test_a_share_of_a_batch_has_its_part_of_the_dropout() -> None:
    values = torch.randn(8, 3, 5, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(1)
    whole = F.dropout(F.dropout(values, 0.4), 0.2)
    for share in (Share(8, 0, 8), Share(8, 2, 4)):
        torch.manual_seed(1)
        with whole_dropout(share):
            part = F.dropout(F.dropout(share.select(values), 0.4), 0.2)
        torch.testing.assert_close(part, share.select(whole))


# clipping


def test_the_norm_of_the_gradients_is_clipped(monkeypatch: pytest.MonkeyPatch) -> None:
    def norms(clip_norm: float | None) -> list[float]:
        config = dataclasses.replace(ADAM, epochs=1, clip_norm=clip_norm)
        training = Training(build(TINY), small_mnist(), config)
        found: list[float] = []

        def watch(*_: Any) -> None:
            grads = [p.grad.flatten() for p in training.model.parameters()]
            found.append(torch.cat(grads).norm().item())

        training.optimizers[0].register_step_pre_hook(watch)
        list(training.events())
        return found

    free, clipped = norms(None), norms(0.1)
    assert min(free) > 0.2
    assert clipped == [pytest.approx(0.1, rel=1e-3)] * 5


# the running mean


def test_the_running_mean_by_hand() -> None:
    config = dataclasses.replace(ADAM, epochs=1, ema=0.5)
    training = Training(build(TINY), small_mnist(), config)
    expected = build(TINY).head.weight.detach().clone()
    for step, event in enumerate(training.events()):
        if isinstance(event, StepEnd):
            decay = min(0.5, (1 + step) / (10 + step))
            expected = decay * expected + (1 - decay) * training.model.head.weight.detach()
            torch.testing.assert_close(training.eval_model.head.weight, expected)
        if isinstance(event, EpochEnd):
            data = small_mnist()
            assert event.val_loss == evaluate(training.eval_model, data.val, data.info).loss
            assert event.val_loss != evaluate(training.model, data.val, data.info).loss


def test_a_run_without_a_running_mean_shows_the_model_itself() -> None:
    training = Training(build(TINY), small_mnist(), QUICK)
    assert training.eval_model is training.model


def test_the_running_mean_is_what_is_saved_and_it_resumes(tmp_path: Path) -> None:
    train = dataclasses.replace(ADAM, epochs=3, ema=0.9)
    config = RunConfig(None, TINY, train, 1, small_mnist().info.fingerprint, "")

    def record(name: str) -> Recorder:
        if not (tmp_path / name).exists():
            RunDirectory.create(tmp_path / name, config).close()
        return Recorder(RunDirectory.open(tmp_path / name), small_mnist(), Cadence())

    whole, first = record("whole"), record("stopped")
    list(whole.events())
    for event in first.events():
        if isinstance(event, EpochEnd):
            break
    first.run.close()
    second = record("stopped")
    list(second.events())
    shown = whole.training.eval_model.state_dict()
    for name in ("whole", "stopped"):
        saved = load_checkpoint(tmp_path / name / "final.safetensors").model.state_dict()
        assert all(torch.equal(saved[key], shown[key]) for key in shown)
    for recorder in (whole, second):
        recorder.run.close()


# mixing


def test_mixup_by_hand() -> None:
    images = torch.rand(6, 1, 4, 4)
    mixed, targets = mix(images, torch.arange(6), 0.7, 0.0, 10, seed=5)
    share = targets[3, 3].item()
    assert 0 < share < 1
    torch.testing.assert_close(targets[3, 2].item(), 1 - share)
    torch.testing.assert_close(mixed[3], share * images[3] + (1 - share) * images[2])
    torch.testing.assert_close(mixed[0], share * images[0] + (1 - share) * images[5])


def test_cutmix_by_hand() -> None:
    images = torch.arange(6.0).view(6, 1, 1, 1).expand(6, 1, 8, 8).contiguous()
    mixed, targets = mix(images, torch.arange(6), 0.0, 1.0, 10, seed=5)
    assert set(mixed[3].unique().tolist()) == {2.0, 3.0}
    assert (mixed[3] == 3).float().mean().item() == pytest.approx(targets[3, 3].item())


@pytest.mark.parametrize("seed", range(4))
def test_mixing_a_share_with_the_image_before_it_is_mixing_the_whole(seed: int) -> None:
    images, labels = torch.rand(8, 3, 6, 6), torch.arange(8)
    whole = mix(images, labels, 0.4, 1.0, 10, seed)
    for share in (Share(8, -1, 4), Share(8, 3, 8)):
        part = mix(share.select(images), share.select(labels), 0.4, 1.0, 10, seed)
        for one, all_ in zip(part, whole, strict=True):
            torch.testing.assert_close(one[1:], all_[share.start + 1 : share.stop])


def test_the_clean_part_is_neither_mixed_nor_changed() -> None:
    plain = dataclasses.replace(QUICK, augment="none", clean_fraction=1.0)
    assert losses(dataclasses.replace(plain, randaugment=9, **MIXED)) == losses(plain)
    assert losses(dataclasses.replace(plain, clean_fraction=0.0, randaugment=9)) != losses(plain)


def test_randaugment_repeats_itself_and_leaves_the_random_state() -> None:
    config = dataclasses.replace(QUICK, randaugment=9, **MIXED)
    before = torch.get_rng_state()
    assert losses(config) == losses(config)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", ["randaugment", "mixup", "cutmix"])
def test_without_torchvision_a_sentence_says_so(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def missing() -> None:
        raise ImportError

    monkeypatch.setattr("vit_core.training.fitting.import_transforms", missing)
    with pytest.raises(ValueError, match="need torchvision: pip install torchvision"):
        Training(build(TINY), small_mnist(), dataclasses.replace(QUICK, **{name: 1}))
    assert Training(build(TINY), small_mnist(), QUICK).epoch == 0


# compiling


def test_a_compiled_run_is_the_run_and_keeps_the_names(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[object] = []

    def quickly(self: Network) -> None:
        compiled.append(self)
        torch.nn.Module.compile(self, backend="eager")

    monkeypatch.setattr(Network, "compile", quickly)
    config = dataclasses.replace(ADAM, epochs=1)
    training = Training(build(TINY), small_mnist(), dataclasses.replace(config, compile=True))
    found = [event.train_loss for event in training.events() if isinstance(event, StepEnd)]
    assert compiled == [training.network]
    assert found == pytest.approx(losses(config), abs=1e-5)
    plain = Training(build(TINY), small_mnist(), config)
    list(plain.events())
    assert set(training.tensors()) == set(plain.tensors())
    torch.compiler.reset()


def test_compiling_and_dropout_exclude_each_other() -> None:
    model = build(dataclasses.replace(TINY, dropout=0.1))
    with pytest.raises(ValueError, match="compile and dropout cannot be combined"):
        Training(model, small_mnist(), dataclasses.replace(QUICK, compile=True))
