"""Gradient attention, LRP and Grad-CAM against their formulas and independent computations."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from explained_models import KINDS, SMALL, classes_of, explained, pictures
from torch import Tensor, nn

from vit_core import ViT, trace
from vit_core.interpret import AttributionError, attribute
from vit_core.interpret.attribution.lrp import Linearised
from vit_core.interpret.attribution.private import private
from vit_core.interpret.changed import ChangedViT
from vit_core.trace import Edit, output_with

TARGET = Callable[[Tensor], Tensor]


def score_of(model: ViT, images: Tensor) -> TARGET:
    """Return what is explained, of the model's output: the logit, or the features' direction."""
    classes = classes_of(model.config, len(images))
    if classes is not None:
        return lambda output: output[torch.arange(len(images)), classes]
    with torch.no_grad():
        whole = model.eval()(images)
    return lambda output: (output * whole).sum(dim=1) / whole.square().sum(dim=1)


def explain(model: ViT, images: Tensor, method: str, **options: object) -> Tensor:
    return attribute(
        model, images, classes_of(model.config, len(images)), method, **options
    ).patches


def read(model: ViT, matrix_BNN: Tensor) -> Tensor:
    first = model.config.num_prefix_tokens
    rows = matrix_BNN[:, :1] if model.config.pool == "cls" else matrix_BNN[:, first:]
    return rows.mean(dim=1)[:, first:]


# gradient attention


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_attention_follows_its_formula(kind: str) -> None:
    model = explained(kind).eval()
    images, config = pictures(model.config), model.config
    recorded = trace(model, images, gradients=True)
    score_of(model, images)(recorded.output).sum().backward()
    R = torch.eye(config.num_tokens, dtype=images.dtype).repeat(len(images), 1, 1)
    for block in range(config.depth):
        A = recorded[f"blocks.{block}.attn.pattern"]
        heads = [F.relu(A.grad[:, head] * A.detach()[:, head]) for head in range(config.num_heads)]
        R = R + (sum(heads) / config.num_heads) @ R
    found = explain(explained(kind), images, "gradient_attention")
    torch.testing.assert_close(found, read(model, R))


def test_gradient_attention_of_two_blocks_by_finite_differences() -> None:
    """The gradients by every weight of both patterns are found by turning it a little.

    Other ways to get it wrong give other numbers: what is below 0 cut off after the mean over the
    heads, the blocks in the opposite order, or no gradient at all.
    """
    model = explained("registers, LayerScale, oblong")
    images = pictures(model.config, 1)
    recorded = trace(model, images)
    patterns = [recorded[f"blocks.{block}.attn.pattern"][0] for block in (0, 1)]

    def slopes(block: int) -> Tensor:
        found = torch.zeros_like(patterns[block])
        step = 1e-5
        for place in torch.cartesian_prod(*(torch.arange(size) for size in found.shape)):
            head, query, key = (int(one) for one in place)

            def turned(pattern: Tensor, by: float, at: tuple[int, ...] = (0, head, query, key)):
                pattern[at] += by
                return pattern

            up, down = (
                output_with(
                    model, images, {f"blocks.{block}.attn.pattern": lambda p, by=by: turned(p, by)}
                )[0, 0]
                for by in (step, -step)
            )
            found[head, query, key] = (up - down) / (2 * step)
        return found

    weighed = [slopes(block) * patterns[block] for block in (0, 1)]
    one = torch.eye(model.config.num_tokens, dtype=images.dtype)
    first, second = (one + w.clamp_min(0).mean(dim=0) for w in weighed)
    found = explain(model, images, "gradient_attention")[0]
    torch.testing.assert_close(found, (second @ first)[0, 3:], rtol=1e-6, atol=1e-9)
    late, later = (one + w.mean(dim=0).clamp_min(0) for w in weighed)
    for wrong in (later @ late, first @ second):
        assert not torch.allclose(found, wrong[0, 3:], rtol=1e-3)


def test_gradient_attention_tells_classes_apart() -> None:
    model = explained("class token")
    images = pictures(model.config, 1).repeat(4, 1, 1, 1)
    maps = attribute(model, images, [0, 1, 2, 3], "gradient_attention").patches
    assert all(not torch.allclose(maps[0], other) for other in maps[1:])


# LRP


def linear_edits(model: ViT, images: Tensor) -> dict[str, Edit]:
    """Return edits that make a pass affine in its tokens, written with what a plain trace says."""
    recorded = trace(model, images)
    edits: dict[str, Edit] = {}
    # an edit sees its own tensor only, so what comes before is noted by the edits of those
    noted: dict[str, Tensor] = {}

    def note(key: str) -> Edit:
        def edit(tensor: Tensor) -> Tensor:
            noted[key] = tensor
            return tensor

        return edit

    def norm(layer: nn.LayerNorm, before: str) -> Edit:
        x = recorded[before]
        sigma = (x.var(dim=-1, correction=0, keepdim=True) + layer.eps).sqrt()

        def edit(_: Tensor) -> Tensor:
            now = noted[before]
            return (now - now.mean(dim=-1, keepdim=True)) / sigma * layer.weight + layer.bias

        return edit

    for index, block in enumerate(model.blocks):
        at = f"blocks.{index}"
        pattern, pre = recorded[f"{at}.attn.pattern"], recorded[f"{at}.mlp.pre"]
        edits[f"{at}.attn.pattern"] = lambda _, held=pattern: held
        for key in (f"{at}.resid_pre", f"{at}.resid_mid", f"{at}.resid_post", f"{at}.mlp.pre"):
            edits[key] = note(key)
        edits[f"{at}.norm1"] = norm(block.norm1, f"{at}.resid_pre")
        edits[f"{at}.norm2"] = norm(block.norm2, f"{at}.resid_mid")
        quotient = F.gelu(pre) / pre
        edits[f"{at}.mlp.post"] = lambda _, key=f"{at}.mlp.pre", q=quotient: noted[key] * q
    if isinstance(model.norm, nn.LayerNorm):
        edits["final_norm"] = norm(model.norm, f"{at}.resid_post")
    return edits


PLAIN = [kind for kind, (_, mistakes) in KINDS.items() if not mistakes and "head sw" not in kind]


@pytest.mark.parametrize("kind", PLAIN)
def test_lrp_is_what_a_pass_made_linear_loses_without_the_token(kind: str) -> None:
    """A pass that is affine in the tokens, in which one token after the other is set to 0."""
    model = explained(kind).eval()
    images, first = pictures(model.config), model.config.num_prefix_tokens
    edits, score = linear_edits(model, images), score_of(model, images)
    whole = score(output_with(model, images, edits))
    torch.testing.assert_close(whole, score(model(images).detach()))
    found = explain(explained(kind), images, "lrp")
    for patch in range(model.config.num_patches):

        def without(embed: Tensor, token: int = first + patch) -> Tensor:
            embed[:, token] = 0
            return embed

        lost = whole - score(output_with(model, images, {**edits, "embed": without}))
        torch.testing.assert_close(found[:, patch], lost)


@pytest.mark.parametrize("kind", KINDS)
def test_lrp_leaves_the_pass_as_it_is(kind: str) -> None:
    for dtype in (torch.float64, torch.float32):
        model = explained(kind).eval().to(dtype)
        images = pictures(model.config).to(dtype)
        linear, usual = model(images, Linearised(private(model))), model(images, lambda _, t: t)
        torch.testing.assert_close(
            linear, usual, rtol=0, atol=5e-6 if dtype.itemsize < 8 else 1e-12
        )


@pytest.mark.parametrize("pool", ["cls", "mean"])
def test_lrp_conserves_the_logit_where_all_of_it_comes_from_patches(pool: str) -> None:
    """No bias, and a class token of zeros: there is nothing that a share could be lost to."""
    config = replace(SMALL, pool=pool, depth=3, layer_scale=0.7)
    model = ViT(config).double().eval()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, one in model.named_parameters():
            if name.endswith("bias") or name == "cls_token":
                one.zero_()
            else:
                one += 0.4 * torch.randn(one.shape, generator=generator)
        if pool == "cls":
            model.pos_embed[:, 0] = 0
    images = pictures(config)
    found = attribute(model, images, [0, 1, 2], "lrp")
    logits = model(images)[torch.arange(3), torch.arange(3)].detach()
    torch.testing.assert_close(found.patches.sum(dim=1), logits)
    assert found.error.max() < 1e-12


@pytest.mark.parametrize("kind", KINDS)
def test_the_error_of_lrp_is_what_the_shares_miss(kind: str) -> None:
    model = explained(kind)
    images = pictures(model.config)
    found = attribute(model, images, classes_of(model.config), "lrp")
    with torch.no_grad():
        whole = score_of(model.eval(), images)(model(images))
    torch.testing.assert_close(found.error, (found.patches.sum(dim=1) - whole).abs())


def test_lrp_of_a_silenced_head_has_nothing_from_it() -> None:
    """The same as of a model in which the projection takes nothing from that head."""
    changed, silenced = explained("a head switched off"), explained("a head switched off").unchanged
    K = silenced.config.head_dim
    with torch.no_grad():
        silenced.blocks[1].attn.proj.weight[:, :K] = 0
    images = pictures(silenced.config)
    for method in ("lrp", "gradient_attention", "integrated_gradients", "occlusion", "grad_cam"):
        found, expected = (explain(model, images, method) for model in (changed, silenced))
        torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-10)


def test_lrp_leaves_alone_what_an_edit_has_replaced() -> None:
    """A unit that is off, and dimensions of a norm that are doubled, as in a model that has it."""
    plain, same = explained("mean pooling"), explained("mean pooling")

    def no_unit(post: Tensor) -> Tensor:
        post[..., 5] = 0
        return post

    def doubled(normed: Tensor) -> Tensor:
        return torch.cat((2 * normed[..., :3], normed[..., 3:]), dim=-1)

    changed = ChangedViT(plain, {"blocks.0.mlp.post": no_unit})
    with torch.no_grad():
        same.blocks[0].mlp.fc2.weight[:, 5] = 0
    images = pictures(plain.config)
    torch.testing.assert_close(explain(changed, images, "lrp"), explain(same, images, "lrp"))
    changed = ChangedViT(plain, {"final_norm": doubled})
    found = attribute(changed, images, [0, 1, 2], "lrp")
    assert found.patches.isfinite().all()
    assert not torch.allclose(found.patches, explain(plain, images, "lrp"))


# Grad-CAM


@pytest.mark.parametrize("kind", KINDS)
def test_grad_cam_weighs_the_last_norm1(kind: str) -> None:
    """With the gradient of the rest of the pass alone, from a leaf that takes norm1's place."""
    model = explained(kind).eval()
    images, config = pictures(model.config), model.config
    key, first = f"blocks.{config.depth - 1}.norm1", config.num_prefix_tokens
    leaf = trace(model, images)[key].clone().requires_grad_()
    output = model(images, lambda name, tensor: leaf if name == key else tensor)
    (slope,) = torch.autograd.grad(score_of(model, images)(output).sum(), leaf)
    expected = torch.zeros(len(images), config.num_patches, dtype=images.dtype)
    for channel in range(config.embed_dim):
        weight = slope[:, first:, channel].mean(dim=1, keepdim=True)
        expected += weight * leaf.detach()[:, first:, channel]
    found = explain(explained(kind), images, "grad_cam")
    torch.testing.assert_close(found, expected.clamp(min=0), rtol=1e-6, atol=1e-12)
    torch.testing.assert_close(found, explain(model, images, "grad_cam", layer=key))


