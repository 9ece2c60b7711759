"""The trace: which tensors, in which order and shape, and that they are those of the model."""

import math
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import torch.nn.functional as F

from vit_core import ViTConfig, build, trace
from vit_core.tap import no_tap, scope
from vit_core.trace import output_with

BLOCK_KEYS = [
    "resid_pre",
    "norm1",
    "attn.q",
    "attn.k",
    "attn.v",
    "attn.scores",
    "attn.pattern",
    "attn.z",
    "attn_out",
    "resid_mid",
    "norm2",
    "mlp.pre",
    "mlp.post",
    "mlp_out",
    "resid_post",
]
START_KEYS = ["patches", "patch_embed", "tokens", "pos_embed", "embed"]
END_KEYS = ["final_norm", "pooled", "logits"]

# trace key → symbolic shape, with the letters of vit_core.model and two more:
# T tokens before the registers join, A numbers in a patch
SHAPES = {
    "patches": "B P A",
    "patch_embed": "B P D",
    "tokens": "B T D",
    "pos_embed": "1 T D",
    "embed": "B N D",
    "resid_pre": "B N D",
    "norm1": "B N D",
    "attn.q": "B H N K",
    "attn.k": "B H N K",
    "attn.v": "B H N K",
    "attn.scores": "B H N N",
    "attn.pattern": "B H N N",
    "attn.z": "B H N K",
    "attn_out": "B N D",
    "resid_mid": "B N D",
    "norm2": "B N D",
    "mlp.pre": "B N M",
    "mlp.post": "B N M",
    "mlp_out": "B N D",
    "resid_post": "B N D",
    "final_norm": "B N D",
    "pooled": "B D",
    "logits": "B C",
}
SIZES = {
    "cls_config": dict(B=3, P=16, A=49, T=17, N=17, D=16, H=4, K=4, M=64, C=10),
    "mean_config": dict(B=3, P=8, A=36, T=8, N=10, D=24, H=3, K=8, M=60, C=5),
}
both = pytest.mark.parametrize("name", SIZES)


@pytest.fixture
def traced(name: str, request: pytest.FixtureRequest, random_model, random_images):
    """A random model of the configuration ``name``, images, and the trace of both."""
    config = request.getfixturevalue(name)
    model, images = random_model(config), random_images(config)
    return model, images, trace(model, images)


# what is recorded


@pytest.mark.parametrize(("name", "depth"), [("cls_config", 4), ("mean_config", 2)])
def test_keys_and_their_order(traced, depth: int) -> None:
    blocks = [f"blocks.{i}.{key}" for i in range(depth) for key in BLOCK_KEYS]
    assert list(traced[2]) == START_KEYS + blocks + END_KEYS


def test_without_position_only_its_key_is_missing(random_model, random_images) -> None:
    config = ViTConfig(patch_size=14, depth=1, pos_embed="none", final_norm=False)
    t = trace(random_model(config), random_images(config))
    blocks = [f"blocks.0.{key}" for key in BLOCK_KEYS]
    assert list(t) == [k for k in START_KEYS if k != "pos_embed"] + blocks + END_KEYS
    assert torch.equal(t["final_norm"], t["blocks.0.resid_post"])


@both
def test_shapes(name: str, traced) -> None:
    sizes = SIZES[name] | {"1": 1}
    t = traced[2]
    found = {key: tuple(t[key].shape) for key in t}
    expected = {
        key: tuple(
            sizes[axis] for axis in SHAPES[key.split(".", 2)[2] if "blocks" in key else key].split()
        )
        for key in t
    }
    assert found == expected


def test_the_trace_keeps_the_models_configuration_and_counts_itself(
    cls_config, random_images
) -> None:
    model = build(cls_config).double()
    t = trace(model, random_images(cls_config))
    assert t.config == cls_config
    assert len(t) == len(list(t)) == 68
    assert repr(t) == "Trace(68 tensors, 3 images)"
    assert not any(tensor.requires_grad for tensor in t.values())


# that it is the truth


@both
def test_traced_logits_are_those_of_the_plain_forward(traced) -> None:
    model, images, t = traced
    torch.testing.assert_close(t.logits, model(images), rtol=0, atol=1e-12)
    torch.testing.assert_close(t.probabilities, model(images).softmax(dim=1), rtol=0, atol=1e-12)


