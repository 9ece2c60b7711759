"""Attention and rollout against their formulas, step by step; ink and random."""

import pytest
import torch
from explained_models import KINDS, SMALL, explained, pictures
from torch import Tensor

from vit_core import ViT, trace
from vit_core.interpret import attribute
from vit_core.interpret.attribution.rollout import half_residual
from vit_core.model import build, patchify


def patterns(model: ViT, images: Tensor) -> list[Tensor]:
    """Return each block's pattern, the mean of its heads, (B, N, N), from the first block on."""
    recorded = trace(model.eval(), images)
    blocks = range(model.config.depth)
    return [recorded[f"blocks.{block}.attn.pattern"].mean(dim=1) for block in blocks]


def row_that_is_read(model: ViT, matrix_BNN: Tensor) -> Tensor:
    """Return the patches' entries of the row, written with loops."""
    config = model.config
    patches = range(config.num_tokens - config.num_patches, config.num_tokens)
    rows = [0] if config.pool == "cls" else list(patches)
    return torch.stack(
        [sum(matrix_BNN[:, row, patch] for row in rows) / len(rows) for patch in patches], dim=1
    )


@pytest.mark.parametrize("kind", KINDS)
def test_attention_is_the_last_blocks_mean_pattern(kind: str) -> None:
    model = explained(kind)
    images = pictures(model.config)
    found = attribute(model, images, method="attention")
    expected = row_that_is_read(model, patterns(model, images)[-1])
    torch.testing.assert_close(found.patches, expected)
    assert (found.passes, found.error, found.is_signed) == (1, None, False)


@pytest.mark.parametrize("kind", KINDS)
def test_rollout_multiplies_the_patterns_from_the_first_block_to_the_last(kind: str) -> None:
    model = explained(kind)
    images = pictures(model.config)
    found = attribute(model, images, method="rollout")
    rolled = torch.eye(model.config.num_tokens, dtype=images.dtype)
    for mean_BNN in patterns(model, images):
        rolled = (0.5 * mean_BNN + 0.5 * torch.eye(model.config.num_tokens)) @ rolled
    torch.testing.assert_close(rolled.sum(dim=2), torch.ones_like(rolled[:, :, 0]))
    torch.testing.assert_close(found.patches, row_that_is_read(model, rolled))


def test_rollout_by_hand() -> None:
    """Two tokens, two blocks: fractions that can be worked out on paper."""
    first, second = torch.tensor([[0.5, 0.5], [0.0, 1.0]]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    rolled = half_residual(second) @ half_residual(first)
    assert rolled.tolist() == [[0.375, 0.625], [0.375, 0.625]]
    other_order = half_residual(first) @ half_residual(second)
    assert other_order.tolist() == [[0.5, 0.5], [0.5, 0.5]]


def test_rollout_shares_out_everything_where_all_patches_are_read() -> None:
    """Without a class token and registers, no share is lost."""
    model = explained("mean pooling")
    found = attribute(model, pictures(model.config))
    torch.testing.assert_close(found.patches.sum(dim=1), torch.ones(3, dtype=torch.float64))
    assert (found.patches > 0).all()


@pytest.mark.parametrize("method", ["attention", "rollout", "ink", "random"])
def test_a_map_that_knows_no_class_is_the_same_for_each(method: str) -> None:
    model = explained("class token")
    images = pictures(model.config)
    maps = [attribute(model, images, t, method).patches for t in (None, [0, 1, 2], [3, 3, 3])]
    assert torch.equal(maps[0], maps[1])
    assert torch.equal(maps[0], maps[2])


def test_ink_is_the_mean_of_a_patchs_pixels() -> None:
    model = explained("registers, LayerScale, oblong")
    images = pictures(model.config)
    found = attribute(model, images, method="ink")
    expected = [
        images[:, :, row : row + 2, column : column + 3].mean(dim=(1, 2, 3))
        for row in (0, 2)
        for column in (0, 3, 6)
    ]
    torch.testing.assert_close(found.patches, torch.stack(expected, dim=1))
    torch.testing.assert_close(found.patches, patchify(images, (2, 3)).mean(dim=2))
    assert found.passes == 0


def test_random_depends_on_the_seed_and_the_picture_alone() -> None:
    model = explained("class token")
    images = pictures(model.config)
    found = attribute(model, images, method="random")
    assert torch.equal(found.patches, attribute(model, images, method="random", seed=0).patches)
    other = attribute(model, images, method="random", seed=1)
    assert (found.patches != other.patches).all()
    turned = attribute(model, images.flip(0), method="random")
    assert torch.equal(found.patches, turned.patches.flip(0))
    assert len(found.patches.unique()) == found.patches.numel()
    assert ((found.patches >= 0) & (found.patches < 1)).all()
    single = attribute(model.float(), images.float(), method="random")
    torch.testing.assert_close(single.patches.double(), found.patches, rtol=0, atol=1e-7)


def test_random_leaves_the_global_generator_alone() -> None:
    model = build(SMALL)
    state = torch.get_rng_state()
    attribute(model, pictures(SMALL).float(), method="random")
    assert torch.equal(state, torch.get_rng_state())
