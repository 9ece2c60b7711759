"""Sanity check, pointing game and mean curves: what a map is tested with."""

from collections.abc import Callable
from itertools import islice

import pytest
import torch
from explained_models import KINDS, SMALL, explained, pictures
from torch import Tensor

from vit_core import ViT, ViTConfig, trace
from vit_core.interpret import AttributionError, attribute, deletion_insertion
from vit_core.interpret.mean_curves import mean_curves
from vit_core.interpret.pointing import (
    for_four,
    pixels_in_quarters,
    pointing_game,
    quarter_shares,
    shrunk,
    side_by_side,
)
from vit_core.interpret.sanity import parts_from_head, rank_correlation, sanity_check

ODD = ViTConfig(image_size=(6, 10), patch_size=2, embed_dim=8, depth=1, num_heads=2, num_classes=5)


def rollout_of(images: Tensor) -> Callable[[ViT], Tensor]:
    return lambda model: attribute(model, images, method="rollout").patches


def test_rank_correlation_by_hand() -> None:
    one = torch.tensor([[1.0, 2, 3, 4], [1, 2, 3, 4], [1, 1, 2, 3], [0, 0, 0, 0]])
    other = torch.tensor([[10.0, 20, 30, 99], [4, 3, 2, 1], [5, 5, 5, 6], [1, 2, 3, 4]])
    # ranks 1.5 1.5 3 4 and 2 2 2 4: 3 / √(4.5 · 3)
    expected = [1.0, -1.0, 3 / 13.5**0.5]
    correlation = rank_correlation(one, other)
    torch.testing.assert_close(correlation[:3].tolist(), expected)
    assert correlation[3].isnan()


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_is_in_one_part_and_the_head_goes_first(kind: str) -> None:
    model = explained(kind)
    parts = parts_from_head(model)
    names = [key for owned in parts.values() for key in owned]
    assert sorted(names) == sorted(key for key, _ in model.named_parameters())
    blocks = [f"blocks.{block}" for block in reversed(range(model.config.depth))]
    assert list(parts) == ["head", *blocks, "embedding"]
    assert "cls_token" not in parts["head"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["draw", "shuffle"])
def test_weights_become_random_from_the_head_down_on_a_copy(kind: str, how: str) -> None:
    model = explained(kind)
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    seen: list[dict[str, Tensor]] = []

    def maps(altered: ViT) -> Tensor:
        seen.append({key: tensor.clone() for key, tensor in altered.named_parameters()})
        return rollout_of(pictures(model.config))(altered)

    stages = list(sanity_check(model, maps, how))
    parts = parts_from_head(model)
    assert [stage.name for stage in stages] == ["trained", *parts]
    for index, parameters in enumerate(seen):
        altered = {key for owned in list(parts.values())[:index] for key in owned}
        for key, parameter in parameters.items():
            if key not in altered:
                assert torch.equal(parameter, before[key])
            elif how == "shuffle":
                assert torch.equal(parameter.flatten().sort()[0], before[key].flatten().sort()[0])
            else:
                assert not torch.equal(parameter, before[key])
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    trained = stages[0]
    torch.testing.assert_close(trained.correlation, torch.ones(3).double())
    # a rollout does not read the head, so its map is the same to the last bit
    assert torch.equal(stages[1].patches, trained.patches)
    if model.config.num_patches > 1:
        assert (stages[-1].correlation < 0.99).any()


def test_a_changed_model_is_randomised_with_its_change() -> None:
    model, images = explained("a head switched off"), pictures(SMALL)

    def answers(altered: ViT) -> Tensor:
        with torch.no_grad():
            return altered(images)

    first, *later = (stage.patches for stage in sanity_check(model, answers))
    torch.testing.assert_close(first, model(images).detach())
    assert not any(torch.allclose(first, other) for other in later)
    assert not torch.allclose(later[-2], later[-1])  # the class token of the copy changes, too


def test_a_map_that_ignores_the_model_passes_no_sanity_check() -> None:
    model, images = explained("class token"), pictures(SMALL)
    stages = sanity_check(model, lambda altered: attribute(altered, images, method="ink").patches)
    for stage in stages:
        torch.testing.assert_close(stage.correlation, torch.ones(3).double())


def test_the_same_seed_gives_the_same_stages_and_another_other_ones() -> None:
    model, images = explained("mean pooling"), pictures(SMALL)
    for how in ("draw", "shuffle"):
        one, same, other = (
            [stage.patches for stage in sanity_check(model, rollout_of(images), how, seed)][-1]
            for seed in (0, 0, 1)
        )
        assert torch.equal(one, same)
        assert not torch.equal(one, other)