@both
def test_each_tensor_follows_from_those_before_it(traced) -> None:
    """Recompute every step from the trace's own earlier tensors and the model's weights."""
    model, _, t = traced
    config = model.config

    def same(key: str, expected: torch.Tensor) -> None:
        torch.testing.assert_close(
            t[key], expected, rtol=0, atol=1e-11, msg=lambda m: f"{key}: {m}"
        )

    same("patch_embed", model.patch_embed.proj(t["patches"]))
    placed = t["tokens"] + t["pos_embed"]
    if model.cls_token is not None:
        same("tokens", torch.cat((model.cls_token.expand(3, 1, -1), t["patch_embed"]), 1))
        same("embed", placed)
    else:
        same("tokens", t["patch_embed"])
        same("embed", torch.cat((model.reg_token.expand(3, 2, -1), placed), 1))
    stream = t["embed"]
    for index, block in enumerate(model.blocks):
        at = f"blocks.{index}."
        same(at + "resid_pre", stream)
        same(at + "norm1", block.norm1(stream))
        q, k, v = block.attn.qkv(t[at + "norm1"]).split(config.embed_dim, dim=2)
        for name, whole in (("q", q), ("k", k), ("v", v)):
            heads = whole.split(config.head_dim, dim=2)
            for head, part in enumerate(heads):
                torch.testing.assert_close(
                    t[at + f"attn.{name}"][:, head], part, rtol=0, atol=1e-12
                )
        products = t[at + "attn.q"] @ t[at + "attn.k"].transpose(2, 3)
        same(at + "attn.scores", products / math.sqrt(config.head_dim))
        exponents = t[at + "attn.scores"].exp()
        same(at + "attn.pattern", exponents / exponents.sum(dim=3, keepdim=True))
        same(at + "attn.z", t[at + "attn.pattern"] @ t[at + "attn.v"])
        joined = torch.cat(t[at + "attn.z"].unbind(dim=1), dim=2)
        same(at + "attn_out", block.ls1(block.attn.proj(joined)))
        same(at + "resid_mid", t[at + "resid_pre"] + t[at + "attn_out"])
        same(at + "norm2", block.norm2(t[at + "resid_mid"]))
        same(at + "mlp.pre", block.mlp.fc1(t[at + "norm2"]))
        pre = t[at + "mlp.pre"]
        same(at + "mlp.post", pre * (1 + torch.erf(pre / math.sqrt(2))) / 2)
        same(at + "mlp_out", block.ls2(block.mlp.fc2(t[at + "mlp.post"])))
        same(at + "resid_post", t[at + "resid_mid"] + t[at + "mlp_out"])
        stream = t[at + "resid_post"]
    same("final_norm", model.norm(stream))
    patches = t["final_norm"][:, config.num_prefix_tokens :]
    same("pooled", t["final_norm"][:, 0] if config.pool == "cls" else patches.mean(dim=1))
    same("logits", model.head(t["pooled"]))


@both
def test_pattern_rows_sum_to_one_and_columns_do_not(traced) -> None:
    for key, pattern in traced[2].items():
        if key.endswith("attn.pattern"):
            assert (pattern >= 0).all()
            torch.testing.assert_close(
                pattern.sum(dim=-1), torch.ones_like(pattern[..., 0]), rtol=0, atol=1e-12
            )
            assert (pattern.sum(dim=-2) - 1).abs().max() > 0.01


def test_a_training_model_is_traced_as_it_is(random_images) -> None:
    config = ViTConfig(patch_size=14, embed_dim=8, num_heads=2, depth=1, dropout=0.5)
    model, images = build(config).double(), random_images(config)
    with torch.random.fork_rng(devices=[]):
        first, second = trace(model, images), trace(model, images)
        assert not torch.equal(first["embed"], second["embed"])
    assert model.training
    model.eval()
    assert torch.equal(trace(model, images).logits, trace(model, images).logits)


def test_four_threads_share_one_model(mean_config, random_model, random_images) -> None:
    model = random_model(mean_config)
    batches = [random_images(mean_config, batch=2, seed=seed) for seed in range(8)]
    alone = [trace(model, images) for images in batches]

    def wrong(number: int) -> list[str]:
        t, expected = trace(model, batches[number % 8]), alone[number % 8]
        assert list(t) == list(expected)
        return [key for key in t if not torch.allclose(t[key], expected[key], rtol=0, atol=1e-12)]

    with ThreadPoolExecutor(4) as pool:
        assert [keys for keys in pool.map(wrong, range(240)) if keys] == []


# reading


