"""Classic mistakes: each flawed model computes what is written out here, and shows what ran."""

import dataclasses
import itertools
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from training_data import QUICK, TINY, small_mnist

from vit_core import (
    PRESETS,
    Checkpoint,
    TrainConfig,
    ViT,
    ViTConfig,
    build,
    load_checkpoint,
    save_checkpoint,
    trace,
)
from vit_core.interpret.heads import head_effects, switch_heads_off
from vit_core.interpret.lens import logit_attribution, logit_lens
from vit_core.mistakes import (
    MISTAKES,
    FlawedViT,
    Flaws,
    build_with,
    flaws_of,
    has_high_lr,
    mistakes_of,
)
from vit_core.reference import attention_difference, block_difference
from vit_core.training.events import EpochEnd, StepEnd
from vit_core.training.loop import Training, fit

FLAWED = [
    Flaws(*switches) for switches in itertools.product((True, False), repeat=3) if not all(switches)
]
ONE = [Flaws(residual=False), Flaws(layer_norm=False), Flaws(scale_scores=False)]
BLOCK_KEYS = (
    *("resid_pre", "norm1", "attn.q", "attn.k", "attn.scores", "attn.pattern", "attn_out"),
    *("resid_mid", "norm2", "mlp_out", "resid_post"),
)
every = pytest.mark.parametrize("flaws", FLAWED, ids=str)
one = pytest.mark.parametrize("flaws", ONE, ids=str)
both = pytest.mark.parametrize("name", ["cls_config", "mean_config"])


def settings(flaws: Flaws, config: TrainConfig = QUICK) -> TrainConfig:
    return dataclasses.replace(config, **dataclasses.asdict(flaws))


def flawed(random_model: Callable[..., ViT], config: ViTConfig, flaws: Flaws) -> ViT:
    """Return a flawed model in float64 with the weights of a random sound one."""
    model = build_with(config, settings(flaws)).double().eval()
    model.load_state_dict(random_model(config).state_dict())
    return model


def written_out(sound: ViT, images: Tensor, flaws: Flaws) -> Tensor:
    """Compute the logits from a sound model's parameters, without its forward pass."""
    config, weights = sound.config, dict(sound.named_parameters())

    def linear(name: str, x: Tensor) -> Tensor:
        product = x @ weights[f"{name}.weight"].T
        return product + weights[f"{name}.bias"] if f"{name}.bias" in weights else product

    def norm(name: str, x: Tensor) -> Tensor:
        if not flaws.layer_norm:
            return x
        centred = x - x.mean(dim=-1, keepdim=True)
        spread = (centred.square().mean(dim=-1, keepdim=True) + config.norm_eps).sqrt()
        return centred / spread * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def add(x: Tensor, part: Tensor) -> Tensor:
        return x + part if flaws.residual else part

    def scale(name: str, x: Tensor) -> Tensor:
        return x * weights[f"{name}.gamma"] if f"{name}.gamma" in weights else x

    def attend(name: str, x: Tensor) -> Tensor:
        q, k, v = linear(f"{name}.qkv", x).chunk(3, dim=-1)
        mixed = []
        for head in range(config.num_heads):
            part = slice(head * config.head_dim, (head + 1) * config.head_dim)
            scores = torch.einsum("bnk,bmk->bnm", q[..., part], k[..., part])
            if flaws.scale_scores:
                scores = scores / math.sqrt(config.head_dim)
            mixed.append(scores.softmax(dim=-1) @ v[..., part])
        return linear(f"{name}.proj", torch.cat(mixed, dim=-1))

    height, width = config.patch_hw
    patches = F.unfold(images, (height, width), stride=(height, width)).transpose(1, 2)
    x = linear("patch_embed.proj", patches)
    if config.pool == "cls":
        x = torch.cat((weights["cls_token"].expand(len(x), -1, -1), x), dim=1)
    x = x + sound.pos_embed
    if config.num_registers:
        x = torch.cat((weights["reg_token"].expand(len(x), -1, -1), x), dim=1)
    for block in (f"blocks.{index}" for index in range(config.depth)):
        attended = attend(f"{block}.attn", norm(f"{block}.norm1", x))
        x = add(x, scale(f"{block}.ls1", attended))
        hidden = F.gelu(linear(f"{block}.mlp.fc1", norm(f"{block}.norm2", x)))
        x = add(x, scale(f"{block}.ls2", linear(f"{block}.mlp.fc2", hidden)))
    x = norm("norm", x)
    pooled = x[:, 0] if config.pool == "cls" else x[:, config.num_prefix_tokens :].mean(dim=1)
    return linear("head", pooled)


