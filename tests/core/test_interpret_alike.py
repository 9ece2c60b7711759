"""Similar patches, against plain loops over the tensors of a trace."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from vit_core import ViT, ViTConfig, trace
from vit_core.interpret.alike import best_matches, cosines, directions, patch_stages
from vit_core.interpret.changed import ChangedViT, with_flaws
from vit_core.mistakes import Flaws

Maker = Callable[..., ViT]
ImageMaker = Callable[..., Tensor]


@pytest.fixture(params=["cls_config", "mean_config"])
def config(request: pytest.FixtureRequest) -> ViTConfig:
    config: ViTConfig = request.getfixturevalue(request.param)
    return config


def check_stages(model: ViT, images: Tensor) -> None:
    stages, recorded = patch_stages(model, images), trace(model, images)
    config = model.config
    assert stages.shape == (
        len(images),
        config.depth + 1,
        config.num_patches,
        config.embed_dim,
    )
    before = config.num_prefix_tokens
    assert torch.equal(stages[:, 0], recorded["embed"][:, before:])
    for block in range(config.depth):
        expected = recorded[f"blocks.{block}.resid_post"][:, before:]
        assert torch.equal(stages[:, block + 1], expected)


def test_stages_are_the_patches_of_the_stream(
    config: ViTConfig, random_model: Maker, random_images: ImageMaker
) -> None:
    check_stages(random_model(config), random_images(config))


def test_a_flawed_and_a_changed_model_give_stages_of_their_own_pass(
    cls_config: ViTConfig, random_model: Maker, random_images: ImageMaker
) -> None:
    model, images = random_model(cls_config), random_images(cls_config)
    for other in (
        with_flaws(model, Flaws(residual=False)),
        ChangedViT(model, {"pos_embed": torch.zeros_like}),
    ):
        check_stages(other, images)
        assert not torch.equal(patch_stages(other, images), patch_stages(model, images))


def test_no_graph_is_kept(
    cls_config: ViTConfig, random_model: Maker, random_images: ImageMaker
) -> None:
    assert not patch_stages(random_model(cls_config), random_images(cls_config)).requires_grad


def test_the_pass_says_how_far_it_is_and_can_be_ended(
    cls_config: ViTConfig, random_model: Maker, random_images: ImageMaker
) -> None:
    model, images = random_model(cls_config), random_images(cls_config)
    heard: list[tuple[int, int]] = []
    patch_stages(model, images, lambda *counts: heard.append(counts))
    assert heard == [(block, 4) for block in range(5)]

    def stop(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        patch_stages(model, images, stop)


def test_cosines_against_a_loop() -> None:
    generator = torch.Generator().manual_seed(0)
    rows, others = (torch.randn(size, 7, generator=generator).double() for size in (4, 5))
    rows[1] = 0
    found = cosines(rows, others)
    for row in range(4):
        for other in range(5):
            product = sum(a * b for a, b in zip(rows[row], others[other], strict=True))
            lengths = rows[row].norm() * others[other].norm()
            expected = float(product / lengths) if row != 1 else 0.0
            assert float(found[row, other]) == pytest.approx(expected)
    assert torch.allclose(cosines(others, others).diagonal(), torch.ones(5).double())
    assert torch.equal(directions(torch.zeros(2, 3)), torch.zeros(2, 3))


def test_the_best_match_of_a_mirrored_picture_is_the_mirrored_patch(
    cls_config: ViTConfig,
) -> None:
    generator = torch.Generator().manual_seed(3)
    rows = torch.randn(12, 6, generator=generator)
    mirrored = rows.view(3, 4, 6).flip(1).reshape(12, 6)
    found = best_matches(rows, mirrored)
    expected = torch.arange(12).view(3, 4).flip(1).reshape(12)
    assert torch.equal(found.patches, expected)
    assert torch.allclose(found.cosines, torch.ones(12))
    assert found.are_mutual.all()


def test_matches_against_a_loop() -> None:
    generator = torch.Generator().manual_seed(5)
    rows, others = (torch.randn(size, 3, generator=generator).double() for size in (9, 6))
    found, table = best_matches(rows, others), cosines(rows, others).tolist()
    for row in range(9):
        best = max(range(6), key=lambda other: table[row][other])
        assert int(found.patches[row]) == best
        assert float(found.cosines[row]) == table[row][best]
        back = max(range(9), key=lambda one: table[one][best])
        assert bool(found.are_mutual[row]) == (back == row)
    assert found.are_mutual.any() and not found.are_mutual.all()