def test_a_trace_is_read_only(cls_config, random_images) -> None:
    t = trace(build(cls_config).double(), random_images(cls_config))
    with pytest.raises(TypeError):
        t["logits"] = t["pooled"]
    with pytest.raises(TypeError):
        del t["logits"]
    with pytest.raises(AttributeError):
        t.logits = t["pooled"]


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("blocks.0.attn.patern", "blocks.0.attn.pattern"),
        ("blocks.0.attention.q", "blocks.0.attn.q"),
        ("logit", "logits"),
        ("¿", "patches"),
        (0, "patches"),
        (["logits"], "logits"),
    ],
)
def test_an_unknown_key_names_the_nearest(
    key: object, near: str, cls_config, random_images
) -> None:
    t = trace(build(cls_config).double(), random_images(cls_config))
    with pytest.raises(KeyError, match="no tensor") as caught:
        t[key]
    assert near in str(caught.value)
    assert key not in t
    assert t.get(key) is None


@both
def test_a_readers_change_reaches_neither_the_model_nor_the_images(traced) -> None:
    model, images, _ = traced
    before = {key: value.clone() for key, value in model.state_dict(keep_vars=True).items()}
    position, pixels, logits = model.pos_embed.clone(), images.clone(), model(images)
    for gradients in (False, True):
        for tensor in trace(model, images, gradients=gradients).values():
            tensor.detach().fill_(7.0)
    assert torch.equal(images, pixels)
    assert torch.equal(model.pos_embed, position)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert torch.equal(model(images), logits)


def test_one_patch_as_large_as_the_image_is_no_view_of_it(random_model, random_images) -> None:
    config = ViTConfig(patch_size=28)
    model, images = random_model(config), random_images(config)
    pixels = images.clone()
    trace(model, images)["patches"].fill_(7.0)
    assert torch.equal(images, pixels)


# editing


@pytest.mark.parametrize("name", ["mean_config"])
@pytest.mark.parametrize("key", [*START_KEYS, *(f"blocks.1.{k}" for k in BLOCK_KEYS), *END_KEYS])
def test_an_edited_tensor_flows_on(key: str, traced) -> None:
    model, images, plain = traced
    edited = trace(model, images, edits={key: torch.zeros_like})
    assert list(edited) == list(plain)
    assert not edited[key].any()
    keys = list(plain)
    assert all(torch.equal(edited[k], plain[k]) for k in keys[: keys.index(key)])
    assert not torch.allclose(edited.logits, plain.logits)


@both
def test_an_edit_that_changes_nothing_changes_nothing(traced) -> None:
    model, images, plain = traced
    edited = trace(model, images, edits=dict.fromkeys(plain, lambda tensor: tensor))
    assert all(torch.equal(edited[key], plain[key]) for key in plain)


def test_switching_a_head_off_takes_its_part_from_what_the_block_adds(
    cls_config, random_model, random_images
) -> None:
    model, images = random_model(cls_config), random_images(cls_config)

    def off(z: torch.Tensor) -> torch.Tensor:
        z[:, 2] = 0
        return z

    plain, edited = trace(model, images), trace(model, images, edits={"blocks.1.attn.z": off})
    head = plain["blocks.1.attn.z"][:, 2]
    weight = model.blocks[1].attn.proj.weight[:, 2 * 4 : 3 * 4]
    torch.testing.assert_close(
        plain["blocks.1.attn_out"] - edited["blocks.1.attn_out"],
        F.linear(head, weight),
        rtol=0,
        atol=1e-12,
    )
    assert not torch.equal(plain.logits, edited.logits)


@both
def test_an_edit_in_place_reaches_neither_the_model_nor_what_came_before(traced) -> None:
    model, images, plain = traced
    pixels, position = images.clone(), model.pos_embed.clone()
    for key in plain:
        edited = trace(model, images, edits={key: lambda tensor: tensor.fill_(3.0)})
        assert (edited[key] == 3.0).all()
        before = list(plain)[: list(plain).index(key)]
        assert [k for k in before if not torch.equal(edited[k], plain[k])] == []
        assert torch.equal(images, pixels)
        assert torch.equal(model.pos_embed, position)
    assert torch.equal(trace(model, images).logits, plain.logits)


@pytest.mark.parametrize("name", ["cls_config"])
@pytest.mark.parametrize(
    ("edit", "got"),
    [
        (lambda z: z[:, :2], r"not \(3, 2, 17, 4\)"),
        (lambda z: z.sum(), r"not \(\)"),
        (lambda z: z[None], r"not \(1, 3, 4, 17, 4\)"),
        (lambda z: z.float(), "torch.float32"),
        (lambda z: z.long(), "torch.int64"),
        (lambda z: None, "not a NoneType"),
        (lambda z: 0.0, "not a float"),
    ],
)
def test_an_edit_must_keep_the_shape_and_dtype(edit, got: str, traced) -> None:
    model, images, _ = traced
    allowed = (
        r"edit of blocks.1.attn.z must return a tensor of shape \(3, 4, 17, 4\) and torch.float64"
    )
    with pytest.raises(ValueError, match=f"{allowed}.*{got}"):
        trace(model, images, edits={"blocks.1.attn.z": edit})


