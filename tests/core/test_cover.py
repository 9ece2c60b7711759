"""Hiding patches from a model."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from vit_core import ViT, ViTConfig
from vit_core.interpret.cover import cover_patches, leave_out_patches
from vit_core.model import patchify


def test_covered_patches_have_one_value_and_the_others_their_pixels(
    mean_config: ViTConfig, random_images: Callable[..., Tensor]
) -> None:
    images = random_images(mean_config)
    value = torch.arange(9.0, dtype=images.dtype).view(3, 3)
    covered = patchify(cover_patches(images, (4, 3), [1, 6], value), (4, 3))
    before = patchify(images, (4, 3))
    for patch in range(mean_config.num_patches):
        if patch in (1, 6):
            assert torch.equal(covered[:, patch], value.repeat_interleave(12, dim=1))
        else:
            assert torch.equal(covered[:, patch], before[:, patch])


def test_one_value_serves_all_images(random_images: Callable[..., Tensor]) -> None:
    images = random_images(ViTConfig(patch_size=14), batch=2)
    covered = cover_patches(images, (14, 14), [3], torch.tensor([-0.5], dtype=images.dtype))
    assert (covered[:, :, 14:, 14:] == -0.5).all()
    assert torch.equal(covered[:, :, :14], images[:, :, :14])


@pytest.mark.parametrize("pool", ["cls", "mean"])
def test_a_patch_that_was_left_out_cannot_change_anything(
    pool: str, random_model: Callable[..., ViT], random_images: Callable[..., Tensor]
) -> None:
    config = ViTConfig(patch_size=14, embed_dim=8, depth=2, num_heads=2, pool=pool, num_registers=1)
    model, images = random_model(config), random_images(config, batch=1)
    other = cover_patches(images, (14, 14), [2], torch.zeros(1, dtype=images.dtype))

    def logits(images: Tensor, left_out: list[int]) -> Tensor:
        def tap(name: str, tensor: Tensor) -> Tensor:
            return leave_out_patches(tensor, config, left_out) if name == "embed" else tensor

        return model(images, tap)

    with torch.no_grad():
        assert torch.equal(logits(images, [2]), logits(other, [2]))
        assert not torch.allclose(logits(images, [1]), logits(other, [1]))
        assert torch.allclose(logits(images, []), model(images))


def test_a_patch_that_does_not_exist_is_refused(random_images: Callable[..., Tensor]) -> None:
    config = ViTConfig(patch_size=14)
    with pytest.raises(ValueError, match="from 0 to 3"):
        cover_patches(random_images(config), (14, 14), [4], torch.zeros(1))
    with pytest.raises(ValueError, match="from 0 to 3"):
        leave_out_patches(torch.zeros(1, 5, 64), config, [-1])
    with pytest.raises(ValueError, match="at least one"):
        leave_out_patches(torch.zeros(1, 5, 64), config, range(4))