@pytest.mark.parametrize("layer", ["attn_out", "resid_mid", "norm2", "mlp_out", "resid_post"])
def test_grad_cam_after_the_last_mixing_is_refused_where_only_a_class_token_is_read(
    layer: str,
) -> None:
    images, key = pictures(SMALL), f"blocks.2.{layer}"
    model = explained("class token")
    with pytest.raises(AttributionError, match=r"is 0 for every patch.*works is blocks\.2\.norm1"):
        explain(model, images, "grad_cam", layer=key)
    recorded = trace(model, images, gradients=True)
    recorded.logits.sum().backward()
    assert not recorded[key].grad[:, 1:].any()
    assert explain(model, images, "grad_cam", layer=f"blocks.1.{layer}").shape == (3, 9)
    mean = explained("mean pooling")
    assert explain(mean, images, "grad_cam", layer=f"blocks.1.{layer}").any()
    assert explain(mean, images, "grad_cam", layer="final_norm").shape == (3, 9)


@pytest.mark.parametrize("layer", ["blocks.3.norm1", "blocks.0.attn.pattern", "patches", 3, ""])
def test_grad_cam_of_what_is_no_tokens_is_refused(layer: object) -> None:
    with pytest.raises(AttributionError, match=r"layer must be embed, final_norm, or blocks\.0 to"):
        explain(explained("class token"), pictures(SMALL), "grad_cam", layer=layer)


