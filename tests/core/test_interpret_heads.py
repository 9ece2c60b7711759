"""Heads: how they look, what they add and what they change, against plain loops."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vit_core import ViT, ViTConfig, build, trace
from vit_core.interpret import heads
from vit_core.interpret.heads import (
    head_contributions,
    head_effects,
    head_entropy,
    mean_attention_distance,
    patch_distances,
    row_entropy,
    switch_heads_off,
)
from vit_core.model import EncoderBlock


def patterns(heads: int, tokens: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    scores = 3 * torch.randn(2, heads, tokens, tokens, generator=generator, dtype=torch.float64)
    return scores.softmax(dim=-1)


# entropy


def test_entropy_by_hand() -> None:
    rows = torch.tensor(
        [[1.0, 0.0, 0.0, 0.0], [0.25] * 4, [0.5, 0.5, 0.0, 0.0], [0.5, 0.25, 0.25, 0]]
    )
    expected = torch.tensor([0.0, math.log(4), math.log(2), 1.5 * math.log(2)])
    torch.testing.assert_close(row_entropy(rows), expected)
    torch.testing.assert_close(head_entropy(rows), expected.mean())


@settings(max_examples=25)
@given(heads=st.integers(1, 4), tokens=st.integers(1, 9), seed=st.integers(0, 99))
def test_entropy_against_a_loop(heads: int, tokens: int, seed: int) -> None:
    pattern = patterns(heads, tokens, seed)
    found = head_entropy(pattern)
    assert found.shape == (2, heads)
    for image in range(2):
        for head in range(heads):
            total = 0.0
            for query in range(tokens):
                for weight in pattern[image, head, query].tolist():
                    total -= weight * math.log(weight)
            assert float(found[image, head]) == pytest.approx(total / tokens)
    assert (found >= 0).all() and (found <= math.log(tokens) + 1e-12).all()


# distance


def test_distances_of_patches() -> None:
    distances = patch_distances((2, 3))
    assert distances.shape == (6, 6)
    assert distances[0].tolist() == pytest.approx([0, 1, 2, 1, 2**0.5, 5**0.5])
    assert torch.equal(distances, distances.T)
    assert patch_distances((1, 1)).tolist() == [[0.0]]


@settings(max_examples=25)
@given(
    rows=st.integers(1, 4),
    columns=st.integers(1, 4),
    prefix=st.integers(0, 3),
    seed=st.integers(0, 99),
)
def test_distance_against_a_loop(rows: int, columns: int, prefix: int, seed: int) -> None:
    patches = rows * columns
    pattern = patterns(2, prefix + patches, seed)
    found = mean_attention_distance(pattern, (rows, columns))
    for image in range(2):
        for head in range(2):
            total = 0.0
            for query in range(patches):
                weighted = share = 0.0
                for key in range(patches):
                    weight = float(pattern[image, head, prefix + query, prefix + key])
                    apart = math.hypot(
                        query // columns - key // columns, query % columns - key % columns
                    )
                    weighted += weight * apart
                    share += weight
                total += weighted / share
            assert float(found[image, head]) == pytest.approx(total / patches, rel=1e-6)


def test_what_the_class_token_gets_and_does_is_left_out() -> None:
    """Half of each patch's weight on [CLS] changes nothing, nor does where [CLS] looks."""
    plain = patterns(3, 4)
    with_class = torch.zeros(2, 3, 5, 5, dtype=torch.float64)
    with_class[..., 1:, 1:] = plain / 2
    with_class[..., 1:, 0] = 0.5
    with_class[..., 0, 1] = 1.0
    torch.testing.assert_close(
        mean_attention_distance(with_class, (2, 2)), mean_attention_distance(plain, (2, 2))
    )


def test_looking_only_at_itself_is_no_distance_and_everywhere_is_the_mean() -> None:
    assert float(mean_attention_distance(torch.eye(9)[None], (3, 3))) == 0.0
    everywhere = torch.full((9, 9), 1 / 9)
    expected = float(patch_distances((3, 3)).mean())
    assert float(mean_attention_distance(everywhere, (3, 3))) == pytest.approx(expected)


def test_a_query_that_sees_no_patch_is_left_out() -> None:
    pattern = torch.tensor([[1.0, 0, 0], [1.0, 0, 0], [0.0, 1, 0]])
    assert float(mean_attention_distance(pattern, (1, 2))) == 1.0
    assert math.isnan(float(mean_attention_distance(torch.eye(3)[[0, 0, 0]], (1, 2))))


def test_a_pattern_without_so_many_patches_is_refused() -> None:
    with pytest.raises(ValueError, match="4 tokens has no 3 x 2 patches"):
        mean_attention_distance(patterns(1, 4), (3, 2))


