"""Deletion and insertion, against running every picture and every step alone."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import floor

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vit_core import TrainConfig, ViT, ViTConfig, load_checkpoint
from vit_core.checkpoint import SHIPPED_DIR
from vit_core.data import mnist_info, mnist_test, normalize
from vit_core.interpret import AttributionError, Curves, deletion, deletion_insertion, left_out
from vit_core.interpret.changed import ChangedViT
from vit_core.interpret.cover import cover_each, cover_patches, leave_out_patches
from vit_core.interpret.deletion import FILLS, black_pixel
from vit_core.interpret.heads import switch_heads_off
from vit_core.mistakes import MISTAKES, build_with

SMALL = ViTConfig(image_size=(6, 8), patch_size=2, embed_dim=8, depth=2, num_heads=2, num_classes=4)
COLOUR = replace(SMALL, patch_size=(3, 2), in_channels=3)
CONFIGS = {
    "class token": SMALL,
    "mean pooling": replace(SMALL, pool="mean"),
    "registers, LayerScale, colour": replace(COLOUR, num_registers=2, layer_scale=0.3),
    "registers, mean": replace(COLOUR, num_registers=1, pool="mean"),
    "no head": replace(SMALL, num_classes=0),
    "no head, mean": replace(COLOUR, num_classes=0, pool="mean"),
    "one patch": replace(SMALL, patch_size=(6, 8)),
}


def drawn_map(config: ViTConfig, batch: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(7)
    return torch.randn((batch, config.num_patches), generator=generator, dtype=torch.float64)


def targets_of(config: ViTConfig) -> Tensor | None:
    return torch.tensor([2, 0, 3]) if config.num_classes else None


def brute_force(
    model: ViT, image: Tensor, target: int | None, values: Tensor, fill: str, steps: int
) -> tuple[list[float], list[float]]:
    """Return deletion and insertion of one picture, one pass after the other."""
    config = model.config
    order = sorted(range(config.num_patches), key=lambda patch: -float(values[patch]))
    steps = min(steps, len(order))
    colours = image.amin(dim=(2, 3)) if fill == "black" else torch.zeros(1, len(image[0])).double()

    def output(gone: list[int]) -> Tensor:
        if fill != "drop":
            return model(cover_patches(image, config.patch_hw, gone, colours))[0]
        nothing = len(gone) == config.num_patches

        def tap(name: str, tensor: Tensor) -> Tensor:
            if name == "embed":
                if nothing:
                    return tensor[:, : config.num_prefix_tokens]
                return leave_out_patches(tensor, config, gone)
            if name == "pooled" and nothing and config.pool == "mean":
                return torch.zeros_like(tensor)
            return tensor

        return model(image, tap)[0]

    def score(gone: list[int]) -> float:
        if target is None:
            return float(F.cosine_similarity(output(gone), model(image)[0], dim=0))
        return float(output(gone).softmax(dim=0)[target])

    counts = [floor(step * len(order) / steps + 0.5) for step in range(steps + 1)]
    with torch.no_grad():
        return (
            [score(order[:count]) for count in counts],
            [score(order[count:]) for count in counts],
        )


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("steps", [1, 5, 14])
def test_curves_equal_one_pass_after_the_other(
    name: str,
    fill: str,
    steps: int,
    random_model: Callable[..., ViT],
    random_images: Callable[..., Tensor],
) -> None:
    config = CONFIGS[name]
    model, images = random_model(config), random_images(config)
    values, targets = drawn_map(config), targets_of(config)
    curves = deletion_insertion(model, images, targets, values, fill, steps)
    points = min(steps, config.num_patches) + 1
    assert curves.deletion.shape == curves.insertion.shape == (3, points)
    assert curves.deletion.dtype == torch.float64
    for index in range(3):
        target = None if targets is None else int(targets[index])
        gone, back = brute_force(
            model, images[index : index + 1], target, values[index], fill, steps
        )
        torch.testing.assert_close(curves.deletion[index].tolist(), gone)
        torch.testing.assert_close(curves.insertion[index].tolist(), back)


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("fill", FILLS)
def test_both_curves_end_at_the_whole_picture_and_at_nothing(
    name: str,
    fill: str,
    random_model: Callable[..., ViT],
    random_images: Callable[..., Tensor],
) -> None:
    config = CONFIGS[name]
    model, images, targets = random_model(config), random_images(config), targets_of(config)
    curves = deletion_insertion(model, images, targets, drawn_map(config), fill)
    with torch.no_grad():
        output = model(images)
    if targets is None:
        whole = torch.ones(3).double()
    else:
        whole = output.softmax(dim=1).gather(1, targets[:, None])[:, 0]
    torch.testing.assert_close(curves.deletion[:, 0], whole)
    torch.testing.assert_close(curves.insertion[:, -1], whole)
    assert torch.equal(curves.deletion[:, -1], curves.insertion[:, 0])
    if fill == "drop":  # what is left is the same for every picture
        empty = deletion_insertion(model, images.flip(0), targets, drawn_map(config)).deletion
        if targets is not None:
            torch.testing.assert_close(curves.deletion[:, -1], empty[:, -1])
    assert curves.shares[0] == 0
    assert curves.shares[-1] == 1
    assert curves.passes == 2 * (curves.deletion.shape[1] - 1)


def test_areas_are_the_mean_height_of_the_curves(
    random_model: Callable[..., ViT], random_images: Callable[..., Tensor]
) -> None:
    model, images = random_model(SMALL), random_images(SMALL)
    curves = deletion_insertion(model, images, targets_of(SMALL), drawn_map(SMALL), steps=5)
    assert [round(float(share) * 12) for share in curves.shares] == [0, 2, 5, 7, 10, 12]
    for index in range(3):
        for curve, area in (
            (curves.deletion[index].tolist(), curves.deletion_area[index]),
            (curves.insertion[index].tolist(), curves.insertion_area[index]),
        ):
            widths = (2, 3, 2, 3, 2)
            by_hand = sum(
                width / 12 * (left + right) / 2
                for width, left, right in zip(widths, curve, curve[1:], strict=False)
            )
            assert float(area) == pytest.approx(by_hand, abs=1e-12)
            assert min(curve) <= float(area) <= max(curve)


@pytest.mark.parametrize("fill", FILLS)
def test_equal_values_go_in_reading_order(
    fill: str, random_model: Callable[..., ViT], random_images: Callable[..., Tensor]
) -> None:
    model, images, targets = random_model(SMALL), random_images(SMALL), targets_of(SMALL)
    falling = -torch.arange(12.0).expand(3, -1)
    flat = deletion_insertion(model, images, targets, torch.zeros(3, 12), fill)
    by_place = deletion_insertion(model, images, targets, falling, fill)
    assert torch.equal(flat.deletion, by_place.deletion)
    again = deletion_insertion(model, images, targets, torch.zeros(3, 12), fill)
    assert torch.equal(flat.insertion, again.insertion)


def test_the_reverse_map_swaps_deletion_and_insertion(
    random_model: Callable[..., ViT], random_images: Callable[..., Tensor]
) -> None:
    model, images, targets = random_model(SMALL), random_images(SMALL), targets_of(SMALL)
    values = drawn_map(SMALL)
    there = deletion_insertion(model, images, targets, values, steps=12)
    back = deletion_insertion(model, images, targets, -values, steps=12)
    torch.testing.assert_close(there.deletion, back.insertion.flip(1))


@pytest.mark.parametrize("fill", FILLS)
def test_a_batch_of_eight_equals_eight_of_one(
    fill: str, random_model: Callable[..., ViT], random_images: Callable[..., Tensor]
) -> None:
    config = CONFIGS["registers, LayerScale, colour"]
    model, images = random_model(config), random_images(config, batch=8)
    values, targets = drawn_map(config, 8), torch.arange(8) % 4
    together = deletion_insertion(model, images, targets, values, fill)
    for index in range(8):
        one = slice(index, index + 1)
        alone = deletion_insertion(model, images[one], targets[one], values[one], fill)
        torch.testing.assert_close(together.deletion[one], alone.deletion)
        torch.testing.assert_close(together.insertion_area[one], alone.insertion_area)


@pytest.mark.parametrize("fill", FILLS)
def test_chunks_change_nothing_and_report_their_passes(
    fill: str,
    random_model: Callable[..., ViT],
    random_images: Callable[..., Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, images, targets = random_model(SMALL), random_images(SMALL), targets_of(SMALL)
    values, heard = drawn_map(SMALL), []
    whole = deletion_insertion(model, images, targets, values, fill)
    for module in (left_out, deletion):
        monkeypatch.setattr(module, "passes_at_once", lambda *_: 2)
    chunked = deletion_insertion(
        model, images, targets, values, fill, progress=lambda *now: heard.append(now)
    )
    torch.testing.assert_close(whole.deletion, chunked.deletion)
    assert [total for _, total in heard] == [3 * whole.passes] * len(heard)
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)
    assert heard[-1][0] == 3 * whole.passes
    assert len(heard) >= 3 * whole.passes / 2

    def stop(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        deletion_insertion(model, images, targets, values, fill, progress=stop)


@pytest.mark.parametrize("fill", FILLS)
def test_four_threads_share_a_model_and_no_gradient_is_left(
    fill: str, random_model: Callable[..., ViT], random_images: Callable[..., Tensor]
) -> None:
    model, targets, values = random_model(SMALL), targets_of(SMALL), drawn_map(SMALL)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    batches = [random_images(SMALL, seed=seed).requires_grad_() for seed in range(8)]

    def run(images: Tensor) -> Curves:
        return deletion_insertion(model, images, targets, values, fill)

    alone = [run(images) for images in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(run, batches))
    for one, other in zip(alone, together, strict=True):
        assert torch.equal(one.deletion, other.deletion)
        assert not one.deletion.requires_grad
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(images.grad is None for images in batches)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("mistake", ["no_residual", "no_layer_norm", "no_scaling", "no_position"])
def test_flawed_models_run_with_their_flaw(
    mistake: str, fill: str, random_images: Callable[..., Tensor]
) -> None:
    model = build_with(*MISTAKES[mistake].apply(SMALL, TrainConfig())).double().eval()
    images, values = random_images(SMALL), drawn_map(SMALL)
    curves = deletion_insertion(model, images, targets_of(SMALL), values, fill, steps=3)
    gone, back = brute_force(model, images[:1], 2, values[0], fill, 3)
    torch.testing.assert_close(curves.deletion[0].tolist(), gone)
    torch.testing.assert_close(curves.insertion[0].tolist(), back)


@pytest.mark.parametrize("fill", FILLS)
def test_a_head_that_is_off_stays_off(
    fill: str, random_model: Callable[..., ViT], random_images: Callable[..., Tensor]
) -> None:
    model, images, values = random_model(SMALL), random_images(SMALL), drawn_map(SMALL)
    changed = ChangedViT(model, switch_heads_off(SMALL, [(0, 1)]))
    curves = deletion_insertion(changed, images, targets_of(SMALL), values, fill)
    with torch.no_grad():
        whole = changed(images).softmax(dim=1)[0, 2]
    torch.testing.assert_close(curves.deletion[0, 0], whole)
    plain = deletion_insertion(model, images, targets_of(SMALL), values, fill)
    assert not torch.allclose(plain.deletion, curves.deletion)


def test_without_targets_the_answer_to_the_whole_picture_is_scored(
    random_model: Callable[..., ViT], random_images: Callable[..., Tensor]
) -> None:
    model, images, values = random_model(SMALL), random_images(SMALL), drawn_map(SMALL)
    with torch.no_grad():
        predicted = model(images).argmax(dim=1)
    expected = deletion_insertion(model, images, predicted, values)
    assert torch.equal(deletion_insertion(model, images, None, values).deletion, expected.deletion)
    assert torch.equal(
        deletion_insertion(model, images, predicted.tolist(), values).deletion, expected.deletion
    )


def test_a_headless_model_is_compared_with_another_picture_on_demand(
    random_model: Callable[..., ViT], random_images: Callable[..., Tensor]
) -> None:
    config = CONFIGS["no head"]
    model, images, values = random_model(config), random_images(config), drawn_map(config)
    with torch.no_grad():
        features = model(images)
    one = deletion_insertion(model, images, None, values, reference=features[1])
    cosines = F.cosine_similarity(features, features[1:2])
    torch.testing.assert_close(one.deletion[:, 0], cosines)
    each = deletion_insertion(model, images, None, values, reference=features)
    own = deletion_insertion(model, images, None, values)
    torch.testing.assert_close(each.deletion, own.deletion)


def test_black_is_known_of_a_data_set_and_of_a_digit(
    random_model: Callable[..., ViT],
) -> None:
    info = mnist_info()
    images = normalize(mnist_test().images[:3], info).double()
    black = black_pixel(info)
    torch.testing.assert_close(black, normalize(torch.zeros(1, 1, 1, 1).byte(), info)[0, :, 0, 0])
    config = ViTConfig(patch_size=7, embed_dim=8, depth=1, num_heads=2)
    model, values = random_model(config), drawn_map(config)
    known = deletion_insertion(model, images, None, values, "black", black=black)
    guessed = deletion_insertion(model, images, None, values, "black")
    torch.testing.assert_close(known.deletion, guessed.deletion, atol=1e-6, rtol=1e-6)


def test_each_picture_is_covered_as_if_alone(random_images: Callable[..., Tensor]) -> None:
    images = random_images(COLOUR)
    hidden = torch.rand((3, COLOUR.num_patches), generator=torch.Generator().manual_seed(1)) < 0.5
    value = torch.arange(9.0).double().view(3, 3)
    covered = cover_each(images, COLOUR.patch_hw, hidden, value)
    for index in range(3):
        gone = hidden[index].nonzero()[:, 0].tolist()
        one = slice(index, index + 1)
        alone = cover_patches(images[one], COLOUR.patch_hw, gone, value[index])
        assert torch.equal(covered[one], alone)


def test_a_map_that_knows_the_digit_beats_its_reverse_on_the_shipped_model() -> None:
    checkpoint = load_checkpoint(SHIPPED_DIR / "fast.safetensors")
    images = normalize(mnist_test().images[:20], checkpoint.data)
    config = checkpoint.config
    patches = images.unfold(2, config.patch_hw[0], config.patch_hw[0])
    ink = patches.unfold(3, config.patch_hw[1], config.patch_hw[1]).mean(dim=(1, 4, 5)).flatten(1)
    for fill in FILLS:
        good = deletion_insertion(checkpoint.model, images, None, ink, fill)
        bad = deletion_insertion(checkpoint.model, images, None, -ink, fill)
        assert good.deletion_area.mean() < bad.deletion_area.mean() - 0.2
        assert good.insertion_area.mean() > bad.insertion_area.mean() + 0.2
    assert json.dumps(good.deletion.tolist())  # plain numbers, for a file


DOUBLE = torch.float64
WRONG: dict[str, tuple[dict[str, object], str]] = {
    "too few patches": ({"patches": torch.zeros(3, 11)}, r"12 values for each of 3 pictures"),
    "another batch": ({"patches": torch.zeros(2, 12)}, r"\(3, 12\), not of shape \(2, 12\)"),
    "a list": ({"patches": [0] * 12}, "not a list"),
    "NaN in the map": ({"patches": torch.full((3, 12), torch.nan)}, "finite, and some are not"),
    "a class that is not there": ({"targets": torch.tensor([0, 4, 1])}, "0 to 3.* no class 4"),
    "a negative class": ({"targets": torch.tensor([0, -1, 1])}, "no class -1"),
    "too few targets": ({"targets": torch.tensor([0])}, "3 whole numbers"),
    "targets with fractions": ({"targets": torch.zeros(3)}, "3 whole numbers"),
    "words": ({"targets": "cat"}, "3 whole numbers"),
    "too many steps": ({"steps": 15}, "from 1 to 14"),
    "no step": ({"steps": 0}, "from 1 to 14"),
    "another filling": ({"fill": "white"}, "drop, mean, black"),
    "a reference": ({"reference": torch.zeros(8)}, "without a head"),
    "black of two channels": ({"fill": "black", "black": torch.zeros(2)}, "black must be 1"),
    "NaN in the pictures": ({"images": torch.full((3, 1, 6, 8), torch.nan, dtype=DOUBLE)}, "NaN"),
    "smaller pictures": ({"images": torch.zeros(3, 1, 6, 6, dtype=DOUBLE)}, "do not fit"),
    "whole numbers": ({"images": torch.zeros(3, 1, 6, 8).byte()}, "do not fit"),
    "no picture": ({"images": torch.zeros(0, 1, 6, 8, dtype=DOUBLE)}, "one or more"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_refused_in_one_sentence(
    case: str, random_model: Callable[..., ViT], random_images: Callable[..., Tensor]
) -> None:
    changed, message = WRONG[case]
    arguments: dict[str, object] = {
        "images": random_images(SMALL),
        "targets": targets_of(SMALL),
        "patches": drawn_map(SMALL),
    }
    with pytest.raises(AttributionError, match=message) as raised:
        deletion_insertion(random_model(SMALL), **{**arguments, **changed})  # type: ignore[arg-type]
    assert "\n" not in str(raised.value)


def test_a_headless_model_has_no_classes(
    random_model: Callable[..., ViT], random_images: Callable[..., Tensor]
) -> None:
    config = CONFIGS["no head"]
    model, images, values = random_model(config), random_images(config), drawn_map(config)
    with pytest.raises(AttributionError, match="no classes"):
        deletion_insertion(model, images, torch.zeros(3).long(), values)
    with pytest.raises(AttributionError, match="must be features"):
        deletion_insertion(model, images, None, values, reference=torch.zeros(5))


def test_dropout_is_switched_off_and_the_model_stays_in_its_mode(
    random_model: Callable[..., ViT], random_images: Callable[..., Tensor]
) -> None:
    config = replace(SMALL, dropout=0.5)
    model, images, values = random_model(config), random_images(config), drawn_map(config)
    expected = deletion_insertion(model, images, targets_of(config), values)
    again = deletion_insertion(model.train(), images, targets_of(config), values)
    assert torch.equal(again.deletion, expected.deletion)
    assert model.training


def test_a_model_that_answers_no_number_is_refused(
    random_model: Callable[..., ViT], random_images: Callable[..., Tensor]
) -> None:
    model = random_model(SMALL)
    with torch.no_grad():
        model.head.weight.fill_(torch.nan)
    with pytest.raises(AttributionError, match="answer is not a number"):
        deletion_insertion(model, random_images(SMALL), targets_of(SMALL), drawn_map(SMALL))