# what a flawed model computes


@both
@pytest.mark.parametrize("flaws", [Flaws(), *FLAWED], ids=str)
def test_the_forward_pass_is_the_one_written_out(
    name: str, flaws: Flaws, request: pytest.FixtureRequest, random_model, random_images
) -> None:
    config = request.getfixturevalue(name)
    images = random_images(config)
    expected = written_out(random_model(config), images, flaws)
    logits = flawed(random_model, config, flaws)(images)
    torch.testing.assert_close(logits, expected, rtol=1e-9, atol=1e-9)
    if flaws:
        assert (logits - random_model(config)(images)).abs().max() > 1e-3


@both
@every
def test_the_trace_is_what_ran(
    name: str, flaws: Flaws, request: pytest.FixtureRequest, random_model, random_images
) -> None:
    config = request.getfixturevalue(name)
    model, images = flawed(random_model, config, flaws), random_images(config)
    seen = trace(model, images)
    assert list(seen) == list(trace(random_model(config), images))
    assert torch.equal(seen.logits, model(images))
    for index in range(config.depth):
        t = {key: seen[f"blocks.{index}.{key}"] for key in BLOCK_KEYS}
        products = t["attn.q"] @ t["attn.k"].transpose(2, 3)
        scale = math.sqrt(config.head_dim) if flaws.scale_scores else 1
        torch.testing.assert_close(t["attn.scores"], products / scale)
        torch.testing.assert_close(t["attn.pattern"], t["attn.scores"].softmax(dim=-1))
        for after, stream, part in (
            ("resid_mid", "resid_pre", "attn_out"),
            ("resid_post", "resid_mid", "mlp_out"),
        ):
            assert torch.equal(t[after], t[stream] + t[part] if flaws.residual else t[part])
        for after, stream in (("norm1", "resid_pre"), ("norm2", "resid_mid")):
            assert torch.equal(t[after], t[stream]) is not flaws.layer_norm
    last = seen[f"blocks.{config.depth - 1}.resid_post"]
    assert torch.equal(seen["final_norm"], last) is not flaws.layer_norm


@every
def test_an_edit_reaches_what_is_computed_from_it(
    flaws: Flaws, cls_config, random_model, random_images
) -> None:
    """An edit of a name that the flaw replaces counts, and no other part sees the value before."""
    model, images = flawed(random_model, cls_config, flaws), random_images(cls_config)
    plain = trace(model, images)
    for key in ("blocks.1.norm2", "blocks.1.resid_mid", "blocks.2.attn.scores", "final_norm"):
        seen = trace(model, images, edits={key: lambda tensor: tensor * -1.5 + 0.25})
        torch.testing.assert_close(seen[key], plain[key] * -1.5 + 0.25)
        assert not torch.equal(seen.logits, plain.logits)
    zeroed = trace(model, images, edits={"blocks.1.resid_pre": torch.zeros_like})
    if not flaws.layer_norm:
        assert not zeroed["blocks.1.norm1"].any()
    if not flaws.residual:
        assert torch.equal(zeroed["blocks.1.resid_mid"], zeroed["blocks.1.attn_out"])


@every
def test_gradients_reach_every_parameter_that_runs_and_no_other(
    flaws: Flaws, random_model, random_images
) -> None:
    model = flawed(random_model, TINY, flaws)
    seen = trace(model, random_images(TINY), gradients=True)
    seen.logits[:, 0].sum().backward()
    without = {name for name, p in model.named_parameters() if p.grad is None}
    norms = {name for name, _ in model.named_parameters() if "norm" in name}
    assert without == (set() if flaws.layer_norm else norms)
    assert all(tensor.grad is not None for key, tensor in seen.items() if key != "patches")