@pytest.mark.parametrize("name", ["cls_config"])
@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("blocks.1.attn.Z", "blocks.1.attn.z"),
        ("blocks.9.attn.z", "blocks.1.attn.z"),
        ("block.1.attn.pattern", "blocks.1.attn.pattern"),
        ("", "patches"),
        (3, "patches"),
    ],
)
def test_an_edit_of_an_unknown_key_names_the_nearest(key: object, near: str, traced) -> None:
    model, images, _ = traced
    with pytest.raises(ValueError, match="no tensor") as caught:
        trace(model, images, edits={key: lambda tensor: tensor})
    assert near in str(caught.value)


@both
def test_the_output_alone_is_the_same_and_no_tensor_is_kept(traced) -> None:
    model, images, plain = traced
    edits = {"blocks.1.attn.z": torch.zeros_like}
    assert torch.equal(output_with(model, images), plain.output)
    assert torch.equal(output_with(model, images, edits), trace(model, images, edits).output)
    with pytest.raises(ValueError, match="no tensor"):
        output_with(model, images, {"blocks.9.attn.z": torch.zeros_like})
    alive: list[weakref.ref] = []

    def watch(tensor: torch.Tensor) -> torch.Tensor:
        assert sum(ref() is not None for ref in alive) <= 1
        alive.append(weakref.ref(tensor))
        return tensor

    output_with(model, images, {f"blocks.{block}.attn.pattern": watch for block in (0, 1)})
    assert len(alive) == 2


# gradients


@pytest.mark.parametrize("learned", [True, False])
@both
def test_gradients_of_every_tensor(learned: bool, traced) -> None:
    model, images, plain = traced
    model.requires_grad_(learned)
    t = trace(model, images, gradients=True)
    torch.testing.assert_close(t.logits, plain.logits, rtol=0, atol=1e-12)
    t.logits[:, 1].sum().backward()
    assert [key for key in t if t[key].grad is None] == []
    assert not images.requires_grad


@both
def test_a_gradient_is_the_slope_of_an_edit(traced) -> None:
    """Nudge each tensor along a random direction: the logit moves by gradient · direction."""
    model, images, _ = traced
    t = trace(model, images, gradients=True)
    t.logits[:, 1].sum().backward()
    generator = torch.Generator().manual_seed(0)
    for key in t:
        direction = torch.randn(t[key].shape, generator=generator, dtype=torch.float64)

        def moved(size: float, key: str = key, direction: torch.Tensor = direction) -> float:
            edits = {key: lambda tensor: tensor + size * direction}
            return trace(model, images, edits=edits).logits[:, 1].sum().item()

        slope = (moved(1e-5) - moved(-1e-5)) / 2e-5
        expected = (t[key].grad * direction).sum().item()
        assert slope == pytest.approx(expected, rel=1e-5, abs=1e-7), key


def test_gradients_after_an_edit_that_cuts_the_graph(
    cls_config, random_model, random_images
) -> None:
    model, images = random_model(cls_config), random_images(cls_config)
    t = trace(model, images, edits={"blocks.1.attn.z": torch.zeros_like}, gradients=True)
    t.logits.sum().backward()
    assert t["blocks.1.attn.z"].grad.any()


@both
def test_without_gradients_no_graph_is_kept_and_the_callers_mode_stays(traced) -> None:
    model, images, _ = traced
    assert torch.is_grad_enabled()
    assert trace(model, images).logits.grad_fn is None
    with torch.no_grad():
        assert trace(model, images, gradients=True).logits.grad_fn is not None
        assert not torch.is_grad_enabled()


def test_scopes_within_scopes_call_the_tap_with_the_whole_name() -> None:
    calls = []

    def tap(name: str, tensor: torch.Tensor) -> torch.Tensor:
        calls.append(name)
        return tensor + 1

    inner = scope(scope(tap, "blocks.0"), "attn")
    assert inner("q", torch.zeros(())) == 1
    assert calls == ["blocks.0.attn.q"]
    assert scope(scope(no_tap, "blocks.0"), "attn") is no_tap


def test_scores_are_queries_times_keys_over_the_root_of_the_width(
    cls_config: ViTConfig, random_model, random_images
) -> None:
    found = trace(random_model(cls_config), random_images(cls_config))
    for block in range(cls_config.depth):
        q, k, scores = (found[f"blocks.{block}.attn.{name}"] for name in ("q", "k", "scores"))
        torch.testing.assert_close(scores, (q @ k.mT) / cls_config.head_dim**0.5)