# contributions


@pytest.mark.parametrize("shape", ["cls_config", "mean_config"])
def test_contributions_and_the_bias_add_up_to_what_attention_adds(
    shape: str, random_model, random_images, request
) -> None:
    config = request.getfixturevalue(shape)
    model = random_model(config)
    recorded = trace(model, random_images(config))
    for index, block in enumerate(model.blocks):
        parts = head_contributions(block, recorded[f"blocks.{index}.attn.z"])
        expected = recorded[f"blocks.{index}.attn_out"]
        assert parts.shape == (3, config.num_heads, config.num_tokens, config.embed_dim)
        found = parts.sum(dim=1) + block.ls1(block.attn.proj.bias)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-11)


# off


@pytest.mark.parametrize("shape", ["cls_config", "mean_config"])
def test_off_is_the_same_as_no_weights_behind_the_head(
    shape: str, random_model, random_images, request
) -> None:
    config = request.getfixturevalue(shape)
    images = random_images(config)
    off = [(0, 1), (config.depth - 1, 0), (config.depth - 1, 2)]
    edited = trace(random_model(config), images, switch_heads_off(config, off))
    other = random_model(config)
    with torch.no_grad():
        for block, head in off:
            start = head * config.head_dim
            other.blocks[block].attn.proj.weight[:, start : start + config.head_dim] = 0
    torch.testing.assert_close(edited.logits, other(images), rtol=0, atol=1e-11)


def test_off_leaves_the_pattern_and_the_other_heads_of_its_block(
    cls_config: ViTConfig, random_model, random_images
) -> None:
    model, images = random_model(cls_config), random_images(cls_config)
    before = trace(model, images)
    after = trace(model, images, switch_heads_off(cls_config, [(1, 2)]))
    assert torch.equal(before["blocks.1.attn.pattern"], after["blocks.1.attn.pattern"])
    z_before, z_after = before["blocks.1.attn.z"], after["blocks.1.attn.z"]
    assert not z_after[:, 2].any()
    assert torch.equal(z_before[:, [0, 1, 3]], z_after[:, [0, 1, 3]])
    assert not torch.equal(before.logits, after.logits)


def test_nothing_off_is_no_edit(cls_config: ViTConfig) -> None:
    assert switch_heads_off(cls_config, []) == {}


@pytest.mark.parametrize("place", [(4, 0), (0, 4), (-1, 0), (0, -1)])
def test_a_head_that_is_not_there_is_refused(place: tuple[int, int], cls_config) -> None:
    with pytest.raises(
        ValueError, match=r"there is no head -?\d in block -?\d; blocks are from 0 to 3"
    ):
        switch_heads_off(cls_config, [place])


# effects


@pytest.mark.parametrize("shape", ["cls_config", "mean_config"])
def test_effects_are_those_of_switching_each_head_off(
    shape: str, random_model, random_images, request
) -> None:
    config = request.getfixturevalue(shape)
    model, images = random_model(config), random_images(config)
    found = head_effects(model, images)
    assert found.shape == (config.depth, config.num_heads, 3, config.num_classes)
    assert not found.requires_grad
    for block in range(config.depth):
        for head in range(config.num_heads):
            edits = switch_heads_off(config, [(block, head)])
            expected = trace(model, images, edits).logits
            torch.testing.assert_close(found[block, head], expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("images_at_once", [1, 2, 3])
def test_effects_are_the_same_however_many_heads_run_at_once(
    images_at_once: int, cls_config, random_model, random_images, monkeypatch
) -> None:
    model, images = random_model(cls_config), random_images(cls_config)
    expected, most = head_effects(model, images), 0
    monkeypatch.setattr(heads, "AT_ONCE", images_at_once * 3 * heads.block_bytes(cls_config))
    forward = EncoderBlock.forward

    def counted(block: EncoderBlock, tokens: Tensor, *tap: object) -> Tensor:
        nonlocal most
        most = max(most, len(tokens))
        return forward(block, tokens, *tap)

    monkeypatch.setattr(EncoderBlock, "forward", counted)
    found = head_effects(model, images)
    assert most == 3 * min(images_at_once, cls_config.num_heads)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-11)


def test_a_model_without_a_last_norm_or_with_one_head(random_images) -> None:
    config = ViTConfig(patch_size=14, depth=1, num_heads=1, final_norm=False)
    model: ViT = build(config).eval()
    images = random_images(config).float()
    expected = trace(model, images, switch_heads_off(config, [(0, 0)])).logits
    torch.testing.assert_close(head_effects(model, images)[0, 0], expected)