def test_four_threads_share_one_flawed_model(cls_config, random_model, random_images) -> None:
    model = flawed(random_model, cls_config, Flaws(False, False, False))
    before = set(vars(model))
    images = [random_images(cls_config, batch=1, seed=seed) for seed in range(24)]
    expected = [trace(model, image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        for found, alone in zip(
            pool.map(partial(trace, model), images * 4), expected * 4, strict=True
        ):
            for key in alone:
                assert torch.equal(found[key], alone[key]), key
    assert set(vars(model)) == before


# what is derived from it


@both
@every
def test_the_lens_ends_in_the_models_own_logits(
    name: str, flaws: Flaws, request: pytest.FixtureRequest, random_model, random_images
) -> None:
    config = request.getfixturevalue(name)
    model = flawed(random_model, config, flaws)
    seen = trace(model, random_images(config))
    torch.testing.assert_close(logit_lens(model, seen)[:, -1], seen.logits)


@both
@every
def test_what_is_written_adds_up_to_the_logits(
    name: str, flaws: Flaws, request: pytest.FixtureRequest, random_model, random_images
) -> None:
    config = request.getfixturevalue(name)
    model = flawed(random_model, config, flaws)
    seen = trace(model, random_images(config))
    split = logit_attribution(model, seen)
    torch.testing.assert_close(split.logits.sum(dim=1) + split.constant, seen.logits)
    # without residual connections nothing is left of all but the last writer
    assert bool(split.logits[:, :-1].any()) is flaws.residual


@both
@every
def test_switching_heads_off_leaves_the_flaw_in(
    name: str, flaws: Flaws, request: pytest.FixtureRequest, random_model, random_images
) -> None:
    config = request.getfixturevalue(name)
    model, images = flawed(random_model, config, flaws), random_images(config)
    found = head_effects(model, images)
    assert found.shape == (config.depth, config.num_heads, len(images), config.num_classes)
    for block, head in ((0, 0), (config.depth - 1, config.num_heads - 1)):
        edits = switch_heads_off(config, [(block, head)])
        expected = trace(model, images, edits).logits
        torch.testing.assert_close(found[block, head], expected)


@every
def test_pytorchs_modules_differ_by_what_is_left_out(
    flaws: Flaws, cls_config, random_model, random_images
) -> None:
    model, images = flawed(random_model, cls_config, flaws), random_images(cls_config)
    t = trace(model, images)
    attention = attention_difference(model, 0, t["blocks.0.norm1"], t["blocks.0.attn_out"])
    block = block_difference(model, 0, t["blocks.0.resid_pre"], t["blocks.0.resid_post"])
    assert attention.equal is flaws.scale_scores
    assert not block.equal


# how it is built, kept and found again


def test_sound_settings_build_the_plain_class_with_fused_attention(monkeypatch) -> None:
    calls = []
    fused = F.scaled_dot_product_attention
    monkeypatch.setattr(F, "scaled_dot_product_attention", lambda *a: calls.append(1) or fused(*a))
    for training in (None, QUICK, dataclasses.replace(QUICK, softmax_before_loss=True)):
        model = build_with(TINY, training, seed=3)
        assert type(model) is ViT and flaws_of(model) == Flaws()
        same = build(TINY, 3).state_dict()
        assert all(torch.equal(same[key], value) for key, value in model.state_dict().items())
    model(torch.zeros(1, 1, 28, 28))
    assert len(calls) == TINY.depth


@every
def test_a_flawed_model_has_the_sound_ones_parameters(flaws: Flaws) -> None:
    state = torch.get_rng_state()
    model = build_with(TINY, settings(flaws), seed=3)
    assert torch.equal(torch.get_rng_state(), state)
    assert isinstance(model, FlawedViT) and flaws_of(model) == flaws
    sound, own = build(TINY, 3).state_dict(), model.state_dict()
    assert list(sound) == list(own)
    assert all(torch.equal(sound[key], own[key]) for key in sound)


@both
@every
def test_a_checkpoint_brings_the_flaw_back(
    name: str,
    flaws: Flaws,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    random_model,
    random_images,
) -> None:
    config = request.getfixturevalue(name)
    model, path = flawed(random_model, config, flaws).float(), tmp_path / "a.safetensors"
    save_checkpoint(model, path, train_config=settings(flaws))
    loaded = load_checkpoint(path)
    images = random_images(config).float()
    assert flaws_of(loaded.model) == flaws and not loaded.model.training
    assert torch.equal(loaded.model(images), model(images))


@one
def test_a_model_is_not_saved_under_settings_that_would_change_it(
    flaws: Flaws, tmp_path: Path
) -> None:
    path = tmp_path / "a.safetensors"
    for model, training in (
        (build_with(TINY, settings(flaws)), None),
        (build_with(TINY, settings(flaws)), QUICK),
        (build(TINY), settings(flaws)),
    ):
        with pytest.raises(ValueError, match=r"build it with .*build_with"):
            save_checkpoint(model, path, train_config=training)
    assert not path.exists()


def test_settings_from_before_these_mistakes_are_sound() -> None:
    names = ("residual", "layer_norm", "scale_scores", "shuffled_labels", "shuffle")
    old = {k: v for k, v in TrainConfig(epochs=3).to_dict().items() if k not in names}
    assert TrainConfig.from_dict(old) == TrainConfig(epochs=3)
    assert not Flaws.from_config(TrainConfig.from_dict(old))


# the gallery's list


def test_each_mistake_makes_itself_and_nothing_else() -> None:
    fast = PRESETS["fast"]
    assert list(MISTAKES) == [
        "softmax_before_loss",
        "no_position",
        "no_residual",
        "no_layer_norm",
        "no_scaling",
        "high_lr",
        "shuffled_labels",
        "classes_in_order",
    ]
    assert mistakes_of(fast.model, fast.train) == mistakes_of(fast.model, None) == ()
    for name, mistake in MISTAKES.items():
        model, training = mistake.apply(fast.model, fast.train)
        assert mistakes_of(model, training) == (name,)
        changed = {
            *(k for k, v in model.to_dict().items() if v != fast.model.to_dict()[k]),
            *(k for k, v in training.to_dict().items() if v != fast.train.to_dict()[k]),
        }
        assert len(changed) == (2 if name == "high_lr" else 1)
    both = MISTAKES["no_residual"].apply(*MISTAKES["high_lr"].apply(fast.model, fast.train))
    assert mistakes_of(*both) == ("no_residual", "high_lr")


@pytest.mark.parametrize("name", PRESETS)
def test_thirty_times_every_presets_rate_counts_as_too_high(name: str) -> None:
    preset = PRESETS[name]
    assert "high_lr" not in mistakes_of(preset.model, preset.train)
    assert "high_lr" in mistakes_of(*MISTAKES["high_lr"].apply(preset.model, preset.train))


def test_the_highest_rate_stays_within_what_is_allowed() -> None:
    _, training = MISTAKES["high_lr"].apply(TINY, TrainConfig(lr=99.0, muon_lr=3.0))
    assert (training.lr, training.muon_lr) == (100.0, 90.0)


def test_muons_rate_counts_only_where_muon_runs() -> None:
    assert has_high_lr(TINY, TrainConfig(optimizer="muon", muon_lr=1.0))
    assert not has_high_lr(TINY, TrainConfig(optimizer="adamw", muon_lr=1.0))


# training


@one
def test_a_flawed_run_resumed_ends_identically(flaws: Flaws) -> None:
    """Parameters that never got a gradient have no optimizer state, and need none."""
    config, data = settings(flaws), small_mnist()
    whole = Training(build_with(TINY, config), data, config)
    events = list(whole.events())
    first = Training(build_with(TINY, config), data, config)
    for event in first.events():
        if isinstance(event, EpochEnd):
            break
    second = Training(build_with(TINY, config, seed=99), data, config)
    second.load({key: value.clone() for key, value in first.tensors().items()}, epoch=1)
    rest = [event for event in second.events() if isinstance(event, StepEnd)]
    assert rest == [event for event in events if isinstance(event, StepEnd) and event.epoch > 1]
    assert list(whole.tensors()) == list(second.tensors())
    for key, value in whole.tensors().items():
        assert torch.equal(value, second.tensors()[key]), key
    kept = {key for key in whole.tensors() if key.startswith("optimizer.") and "norm" in key}
    assert bool(kept) is flaws.layer_norm


@one
def test_a_model_that_is_not_the_one_of_the_settings_is_refused(flaws: Flaws) -> None:
    for model, config in (
        (build(TINY), settings(flaws)),
        (build_with(TINY, settings(flaws)), QUICK),
    ):
        with pytest.raises(ValueError, match=r"build it with .*build_with"):
            fit(model, small_mnist(), config)


def test_shuffled_labels_are_the_same_labels_dealt_out_once() -> None:
    data = small_mnist(train=640)
    config = dataclasses.replace(QUICK, shuffled_labels=True)
    truth = data.train.labels.clone()
    dealt = Training(build(TINY), data, config).labels
    assert torch.equal(dealt.sort().values, truth.sort().values)
    assert 0.02 < (dealt == truth).float().mean() < 0.25  # chance is 0.1
    assert torch.equal(data.train.labels, truth), "the data is shared with other runs"
    assert torch.equal(Training(build(TINY, 5), data, config).labels, dealt)
    other = Training(build(TINY), data, dataclasses.replace(config, seed=1)).labels
    assert not torch.equal(other, dealt)
    assert torch.equal(Training(build(TINY), data, QUICK).labels, truth)


def test_shuffled_labels_are_what_the_loss_and_the_training_accuracy_see() -> None:
    data = small_mnist(train=32)
    config = dataclasses.replace(QUICK, epochs=1, augment="none", shuffled_labels=True)
    training = Training(build(TINY), data, config)
    dealt = dataclasses.replace(data, train=dataclasses.replace(data.train, labels=training.labels))
    plain = dataclasses.replace(config, shuffled_labels=False)
    (shuffled, *rest), (expected, *others) = (
        fit(build(TINY), data, config),
        fit(build(TINY), dealt, plain),
    )
    assert shuffled == expected and isinstance(shuffled, StepEnd)
    # validation and test stay true
    assert rest[0].validation.confusion.sum(dim=1).tolist() == (
        torch.bincount(data.val.labels, minlength=10).tolist()
    )
    assert rest[0].val_loss == others[0].val_loss


@pytest.mark.parametrize("mistake", [{"shuffled_labels": True}, {"shuffle": False}])
def test_a_run_with_the_mistake_resumed_ends_identically(mistake: dict[str, bool]) -> None:
    config, data = dataclasses.replace(QUICK, **mistake), small_mnist()
    whole, first = (Training(build(TINY), data, config) for _ in range(2))
    list(whole.events())
    list(first.run_epoch(1))
    second = Training(build(TINY, 9), data, config)
    second.load({key: value.clone() for key, value in first.tensors().items()}, epoch=1)
    list(second.events())
    for key, value in whole.tensors().items():
        assert torch.equal(value, second.tensors()[key]), key


def orders_of(training: Training, epoch: int, monkeypatch: pytest.MonkeyPatch) -> Tensor:
    """Run an epoch and return the order in which it took the images."""
    orders: list[Tensor] = []
    batches = training.batches
    monkeypatch.setattr(
        training, "batches", lambda order, *rest: orders.append(order) or batches(order, *rest)
    )
    list(training.run_epoch(epoch))
    return orders[0]


def test_without_shuffling_every_pass_goes_through_the_classes_in_order(monkeypatch) -> None:
    data = small_mnist(train=640)
    for repeats in (1, 2):
        config = dataclasses.replace(QUICK, shuffle=False, repeats=repeats)
        training = Training(build(TINY), data, config)
        first = orders_of(training, 1, monkeypatch)
        assert torch.equal(orders_of(training, 2, monkeypatch), first), "the same in every epoch"
        for one in first.split(640):
            assert torch.equal(one.sort().values, torch.arange(640)), "each image once"
            steps = data.train.labels[one].diff()
            assert (steps >= 0).all(), "class by class"
            assert (one.diff()[steps == 0] > 0).all(), "as they come in the data set"
    shuffled = Training(build(TINY), data, dataclasses.replace(QUICK, epochs=2))
    assert (data.train.labels[orders_of(shuffled, 1, monkeypatch)].diff() < 0).any()


def test_the_augmentation_does_not_depend_on_whether_images_are_shuffled() -> None:
    """The mistake changes one thing: an epoch draws all other numbers as the healthy run does."""
    data = small_mnist(train=64)
    states = []
    for shuffle in (True, False):
        training = Training(build(TINY), data, dataclasses.replace(QUICK, shuffle=shuffle))
        generator = torch.Generator().manual_seed(3)
        training.one_order(generator)
        states.append(generator.get_state())
    assert torch.equal(*states)


@pytest.mark.parametrize("classes", [2, 10])
def test_softmax_before_the_loss_has_a_floor(classes: int) -> None:
    """However sure the model is: -1 + ln(e + C - 1), reached with all probability on the label."""
    floor = math.log(math.e + classes - 1) - 1
    if classes == 10:
        assert floor == pytest.approx(1.4612, abs=5e-5)
    sure = torch.zeros(1, classes, dtype=torch.float64)
    sure[0, 0] = 1e6
    label = torch.tensor([0])
    assert F.cross_entropy(sure.softmax(dim=1), label).item() == pytest.approx(floor, abs=1e-12)
    logits = torch.randn(1000, classes, dtype=torch.float64) * 30
    labels = torch.zeros(1000, dtype=torch.long)
    losses = F.cross_entropy(logits.softmax(dim=1), labels, reduction="none")
    assert losses.min() >= floor - 1e-12


def test_checkpoint_is_a_record_of_what_ran(tmp_path: Path) -> None:
    """``Checkpoint.train_config`` names the mistake, so that a page can say it."""
    model, training = MISTAKES["no_residual"].apply(TINY, QUICK)
    path = tmp_path / "a.safetensors"
    save_checkpoint(build_with(model, training), path, train_config=training)
    found: Checkpoint = load_checkpoint(path)
    assert mistakes_of(found.config, found.train_config) == ("no_residual",)
