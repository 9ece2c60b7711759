"""The network's parts against arithmetic done by hand, and the promises of its forward pass."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vit_core import PRESETS, ViT, ViTConfig, build, trace
from vit_core.model import SelfAttention, fixed_position, patchify, sincos_1d, sincos_2d

# patches


def test_patchify_orders_patches_by_row_and_values_by_channel_row_column() -> None:
    # the value at (channel, row, column) spells its own place: channel * 100 + row * 10 + column
    channel, row, column = torch.meshgrid(
        torch.arange(2), torch.arange(4), torch.arange(6), indexing="ij"
    )
    patches = patchify((channel * 100 + row * 10 + column)[None], (2, 3))
    assert patches.tolist() == [
        [
            [0, 1, 2, 10, 11, 12, 100, 101, 102, 110, 111, 112],
            [3, 4, 5, 13, 14, 15, 103, 104, 105, 113, 114, 115],
            [20, 21, 22, 30, 31, 32, 120, 121, 122, 130, 131, 132],
            [23, 24, 25, 33, 34, 35, 123, 124, 125, 133, 134, 135],
        ]
    ]


@pytest.mark.parametrize(
    ("channels", "image", "patch"),
    [(1, (28, 28), (4, 4)), (3, (8, 12), (4, 3)), (2, (6, 6), (6, 6))],
)
def test_a_linear_layer_over_patches_is_a_strided_convolution(
    channels: int, image: tuple[int, int], patch: tuple[int, int]
) -> None:
    convolution = nn.Conv2d(channels, 5, kernel_size=patch, stride=patch).double()
    images = torch.randn(2, channels, *image, dtype=torch.float64)
    projected = F.linear(patchify(images, patch), convolution.weight.flatten(1), convolution.bias)
    expected = convolution(images).flatten(2).transpose(1, 2)
    torch.testing.assert_close(projected, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("patch", [(5, 4), (4, 5), (29, 28)])
def test_patchify_refuses_what_is_no_whole_number_of_patches(patch: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="28 x 28 pixels cannot be cut into whole patches"):
        patchify(torch.zeros(1, 1, 28, 28), patch)


# position


def test_sincos_1d_is_the_formula_of_attention_is_all_you_need() -> None:
    encoding = sincos_1d(torch.arange(3), 4)
    # dimension pairs turn with 1 / 10000^(0/4) = 1 and 1 / 10000^(2/4) = 1/100
    by_hand = [
        [0.0, 1.0, 0.0, 1.0],
        [math.sin(1), math.cos(1), math.sin(0.01), math.cos(0.01)],
        [math.sin(2), math.cos(2), math.sin(0.02), math.cos(0.02)],
    ]
    torch.testing.assert_close(encoding, torch.tensor(by_hand), rtol=0, atol=1e-7)


def test_sincos_1d_of_an_odd_width_ends_with_a_sine() -> None:
    encoding = sincos_1d(torch.tensor([1]), 3)[0]
    by_hand = [math.sin(1), math.cos(1), math.sin(10000 ** (-2 / 3))]
    torch.testing.assert_close(encoding, torch.tensor(by_hand), rtol=0, atol=1e-7)


def test_sincos_1d_is_exact_at_far_positions() -> None:
    """Angles computed in float32 would be off by 1e-3 here."""
    encoding = sincos_1d(torch.tensor([40_000]), 6)[0]
    by_hand = [f(40_000 / 10000 ** (2 * i / 6)) for i in range(3) for f in (math.sin, math.cos)]
    torch.testing.assert_close(encoding, torch.tensor(by_hand), rtol=0, atol=1e-7)


def test_sincos_2d_is_simple_vits_formula() -> None:
    encoding = sincos_2d(2, 3, 8)
    # two frequencies: 1 / 10000^(0/1) = 1 and 1 / 10000^(1/1) = 1/10000
    by_hand = [
        [f(place * w) for place in (column, row) for f in (math.sin, math.cos) for w in (1, 1e-4)]
        for row in range(2)
        for column in range(3)
    ]
    torch.testing.assert_close(encoding, torch.tensor(by_hand), rtol=0, atol=1e-7)


def test_the_class_token_is_position_0_in_1d_and_nowhere_in_2d() -> None:
    one = fixed_position(ViTConfig(pos_embed="sincos"), 50)
    two = fixed_position(ViTConfig(pos_embed="sincos2d"), 50)
    assert one is not None and two is not None
    assert torch.equal(one[0], sincos_1d(torch.arange(50), 64))
    assert torch.equal(two[0, 0], torch.zeros(64))
    assert torch.equal(two[0, 1:], sincos_2d(7, 7, 64))
    assert fixed_position(ViTConfig(pos_embed="none"), 50) is None


@pytest.mark.parametrize("pos_embed", ["learned", "sincos", "sincos2d", "none"])
def test_only_a_learned_position_is_a_parameter_and_in_the_state(pos_embed: str) -> None:
    model = ViT(ViTConfig(pos_embed=pos_embed))
    assert ("pos_embed" in dict(model.named_parameters())) == (pos_embed == "learned")
    assert ("pos_embed" in model.state_dict()) == (pos_embed == "learned")


def test_without_position_shuffled_patches_give_the_same_logits(
    random_model, random_images
) -> None:
    def shuffled_difference(pos_embed: str) -> float:
        config = ViTConfig(patch_size=7, embed_dim=16, depth=2, pos_embed=pos_embed)
        model, images = random_model(config), random_images(config)
        order = torch.randperm(16, generator=torch.Generator().manual_seed(0))
        shuffled = trace(model, images, edits={"patches": lambda patches: patches[:, order]})
        return (shuffled.logits - model(images)).abs().max().item()

    assert shuffled_difference("none") < 1e-12
    assert min(map(shuffled_difference, ("learned", "sincos", "sincos2d"))) > 1e-3


# attention


def test_attention_by_hand() -> None:
    """Both queries score the two keys 0 and 1: their rows are [1, e] / (1 + e).

    A softmax over queries would give 1/2 everywhere.
    """
    seen: dict[str, torch.Tensor] = {}
    q = torch.tensor([1.0, 1.0], dtype=torch.float64).view(1, 1, 2, 1)
    k = torch.tensor([0.0, 1.0], dtype=torch.float64).view(1, 1, 2, 1)
    v = torch.tensor([2.0, 5.0], dtype=torch.float64).view(1, 1, 2, 1)
    mixed = SelfAttention.spelled_out(q, k, v, lambda name, x: seen.setdefault(name, x))
    row = [1 / (1 + math.e), math.e / (1 + math.e)]
    expected = torch.tensor([[[row, row]]], dtype=torch.float64)
    torch.testing.assert_close(seen["pattern"], expected, rtol=0, atol=1e-15)
    value = row[0] * 2 + row[1] * 5
    assert mixed.flatten().tolist() == pytest.approx([value, value], abs=1e-14)


def test_scores_are_divided_by_the_root_of_the_heads_width(random_model, random_images) -> None:
    config = ViTConfig(patch_size=7, embed_dim=48, num_heads=3, depth=1)
    t = trace(random_model(config), random_images(config))
    q, k = t["blocks.0.attn.q"], t["blocks.0.attn.k"]
    products = q @ k.transpose(-2, -1)
    torch.testing.assert_close(
        t["blocks.0.attn.scores"], products / 4, rtol=0, atol=1e-12
    )  # √16; the full width would give √48
    assert products.abs().max() > 1


def test_the_plain_forward_uses_the_fused_kernel_and_the_traced_one_spells_it_out(
    monkeypatch: pytest.MonkeyPatch, cls_config: ViTConfig, random_model, random_images
) -> None:
    fused, calls = F.scaled_dot_product_attention, []

    def spy(*args: torch.Tensor, **kwargs: object) -> torch.Tensor:
        calls.append(args[0].shape)
        return fused(*args, **kwargs)

    monkeypatch.setattr(F, "scaled_dot_product_attention", spy)
    model, images = random_model(cls_config), random_images(cls_config)
    plain = model(images)
    assert calls == [(3, 4, 17, 4)] * 4
    calls.clear()
    t = trace(model, images)
    assert calls == []
    torch.testing.assert_close(t.logits, plain, rtol=0, atol=1e-12)


# the whole model


def test_logits_are_not_probabilities(cls_config: ViTConfig, random_model, random_images) -> None:
    """A softmax in the head would keep the cross-entropy above ln(e + 9) - 1 = 1.4612."""
    model, images = random_model(cls_config), random_images(cls_config)
    logits = model(images)
    assert (logits.sum(dim=1) - 1).abs().min() > 0.1
    with torch.no_grad():
        model.head.bias[3] += 50
    assert F.cross_entropy(model(images), torch.full((3,), 3)) < 1e-6


def test_one_batch_can_be_overfitted() -> None:
    config = ViTConfig(patch_size=14, embed_dim=16, depth=1, num_heads=2)
    model = build(config)
    generator = torch.Generator().manual_seed(0)
    images, labels = torch.randn(20, 1, 28, 28, generator=generator), torch.arange(20) % 10
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(60):
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.02
    assert (model(images).argmax(dim=1) == labels).all()


@pytest.mark.parametrize("name", ["cls_config", "mean_config"])
def test_every_parameter_is_used(name: str, request, random_model, random_images) -> None:
    config = request.getfixturevalue(name)
    model = random_model(config)
    F.cross_entropy(model(random_images(config)), torch.arange(3)).backward()
    idle = [key for key, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


@pytest.mark.parametrize(
    "shape", [(1, 28, 28), (2, 3, 28, 28), (2, 1, 28, 27), (2, 784), (1, 2, 1, 28, 28)]
)
def test_images_of_another_shape_are_refused(shape: tuple[int, ...], cls_config: ViTConfig) -> None:
    with pytest.raises(ValueError, match=r"do not fit this model; it takes .* \(B, 1, 28, 28\)"):
        ViT(cls_config)(torch.zeros(shape))


def test_pixels_that_nobody_normalised_are_refused(cls_config: ViTConfig) -> None:
    with pytest.raises(ValueError, match=r"torch.uint8 do not fit.*vit_core.data.normalize"):
        ViT(cls_config)(torch.zeros(1, 1, 28, 28, dtype=torch.uint8))


def test_an_image_does_not_depend_on_its_batch(mean_config, random_model, random_images) -> None:
    model, images = random_model(mean_config), random_images(mean_config)
    alone = torch.cat([model(image[None]) for image in images])
    torch.testing.assert_close(model(images), alone, rtol=0, atol=1e-12)
    assert model(images[:0]).shape == (0, 5)


def test_dropout_acts_in_training_alone(random_images) -> None:
    config = ViTConfig(patch_size=14, embed_dim=16, depth=2, dropout=0.5)
    model, images = build(config).double(), random_images(config)
    with torch.random.fork_rng(devices=[]):
        model.train()
        assert not torch.equal(model(images), model(images))
        model.eval()
        assert torch.equal(model(images), model(images))


def test_the_plain_forward_compiles_as_one_graph(
    cls_config: ViTConfig, random_model, random_images
) -> None:
    model, images = random_model(cls_config), random_images(cls_config)
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(images), model(images), rtol=0, atol=1e-12)


def test_state_keys_are_timms(mean_config: ViTConfig) -> None:
    block = [
        "norm1.weight",
        "norm1.bias",
        "attn.qkv.weight",
        "attn.proj.weight",
        "attn.proj.bias",
        "norm2.weight",
        "norm2.bias",
        "mlp.fc1.weight",
        "mlp.fc1.bias",
        "mlp.fc2.weight",
        "mlp.fc2.bias",
        "ls1.gamma",
        "ls2.gamma",
    ]
    assert list(ViT(mean_config).state_dict()) == [
        "reg_token",
        "patch_embed.proj.weight",
        "patch_embed.proj.bias",
        *[f"blocks.{i}.{key}" for i in range(2) for key in block],
        "norm.weight",
        "norm.bias",
        "head.weight",
        "head.bias",
    ]
    assert list(ViT(ViTConfig()).state_dict())[:2] == ["cls_token", "pos_embed"]


# new weights


def test_build_depends_on_the_seed_alone_and_leaves_the_callers_random_state(cls_config) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(123)
        before = torch.get_rng_state()
        first = build(cls_config, seed=5).state_dict()
        assert torch.equal(torch.get_rng_state(), before)
        torch.rand(10)
        second, other = (build(cls_config, seed=seed).state_dict() for seed in (5, 6))
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_threads_that_build_at_once_do_not_disturb_each_other(cls_config: ViTConfig) -> None:
    expected = {seed: build(cls_config, seed).state_dict() for seed in range(4)}
    with torch.random.fork_rng(devices=[]), ThreadPoolExecutor(4) as pool:
        before = torch.get_rng_state()
        seeds = [n % 4 for n in range(40)]
        built = list(pool.map(lambda seed: build(cls_config, seed).state_dict(), seeds))
        assert torch.equal(torch.get_rng_state(), before)
    wrong = [
        seed
        for seed, state in zip(seeds, built, strict=True)
        if any(not torch.equal(state[key], expected[seed][key]) for key in state)
    ]
    assert wrong == []


def test_a_new_model_is_undecided_and_its_residual_stream_does_not_grow() -> None:
    model = build(PRESETS["best"].model)
    generator = torch.Generator().manual_seed(0)
    t = trace(model, torch.randn(16, 1, 28, 28, generator=generator))
    assert (t.probabilities - 0.1).abs().max() < 0.1
    first, last = t["blocks.0.resid_pre"], t[f"blocks.{model.config.depth - 1}.resid_post"]
    assert 1 < last.std() / first.std() < 2


# one stream of random numbers for each parameter


@pytest.mark.parametrize(
    "changes",
    [
        {"pos_embed": "none"},
        {"pos_embed": "sincos2d"},
        {"pool": "mean"},
        {"num_registers": 2, "layer_scale": 0.1},
        {"num_classes": 0},
        {"final_norm": False, "qkv_bias": False},
    ],
    ids=str,
)
def test_what_both_models_have_begins_the_same(changes) -> None:
    config = ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2)
    one = build(config, seed=5).state_dict()
    other = build(replace(config, **changes), seed=5).state_dict()
    shared = [name for name in one.keys() & other.keys() if one[name].shape == other[name].shape]
    assert len(shared) > 20
    for name in shared:
        assert torch.equal(one[name], other[name]), name


def test_no_two_parameters_or_seeds_begin_alike() -> None:
    config = ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2)
    one, other = (build(config, seed=seed).state_dict() for seed in (5, 6))
    drawn = [name for name in one if one[name].std() > 0 and one[name].numel() > 1]
    assert all(not torch.equal(one[name], other[name]) for name in drawn)
    first, second = one["blocks.0.attn.qkv.weight"], one["blocks.1.attn.qkv.weight"]
    assert not torch.equal(first, second)


def test_models_on_their_own_draw_anew_and_shapes_draw_nothing() -> None:
    config = ViTConfig(patch_size=7, embed_dim=16, depth=1, num_heads=2)
    one, other = ViT(config).state_dict(), ViT(config).state_dict()
    assert not torch.equal(one["head.weight"], other["head.weight"])
    before = torch.get_rng_state()
    with torch.device("meta"):
        ViT(config)
    assert torch.equal(torch.get_rng_state(), before)