def test_the_check_goes_on_only_when_asked() -> None:
    model, images, calls = explained("class token"), pictures(SMALL), []

    def maps(altered: ViT) -> Tensor:
        calls.append(1)
        return rollout_of(images)(altered)

    assert len(list(islice(sanity_check(model, maps), 2))) == len(calls) == 2


def test_an_unknown_way_is_refused() -> None:
    with pytest.raises(AttributionError, match="draw, shuffle"):
        sanity_check(explained("class token"), lambda _: torch.zeros(1, 9), how="zero")
    with pytest.raises(AttributionError, match="seed"):
        sanity_check(explained("class token"), lambda _: torch.zeros(1, 9), seed=-1)


def test_four_pictures_are_laid_side_by_side() -> None:
    images = torch.arange(4.0).view(1, 4, 1, 1, 1).expand(2, 4, 1, 3, 5)
    expected = torch.tensor([[0.0, 1], [2, 3]]).repeat_interleave(3, 0).repeat_interleave(5, 1)
    assert torch.equal(side_by_side(images), expected.expand(2, 1, -1, -1))


def test_four_pictures_are_shrunk_to_quarters() -> None:
    images = torch.arange(4.0).view(1, 4, 1, 1, 1).expand(1, 4, 1, 6, 10)
    expected = torch.tensor([[0.0, 1], [2, 3]]).repeat_interleave(3, 0).repeat_interleave(5, 1)
    assert torch.equal(shrunk(images)[0, 0], expected)
    fine = torch.randn((2, 4, 3, 8, 4), generator=torch.Generator().manual_seed(0))
    means = fine.view(2, 4, 3, 4, 2, 2, 2).mean(dim=(4, 6))
    torch.testing.assert_close(shrunk(fine)[:, :, :4, 2:], means[:, 1])
    torch.testing.assert_close(shrunk(fine)[:, :, 4:, :2], means[:, 2])


def test_a_patch_counts_for_a_quarter_by_its_pixels() -> None:
    inside = pixels_in_quarters(ODD)
    torch.testing.assert_close(inside.sum(dim=0), torch.ones(15).double())
    by_hand = torch.zeros(4, 15).double()
    for row in range(6):
        for column in range(10):
            quarter = 2 * (row >= 3) + (column >= 5)
            by_hand[quarter, row // 2 * 5 + column // 2] += 1 / 4
    torch.testing.assert_close(inside, by_hand)


def test_shares_are_of_what_is_positive() -> None:
    config = ViTConfig(image_size=4, patch_size=2, embed_dim=4, num_heads=1)
    maps = torch.tensor([[1.0, 3, -5, 0], [-1, -1, -1, 0], [2, 2, 2, 2]])
    shares = quarter_shares(maps, config)
    assert shares[0].tolist() == [0.25, 0.75, 0, 0]
    assert shares[1].isnan().all()
    assert shares[2].tolist() == [0.25] * 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_for_four_pictures_gives_each_patch_its_own_position(kind: str) -> None:
    model = explained(kind).eval()
    config = model.config
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    wide, images = for_four(model), pictures(config, 4)
    assert wide.config.grid_size == (2 * config.grid_size[0], 2 * config.grid_size[1])

    def embedded(asked: ViT, given: Tensor) -> Tensor:
        return trace(asked, given)["embed"][:, config.num_prefix_tokens :]

    alone = torch.unflatten(embedded(model, images), 1, config.grid_size)
    together = torch.unflatten(
        embedded(wide, side_by_side(images[None]))[0], 0, wide.config.grid_size
    )
    rows, columns = config.grid_size
    for index in range(4):
        row, column = index // 2 * rows, index % 2 * columns
        torch.testing.assert_close(
            together[row : row + rows, column : column + columns], alone[index]
        )
    prefix = slice(0, config.num_prefix_tokens)
    torch.testing.assert_close(
        trace(wide, side_by_side(images[None]))["embed"][:, prefix],
        trace(model, images[:1])["embed"][:, prefix],
    )
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())
    assert model.config == config
    with torch.no_grad():
        model(images)  # still takes pictures of its own size


@pytest.mark.parametrize("kind", ["mean pooling", "no head, mean pooling"])
def test_four_times_the_same_picture_answers_as_one(kind: str) -> None:
    model = explained(kind)
    image = pictures(model.config, 1)
    with torch.no_grad():
        four = for_four(model)(side_by_side(image.expand(4, -1, -1, -1)[None]))
        torch.testing.assert_close(four, model(image))


