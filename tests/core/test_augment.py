"""Augmentation: batched, reproducible, background stays background, and not too much of it."""

import pytest
import torch

from vit_core.data import mnist_test
from vit_core.data.augmentation import affine_grid, augment, crop, shift, smallest_area, warp


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("kind", ["none", "shift", "affine", "elastic", "crop"])
def test_shape_range_and_seed(kind: str) -> None:
    images = mnist_test().images[:16]
    changed = augment(images, kind, 1.0, generator())
    assert changed.shape == images.shape
    assert changed.min() >= 0 and changed.max() <= 255.01
    assert torch.equal(changed, augment(images, kind, 1.0, generator()))
    assert (kind == "none") == torch.equal(changed, images)


@pytest.mark.parametrize("kind", ["affine", "elastic", "crop"])
def test_strength_zero_changes_nothing(kind: str) -> None:
    images = mnist_test().images[:4]
    changed = augment(images, kind, 0.0, generator())
    torch.testing.assert_close(changed, images.float(), atol=0.01, rtol=0)


def test_shift_moves_whole_images_by_whole_pixels() -> None:
    images = torch.zeros(200, 2, 5, 7, dtype=torch.uint8)
    images[:, 0, 2, 3], images[:, 1, 2, 3] = 10, 20
    moved = shift(images, 1, generator())
    rows, columns = moved[:, 0].flatten(1).argmax(1) // 7, moved[:, 0].flatten(1).argmax(1) % 7
    assert set(rows.tolist()) == {1, 2, 3} and set(columns.tolist()) == {2, 3, 4}
    assert torch.equal(moved[:, 1], 2 * moved[:, 0])  # channels move together
    assert (moved[:, 0].sum((1, 2)) == 10).all()


def test_each_image_has_a_draw_of_its_own() -> None:
    images = mnist_test().images[:1].expand(8, -1, -1, -1)
    changed = augment(images, "affine", 1.0, generator())
    assert len({image.sum().item() for image in changed}) == 8


def test_the_affine_grid_stays_within_its_stated_range() -> None:
    images = torch.zeros(500, 1, 28, 28)
    centre = affine_grid(images, 1.0, generator())[:, 13:15, 13:15].mean((1, 2))
    assert centre.abs().max() <= 0.12 + 1e-6  # 6 % of the width, in half images
    assert centre.abs().max() > 0.1


def test_the_warp_is_smooth() -> None:
    field = warp(torch.zeros(50, 1, 28, 28), 1.0, generator())
    steps = field.diff(dim=1).abs().mean()
    assert steps < 0.25 * field.abs().mean()


def test_a_crop_is_a_part_of_the_image_of_the_stated_area() -> None:
    ramp = torch.linspace(0, 255, 28).expand(1, 1, 28, 28)
    images = torch.cat((ramp, ramp.transpose(2, 3)), dim=1).expand(300, -1, -1, -1)
    cut = crop(images, 1.0, generator())
    across = (cut[:, 0, 14, 27] - cut[:, 0, 14, 0]) / 255
    down = (cut[:, 1, 27, 14] - cut[:, 1, 0, 14]) / 255
    areas, proportions = across * down, across / down
    assert areas.min() > 0.3 and areas.min() < 0.4  # 0.35 at strength 1
    assert areas.max() > 0.9
    assert proportions.min() > 0.7 and proportions.max() < 1.43
    assert smallest_area(4.0) == 0.08
