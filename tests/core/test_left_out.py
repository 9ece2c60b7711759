"""Passes that see only some patches, against leaving the tokens out one picture at a time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from vit_core import TrainConfig, ViT, ViTConfig
from vit_core.interpret import left_out
from vit_core.interpret.changed import ChangedViT
from vit_core.interpret.cover import leave_out_patches
from vit_core.interpret.heads import switch_heads_off
from vit_core.interpret.left_out import all_but_one, output_of_kept, passes_at_once
from vit_core.mistakes import MISTAKES, build_with

SMALL = ViTConfig(image_size=(4, 6), patch_size=2, embed_dim=8, depth=2, num_heads=2, num_classes=4)
CONFIGS = {
    "class token": SMALL,
    "mean pooling": replace(SMALL, pool="mean"),
    "registers, LayerScale": replace(SMALL, num_registers=2, layer_scale=0.3),
    "registers, mean": replace(SMALL, num_registers=1, pool="mean", in_channels=3),
    "no head": replace(SMALL, num_classes=0),
}


def one_by_one(model: ViT, images: Tensor, kept_BVS: Tensor) -> Tensor:
    """Run every variant of every picture alone, with the function that leaves tokens out."""
    config = model.config

    def output(image: Tensor, kept: list[int]) -> Tensor:
        gone = [patch for patch in range(config.num_patches) if patch not in kept]

        def tap(name: str, tensor: Tensor) -> Tensor:
            return leave_out_patches(tensor, config, gone) if name == "embed" else tensor

        return model(image[None], tap)[0]

    with torch.no_grad():
        return torch.stack(
            [
                torch.stack([output(image, kept) for kept in variants.tolist()])
                for image, variants in zip(images, kept_BVS, strict=True)
            ]
        )


def drawn_patches(config: ViTConfig, batch: int, variants: int, stay: int) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    draws = torch.rand((batch, variants, config.num_patches), generator=generator)
    return draws.argsort(dim=2)[..., :stay]


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("stay", [1, 4, 6])
@pytest.mark.parametrize("at_once", [1, 5, 100])
def test_each_variant_equals_its_own_pass(
    name: str,
    stay: int,
    at_once: int,
    random_model: Callable[..., ViT],
    random_images: Callable[..., Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = CONFIGS[name]
    monkeypatch.setattr(left_out, "passes_at_once", lambda *_: at_once)
    model, images = random_model(config), random_images(config)
    kept = drawn_patches(config, batch=3, variants=4, stay=stay)
    expected = one_by_one(model, images, kept)
    torch.testing.assert_close(output_of_kept(model, images, kept), expected)
    if stay == config.num_patches:
        with torch.no_grad():
            whole = model(images)[:, None].expand_as(expected)
        torch.testing.assert_close(expected, whole)


@pytest.mark.parametrize("pool", ["cls", "mean"])
@pytest.mark.parametrize("registers", [0, 2])
def test_with_no_patch_left_the_picture_no_longer_matters(
    pool: str,
    registers: int,
    random_model: Callable[..., ViT],
    random_images: Callable[..., Tensor],
) -> None:
    config = replace(SMALL, pool=pool, num_registers=registers)
    model, images = random_model(config), random_images(config)
    output = output_of_kept(model, images, torch.zeros((3, 2, 0), dtype=torch.int64))
    assert output.shape == (3, 2, 4)
    assert output.isfinite().all()
    # one processor adds the rows of a batch in another order than the next
    torch.testing.assert_close(output, output[0, 0].expand_as(output), rtol=0, atol=1e-12)
    if pool == "mean":
        torch.testing.assert_close(output[0, 0], model.head.bias.detach())


@pytest.mark.parametrize("mistake", ["no_residual", "no_layer_norm", "no_scaling", "no_position"])
def test_a_flawed_model_runs_with_its_flaw(
    mistake: str, random_images: Callable[..., Tensor]
) -> None:
    model = build_with(*MISTAKES[mistake].apply(SMALL, TrainConfig())).double().eval()
    images, kept = random_images(SMALL), drawn_patches(SMALL, 3, 2, 3)
    expected = one_by_one(model, images, kept)
    torch.testing.assert_close(output_of_kept(model, images, kept), expected)


def test_a_head_that_is_switched_off_stays_off(
    random_model: Callable[..., ViT], random_images: Callable[..., Tensor]
) -> None:
    model, images = random_model(SMALL), random_images(SMALL)
    changed = ChangedViT(model, switch_heads_off(SMALL, [(1, 0)]))
    kept = drawn_patches(SMALL, 3, 2, 3)
    output = output_of_kept(changed, images, kept)
    torch.testing.assert_close(output, one_by_one(changed, images, kept))
    assert not torch.allclose(output, output_of_kept(model, images, kept))


def test_the_order_of_the_patches_changes_not_one_bit(
    random_model: Callable[..., ViT], random_images: Callable[..., Tensor]
) -> None:
    model, images = random_model(SMALL), random_images(SMALL)
    kept = drawn_patches(SMALL, 3, 2, 4)
    assert torch.equal(
        output_of_kept(model, images, kept), output_of_kept(model, images, kept.flip(2))
    )


def test_four_threads_share_a_model(
    random_model: Callable[..., ViT], random_images: Callable[..., Tensor]
) -> None:
    model = random_model(SMALL)
    batches = [random_images(SMALL, seed=seed) for seed in range(8)]
    kept = all_but_one(SMALL).expand(3, -1, -1)
    alone = [output_of_kept(model, images, kept) for images in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda images: output_of_kept(model, images, kept), batches))
    assert all(map(torch.equal, alone, together))
    assert all(parameter.grad is None for parameter in model.parameters())


def test_all_but_one_lacks_each_patch_once() -> None:
    kept = all_but_one(SMALL)
    assert kept.shape == (6, 5)
    for patch, row in enumerate(kept.tolist()):
        assert row == [other for other in range(6) if other != patch]


def test_progress_counts_passes_and_can_end_them(
    random_model: Callable[..., ViT],
    random_images: Callable[..., Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(left_out, "passes_at_once", lambda *_: 4)
    model, images = random_model(SMALL), random_images(SMALL, batch=2)
    kept, heard = all_but_one(SMALL).expand(2, -1, -1), []
    output_of_kept(model, images, kept, lambda done, total: heard.append((done, total)))
    assert heard == [(4, 12), (8, 12), (12, 12)]

    def stop(done: int, total: int) -> None:
        raise InterruptedError(f"{done} of {total}")

    with pytest.raises(InterruptedError, match="4 of 12"):
        output_of_kept(model, images, kept, stop)


def test_what_does_not_fit_is_refused(
    random_model: Callable[..., ViT], random_images: Callable[..., Tensor]
) -> None:
    model, images = random_model(SMALL), random_images(SMALL)
    with pytest.raises(ValueError, match="no patch 6; they are from 0 to 5"):
        output_of_kept(model, images, torch.full((3, 1, 1), 6))
    with pytest.raises(ValueError, match="no patch -1"):
        output_of_kept(model, images, torch.full((3, 1, 1), -1))
    with pytest.raises(ValueError, match="3 pictures do not fit patches of 2"):
        output_of_kept(model, images, torch.zeros((2, 1, 1), dtype=torch.int64))


def test_chunks_are_smaller_for_larger_models_and_never_empty() -> None:
    large = ViTConfig(
        image_size=224, in_channels=3, patch_size=14, embed_dim=384, depth=12, num_heads=6
    )
    assert passes_at_once(large) == 1
    assert passes_at_once(ViTConfig()) > 50
    assert passes_at_once(ViTConfig(), tokens=5) > passes_at_once(ViTConfig())