# models without a head


@pytest.mark.parametrize("method", ["gradient_attention", "lrp", "grad_cam"])
def test_features_are_compared_with_those_of_another_picture(method: str) -> None:
    model = explained("no head, mean pooling")
    images = pictures(model.config)
    other = model(pictures(model.config, 1, seed=9)).detach()[0]
    own, towards = explain(model, images, method), explain(model, images, method, reference=other)
    assert own.any()
    assert not torch.allclose(own, towards)
    each = explain(model, images, method, reference=other.expand(3, -1))
    torch.testing.assert_close(towards, each)


def test_the_cosine_of_other_features_has_its_own_gradient() -> None:
    model = explained("no head")
    images = pictures(model.config)
    other = torch.linspace(-1, 1, model.config.embed_dim, dtype=images.dtype)
    recorded = trace(model, images, gradients=True)
    F.cosine_similarity(recorded.output, other[None]).sum().backward()
    R = torch.eye(model.config.num_tokens, dtype=images.dtype)
    for block in range(model.config.depth):
        A = recorded[f"blocks.{block}.attn.pattern"]
        R = R + F.relu(A.grad * A.detach()).mean(dim=1) @ R
    found = explain(model, images, "gradient_attention", reference=other)
    torch.testing.assert_close(found, R[:, 0, 1:])


def test_lrp_conserves_the_cosine() -> None:
    model = explained("no head")
    images = pictures(model.config)
    other = torch.linspace(-1, 1, model.config.embed_dim, dtype=images.dtype)
    found = attribute(model, images, None, "lrp", reference=other)
    cosine = F.cosine_similarity(model(images).detach(), other[None])
    torch.testing.assert_close(found.error, (found.patches.sum(dim=1) - cosine).abs())