@pytest.mark.parametrize("size", ["kept", "shrunk"])
@pytest.mark.parametrize("kind", ["class token", "registers, no class token", "no residual"])
def test_a_map_of_the_right_quarter_wins_and_one_without_classes_has_a_quarter(
    kind: str, size: str
) -> None:
    model = explained(kind)
    images = torch.unflatten(pictures(model.config, 8), 0, (2, 4))
    targets = torch.tensor([[0, 1, 2, 3], [3, 1, 0, 2]])
    wide = for_four(model) if size == "kept" else None
    asked_model = wide or model
    inside = pixels_in_quarters(asked_model.config)

    def right(rows: Tensor, asked: Tensor) -> Tensor:
        assert asked.tolist() == targets.flatten().tolist()
        return inside.repeat(2, 1)

    def same(rows: Tensor, asked: Tensor) -> Tensor:
        return attribute(asked_model, rows, asked, method="rollout").patches

    perfect = pointing_game(model, images, targets, right, wide)
    # a patch on the border of shrunk pictures counts for its neighbours, too
    assert (perfect.right >= (0.6 if wide is None else 1)).all()
    blind = pointing_game(model, images, targets, same, wide)
    torch.testing.assert_close(blind.right.mean(dim=1), torch.full((2,), 0.25).double())
    torch.testing.assert_close(blind.shares.sum(dim=2), torch.ones(2, 4).double())
    assert blind.patches.shape == (2, 4, asked_model.config.num_patches)
    with torch.no_grad():
        probabilities = asked_model(blind.pictures).softmax(dim=1)
    torch.testing.assert_close(blind.answers, probabilities.gather(1, targets))


@pytest.mark.parametrize("size", ["kept", "shrunk"])
def test_a_headless_model_compares_with_the_pictures_alone(size: str) -> None:
    model = explained("no head")
    wide = for_four(model) if size == "kept" else None
    images = pictures(model.config, 4)[None]

    def maps(rows: Tensor, asked: Tensor) -> Tensor:
        assert asked.shape == (4, 8)
        return attribute(wide or model, rows, method="grad_cam", reference=asked).patches

    game = pointing_game(model, images, None, maps, wide)
    with torch.no_grad():
        features = (wide or model)(game.pictures)
        torch.testing.assert_close(
            game.answers[0], torch.cosine_similarity(features, model(images[0]))
        )


@pytest.mark.parametrize(
    ("shape", "targets", "message"),
    [
        ((4,), [0, 1, 2, 3], "four pictures"),
        ((1, 3), [[0, 1, 2]], "four pictures"),
        ((1, 4), [[0, 1, 1, 3]], "four different classes"),
        ((1, 4), [[0, 1, 4, 3]], "no class 4"),
        ((1, 4), None, "whole numbers from 0 to 3"),
    ],
)
def test_a_game_that_does_not_fit_is_refused(
    shape: tuple[int, ...], targets: list[list[int]] | None, message: str
) -> None:
    model = explained("class token")
    images = torch.zeros((*shape, 1, 6, 6)).double()
    asked = None if targets is None else torch.tensor(targets)
    with pytest.raises(AttributionError, match=message):
        pointing_game(model, images, asked, lambda rows, _: torch.ones(len(rows), 9))


def test_mean_curves_grow_chunk_by_chunk() -> None:
    model, images, targets = explained("class token"), pictures(SMALL, 7), torch.arange(7) % 4

    def maps(some: Tensor, asked: Tensor | None) -> Tensor:
        return attribute(model, some, asked, method="rollout").patches

    seen = list(mean_curves(model, images, targets, maps, "mean", 5, at_once=3))
    assert [(curves.count, curves.total) for curves in seen] == [(3, 7), (6, 7), (7, 7)]
    whole = deletion_insertion(model, images, targets, maps(images, targets), "mean", 5)
    torch.testing.assert_close(seen[-1].deletion, whole.deletion)
    torch.testing.assert_close(seen[-1].insertion_area, whole.insertion_area)
    torch.testing.assert_close(seen[-1].means[0], whole.deletion.mean(dim=0))
    torch.testing.assert_close(seen[-1].spreads[1], whole.insertion.std(dim=0))
    first = next(mean_curves(model, images, None, maps, at_once=1))
    assert (first.spreads[0] == 0).all()
    assert first.shares.tolist() == [count / 9 for count in range(10)]
