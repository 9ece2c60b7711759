"""Filters as images, their principal components, and the embedding as a convolution."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vit_core import ViTConfig, build
from vit_core.interpret.filters import (
    embed_by_convolution,
    filter_images,
    neighbour_agreement,
    principal_filters,
)

CONFIGS = {
    "digits": ViTConfig(),
    "coarse": ViTConfig(patch_size=14, embed_dim=8),
    "fine": ViTConfig(patch_size=2, embed_dim=128, pool="mean"),
    "colour, oblong": ViTConfig(
        image_size=(12, 20), in_channels=3, patch_size=(4, 5), embed_dim=24, num_heads=3
    ),
}


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_a_filter_times_a_patch_is_a_sum_over_its_pixels() -> None:
    config = CONFIGS["colour, oblong"]
    model = build(config, seed=3).double()
    image = normal(1, 3, 12, 20).double()
    with torch.no_grad():
        embedding = model.patch_embed(image)[0]
    weight, bias = (part.detach() for part in model.patch_embed.proj.parameters())
    filters = filter_images(weight, config.patch_hw, 3)
    assert filters.shape == (24, 3, 4, 5)
    for patch in range(config.num_patches):
        row, column = divmod(patch, 4)
        pixels = image[0, :, 4 * row : 4 * row + 4, 5 * column : 5 * column + 5]
        for dimension in (0, 11, 23):
            total = float((pixels * filters[dimension]).sum())
            total += float(bias[dimension])
            assert float(embedding[patch, dimension]) == pytest.approx(total, abs=1e-12)


@pytest.mark.parametrize("shape", [(8, 15), (16,), (2, 8, 2)])
def test_weights_of_another_patch_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="no filters of 1 x 4 x 4 values"):
        filter_images(torch.zeros(shape), (4, 4))
    with pytest.raises(ValueError, match=r"must be \(filters, 16\)"):
        principal_filters(torch.zeros(shape), (4, 4))


@settings(max_examples=25)
@given(
    filters=st.integers(2, 40),
    height=st.integers(1, 5),
    width=st.integers(1, 5),
    channels=st.sampled_from([1, 3]),
    seed=st.integers(0, 99),
)
def test_components_against_the_covariance(
    filters: int, height: int, width: int, channels: int, seed: int
) -> None:
    values = channels * height * width
    weight = normal(filters, values, seed=seed).double()
    found = principal_filters(weight, (height, width), channels)
    count = min(filters, values)
    assert found.filters.shape == (count, channels, height, width)
    covariance = torch.cov(weight.T).reshape(values, values)
    variances = torch.linalg.eigvalsh(covariance).flip(0)[:count]
    torch.testing.assert_close(found.shares, variances / covariance.trace(), atol=1e-9, rtol=0)
    flat = found.filters.reshape(count, values)
    torch.testing.assert_close(flat @ flat.T, torch.eye(count).double(), atol=1e-9, rtol=0)
    # a direction of no variance is any that is left, so only the others are pinned
    for component, share in zip(flat, found.shares, strict=True):
        if share > 1e-9:
            moved = covariance @ component
            torch.testing.assert_close(
                moved, share * covariance.trace() * component, atol=1e-8, rtol=0
            )
        assert component[component.abs().argmax()] > 0
    torch.testing.assert_close(found.mean.flatten(), weight.mean(dim=0))


def test_all_components_together_give_back_every_filter() -> None:
    weight = normal(40, 12)
    found = principal_filters(weight, (3, 4))
    flat = found.filters.flatten(1)
    centred = weight - found.mean.flatten()
    torch.testing.assert_close(centred @ flat.T @ flat, centred, atol=1e-5, rtol=0)
    assert float(found.shares.sum()) == pytest.approx(1, abs=1e-6)
    assert (found.shares.diff() <= 0).all()


@pytest.mark.parametrize("count", [1, 5])
def test_filters_that_do_not_differ_have_no_shares(count: int) -> None:
    found = principal_filters(torch.full((count, 4), 0.1), (2, 2))
    assert found.shares.tolist() == [0.0] * min(count, 4)
    assert found.filters.isfinite().all()


def test_the_weights_stay_as_they_are_and_need_no_gradient() -> None:
    weight = build(CONFIGS["digits"]).patch_embed.proj.weight
    before = weight.detach().clone()
    found = principal_filters(weight, (4, 4))
    assert not found.filters.requires_grad
    torch.testing.assert_close(weight.detach(), before, atol=0, rtol=0)


def test_agreement_of_neighbours() -> None:
    checks = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])[None, None]
    assert neighbour_agreement(checks) == -1
    assert neighbour_agreement(torch.full((3, 1, 4, 5), -0.2)) == pytest.approx(1)
    # 1·2 and 3·4 across, 1·3 and 2·4 down: 25 / 4; squares: 30 / 4
    counted = torch.tensor([[1.0, 2.0], [3.0, 4.0]])[None, None]
    assert neighbour_agreement(counted) == pytest.approx(25 / 30)
    assert abs(neighbour_agreement(normal(500, 1, 7, 7))) < 4 / math.sqrt(500 * 84)
    assert math.isnan(neighbour_agreement(normal(5, 1, 1, 1)))
    assert math.isnan(neighbour_agreement(torch.zeros(5, 1, 2, 2)))


@pytest.mark.parametrize("name", CONFIGS)
def test_a_convolution_embeds_alike(name: str) -> None:
    config = CONFIGS[name]
    embedding = build(config, seed=1).patch_embed.double()
    torch.nn.init.normal_(embedding.proj.bias)
    images = normal(2, config.in_channels, *config.image_hw).double()
    with torch.no_grad():
        torch.testing.assert_close(
            embed_by_convolution(embedding, images), embedding(images), atol=1e-12, rtol=0
        )
