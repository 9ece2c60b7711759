"""Position: similarity, waves and shuffles, against plain loops and the model's own tables."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vit_core import ViT, ViTConfig, trace
from vit_core.interpret.position import (
    position_similarity,
    shuffle_experiment,
    shuffle_patches,
    wave,
    without_position,
)
from vit_core.model import sincos_1d, sincos_2d

CONFIGS = {
    "class token": ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=4),
    "mean": ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2, pool="mean"),
    "registers": ViTConfig(
        image_size=(8, 12),
        in_channels=3,
        patch_size=(4, 3),
        embed_dim=24,
        depth=2,
        num_heads=3,
        num_registers=2,
    ),
}


def order(count: int, seed: int = 0) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))


# similarity


@settings(max_examples=25)
@given(rows=st.integers(1, 8), width=st.integers(1, 8), seed=st.integers(0, 99))
def test_similarity_against_a_loop(rows: int, width: int, seed: int) -> None:
    table = torch.randn(rows, width, generator=torch.Generator().manual_seed(seed)).double()
    table[0] = 0
    found = position_similarity(table)
    assert found.shape == (rows, rows)
    for i, one in enumerate(table.tolist()):
        for j, other in enumerate(table.tolist()):
            dot = sum(a * b for a, b in zip(one, other, strict=True))
            size = math.hypot(*one) * math.hypot(*other)
            assert float(found[i, j]) == pytest.approx(dot / size if size else 0.0, abs=1e-12)


def test_similarity_keeps_leading_axes_and_is_at_most_one() -> None:
    table = sincos_1d(torch.arange(50), 64)[None]
    found = position_similarity(table)
    assert found.shape == (1, 50, 50)
    assert found.max() <= 1 and found.diagonal(dim1=1, dim2=2).min() > 0.999999


# waves


@pytest.mark.parametrize("dim", [1, 2, 7, 8, 64])
def test_every_cell_of_the_table_follows_its_wave(dim: int) -> None:
    table = sincos_1d(torch.arange(30), dim)
    for dimension in range(dim):
        found = wave("sincos", dim, dimension)
        assert found.along == "position"
        expected = [getattr(math, found.function)(found.frequency * place) for place in range(30)]
        assert table[:, dimension].tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("dim", [4, 8, 64])
def test_every_cell_of_the_2d_table_follows_its_wave(dim: int) -> None:
    table = sincos_2d(3, 5, dim).view(3, 5, dim)
    for dimension in range(dim):
        found = wave("sincos2d", dim, dimension)
        for row in range(3):
            for column in range(5):
                place = {"row": row, "column": column}[found.along]
                expected = getattr(math, found.function)(found.frequency * place)
                assert float(table[row, column, dimension]) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("kind", "dim", "dimension", "said"),
    [
        ("sincos", 8, 8, "from 0 to 7"),
        ("sincos", 8, -1, "from 0 to 7"),
        ("sincos2d", 6, 0, "divisible by 4"),
        ("learned", 8, 0, "'learned'"),
    ],
)
def test_a_wave_that_there_is_not(kind: str, dim: int, dimension: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        wave(kind, dim, dimension)


# shuffles


@settings(max_examples=25)
@given(
    rows=st.integers(1, 4),
    columns=st.integers(1, 4),
    height=st.integers(1, 3),
    width=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_patches_are_laid_where_the_permutation_says(
    rows: int, columns: int, height: int, width: int, seed: int
) -> None:
    images = torch.arange(2 * 2 * rows * height * columns * width, dtype=torch.float64)
    images = images.view(2, 2, rows * height, columns * width)
    permutation = order(rows * columns, seed)
    found = shuffle_patches(images, (height, width), permutation)
    assert found.shape == images.shape
    for place, origin in enumerate(permutation.tolist()):
        (row, column), (old_row, old_column) = divmod(place, columns), divmod(origin, columns)
        here = found[..., row * height : (row + 1) * height, column * width : (column + 1) * width]
        there = images[
            ...,
            old_row * height : (old_row + 1) * height,
            old_column * width : (old_column + 1) * width,
        ]
        assert torch.equal(here, there)


def test_pixels_of_whole_numbers_are_shuffled_as_well() -> None:
    images = torch.arange(16, dtype=torch.uint8).view(1, 1, 4, 4)
    found = shuffle_patches(images, (2, 4), torch.tensor([1, 0]))
    assert found.dtype == torch.uint8
    assert found.flatten().tolist() == [*range(8, 16), *range(8)]


@pytest.mark.parametrize("permutation", [[0, 1, 2], [0, 1, 1, 3], [1, 2, 3, 4], [0, 1, 2, 3, 4]])
def test_what_is_no_permutation_is_refused(permutation: list[int]) -> None:
    with pytest.raises(ValueError, match="names each of 0 to 3 once"):
        shuffle_patches(torch.zeros(1, 1, 4, 4), (2, 2), torch.tensor(permutation))


def test_an_image_of_no_whole_patches_is_refused() -> None:
    with pytest.raises(ValueError, match="whole patches"):
        shuffle_patches(torch.zeros(1, 1, 5, 4), (2, 2), torch.arange(4))


@pytest.mark.parametrize("pos_embed", ["learned", "sincos", "sincos2d", "none"])
@pytest.mark.parametrize("name", CONFIGS)
def test_without_position_the_order_does_not_matter(
    name: str,
    pos_embed: str,
    random_model: Callable[..., ViT],
    random_images: Callable[..., Tensor],
) -> None:
    config = replace(CONFIGS[name], pos_embed=pos_embed)
    model, images = random_model(config), random_images(config)
    if model.pos_embed is not None:
        model.pos_embed = model.pos_embed.double()
    for seed in range(3):
        found = shuffle_experiment(model, images, order(config.num_patches, seed))
        torch.testing.assert_close(
            found.in_order_without, found.shuffled_without, rtol=0, atol=1e-10
        )
        apart = (found.in_order - found.shuffled).abs().max()
        assert apart < 1e-10 if pos_embed == "none" else apart > 1e-3
    assert torch.equal(found.in_order, trace(model, images).logits)


def test_without_position_equals_a_model_that_never_had_one(
    random_model: Callable[..., ViT], random_images: Callable[..., Tensor]
) -> None:
    config = CONFIGS["registers"]
    model, images = random_model(config), random_images(config)
    bare = random_model(replace(config, pos_embed="none"))
    bare.load_state_dict({k: v for k, v in model.state_dict().items() if k != "pos_embed"})
    found = without_position(model, images)
    torch.testing.assert_close(found, bare(images), rtol=0, atol=1e-12)
    assert (found - model(images)).abs().max() > 1e-3


def test_the_same_order_changes_nothing(
    random_model: Callable[..., ViT], random_images: Callable[..., Tensor]
) -> None:
    config = CONFIGS["mean"]
    found = shuffle_experiment(random_model(config), random_images(config), torch.arange(16))
    assert torch.equal(found.in_order, found.shuffled)
    assert torch.equal(found.in_order_without, found.shuffled_without)
