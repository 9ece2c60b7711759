"""Pictures as points, and queries with keys: against NumPy, the trace, and the model's own pass."""

import numpy as np
import pytest
import torch
from torch import Tensor

from vit_core import ViT, ViTConfig, build, trace
from vit_core.interpret import embedding_map
from vit_core.interpret.changed import ChangedViT
from vit_core.interpret.embedding_map import (
    aligned,
    can_be_probed,
    filled,
    pooled_stream,
    principal_plane,
    probe_accuracy,
    scored_half,
    turned,
)
from vit_core.interpret.query_key_map import head_tokens, query_key_plane
from vit_core.mistakes import FlawedViT, Flaws

CONFIGS = {
    "class token": ViTConfig(patch_size=7, embed_dim=16, depth=3, num_heads=2),
    "mean of the patches": ViTConfig(
        patch_size=14, embed_dim=8, depth=1, num_heads=1, pool="mean", num_registers=2
    ),
    "no head": ViTConfig(patch_size=7, embed_dim=8, depth=2, num_heads=2, num_classes=0),
}


def pictures(count: int = 5, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, 1, 28, 28, generator=generator).to(dtype)


def cloud(count: int, width: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    spread = torch.arange(width, 0, -1).double()
    points = torch.randn(count, width, generator=generator, dtype=torch.float64)
    return points * spread + 7


# the stream


@pytest.mark.parametrize("name", CONFIGS)
def test_rows_are_those_that_the_head_would_read(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = CONFIGS[name]
    model, images = build(config, 1), pictures()
    monkeypatch.setattr(embedding_map, "passes_at_once", lambda config: 2)
    found = pooled_stream(model, images)
    assert found.rows.shape == (config.depth + 1, 5, config.embed_dim)
    recorded = trace(model, images)
    for stage in range(config.depth + 1):
        key = f"blocks.{stage - 1}.resid_post" if stage else "blocks.0.resid_pre"
        tokens = recorded[key]
        is_cls = config.pool == "cls"
        rows = tokens[:, 0] if is_cls else tokens[:, config.num_prefix_tokens :].mean(1)
        torch.testing.assert_close(found.rows[stage], rows)
    torch.testing.assert_close(found.output, model(images))


def test_the_pass_is_that_of_a_flawed_or_changed_model() -> None:
    config, images = CONFIGS["class token"], pictures()
    flawed = FlawedViT(config, Flaws(residual=False))
    changed = ChangedViT(build(config, 1), {"blocks.1.attn.z": lambda z: 0 * z})
    for model in (flawed, changed):
        found = pooled_stream(model, images)
        torch.testing.assert_close(
            found.rows[-1], trace(model, images)["blocks.2.resid_post"][:, 0]
        )


# the plane


@pytest.mark.parametrize("shape", [(40, 6), (6, 40), (9, 9), (3, 1), (2, 5)])
def test_the_plane_is_that_of_numpys_singular_values(shape: tuple[int, int]) -> None:
    points = cloud(*shape)
    found = principal_plane(points)
    centred = points.numpy() - points.numpy().mean(axis=0)
    left, strengths, right = np.linalg.svd(centred, full_matrices=False)
    count = min(2, int((strengths > 1e-6 * strengths[0]).sum()))
    for place in range(count):
        expected = left[:, place] * strengths[place]
        sign = np.sign(expected @ found.points[:, place].numpy())
        assert float(found.points[:, place].max()) >= -float(found.points[:, place].min()) - 1e-8
        np.testing.assert_allclose(found.points[:, place], sign * expected, atol=1e-8)
        np.testing.assert_allclose(found.directions[place], sign * right[place], atol=1e-8)
    shares = strengths**2 / (strengths**2).sum()
    np.testing.assert_allclose(found.shares[:count], shares[:count])
    assert not found.points[:, count:].any() and not found.shares[count:].any()


@pytest.mark.parametrize("points", [torch.full((5, 3), 0.1), torch.zeros(4, 8), torch.ones(1, 4)])
def test_points_in_one_place_stay_there(points: Tensor) -> None:
    found = principal_plane(points)
    assert not found.points.any() and not found.shares.any()


def rotation(angle: float, mirrored: bool = False) -> Tensor:
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)
    return (
        matrix @ torch.diag(torch.tensor([1.0, -1.0], dtype=torch.float64)) if mirrored else matrix
    )


@pytest.mark.parametrize("mirrored", [False, True])
def test_points_that_were_turned_come_back_and_keep_their_distances(mirrored: bool) -> None:
    points = filled(cloud(30, 2))
    strange = points @ rotation(2.1, mirrored)
    torch.testing.assert_close(turned(strange, [points]), points)
    other = filled(cloud(30, 2, seed=5))
    found = turned(points, [other])
    torch.testing.assert_close(torch.cdist(found, found), torch.cdist(points, points))
    distances = [
        float((points @ rotation(angle, flipped) - other).square().sum())
        for angle in np.linspace(0, 2 * np.pi, 200)
        for flipped in (False, True)
    ]
    assert float((found - other).square().sum()) <= min(distances) + 1e-9


def test_all_stages_and_epochs_are_turned_to_each_other() -> None:
    start = filled(cloud(25, 2))
    angles = iter(range(12))
    planes = torch.stack(
        [torch.stack([3 * start @ rotation(next(angles), at % 2 == 1) for at in range(3)])] * 1
        + [torch.stack([start @ rotation(next(angles)) for _ in range(3)]) for _ in range(2)]
    )
    for epoch in (-1, 0, 1):
        found = aligned(planes, epoch)
        torch.testing.assert_close(found, filled(planes[epoch, -1]).expand(3, 3, -1, -1))
    blank = planes.clone()
    blank[0, 0] = 0  # before the first block all class tokens are one
    assert not aligned(blank)[0, 0].any()


# the probe


def test_a_probe_is_scored_on_pictures_that_it_did_not_learn_from() -> None:
    labels = torch.arange(60) % 3
    half = scored_half(labels)
    assert torch.bincount(labels[half]).tolist() == [10, 10, 10]
    rows = torch.nn.functional.one_hot(labels, 3).float() + 0.01 * cloud(60, 3).float()
    assert probe_accuracy(rows, labels) == 1
    spoiled = rows.clone()
    spoiled[half] = rows[half].roll(1, dims=1)  # each of them looks like the next class
    assert probe_accuracy(spoiled, labels) == 0
    noise = torch.randn(600, 4, generator=torch.Generator().manual_seed(1))
    assert probe_accuracy(noise, torch.arange(600) % 3) == pytest.approx(1 / 3, abs=0.08)


def test_rows_that_tell_nothing_apart_give_the_most_frequent_class() -> None:
    labels = torch.tensor([5] * 6 + [9] * 2)
    assert probe_accuracy(torch.full((8, 4), 0.3), labels) == 0.75


def test_a_probe_needs_two_of_two_classes() -> None:
    assert can_be_probed(torch.tensor([3, 3, 8, 8]))
    for labels in ([3, 3, 8], [3, 3], [0]):
        assert not can_be_probed(torch.tensor(labels))


# queries and keys


@pytest.mark.parametrize("name", CONFIGS)
def test_a_heads_tokens_are_those_of_the_trace(name: str) -> None:
    config = CONFIGS[name]
    model, images = build(config, 2), pictures(3)
    block, head = config.depth - 1, config.num_heads - 1
    found, recorded = head_tokens(model, images, block, head), trace(model, images)
    for tensor, key in zip(found, ("q", "k", "pattern"), strict=True):
        torch.testing.assert_close(tensor, recorded[f"blocks.{block}.attn.{key}"][:, head])


def test_what_is_drawn_leaves_every_softmax_as_it_is() -> None:
    queries, keys = cloud(12, 2), 5 * cloud(15, 2, seed=3) - 40
    found = query_key_plane(queries, keys)
    scaled, moved = found.factor * queries, keys / found.factor
    moved = moved + scaled.mean(0) - moved.mean(0)
    torch.testing.assert_close((scaled @ moved.T).softmax(dim=1), (queries @ keys.T).softmax(dim=1))
    # two dimensions hold everything here, so that all distances are those of the points
    assert float(found.shares.sum()) == pytest.approx(1)
    torch.testing.assert_close(torch.cdist(found.queries, found.keys), torch.cdist(scaled, moved))
    sizes = [
        float((one - one.mean(0)).square().sum(1).mean()) for one in (found.queries, found.keys)
    ]
    assert sizes[0] == pytest.approx(sizes[1])
    torch.testing.assert_close(found.queries.mean(0), found.keys.mean(0))


def test_the_joint_plane_is_numpys() -> None:
    queries, keys = cloud(20, 6), cloud(30, 6, seed=2)
    found = query_key_plane(queries, keys)
    scaled, moved = found.factor * queries, keys / found.factor
    moved = moved + scaled.mean(0) - moved.mean(0)
    points = torch.cat((scaled, moved)).numpy()
    strengths = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    np.testing.assert_allclose(found.shares, (strengths**2 / (strengths**2).sum())[:2])


def test_queries_that_are_all_the_same_are_not_scaled() -> None:
    found = query_key_plane(torch.ones(4, 3), cloud(5, 3))
    assert found.factor == 1 and torch.isfinite(found.keys).all()


def test_nothing_is_kept_on_the_model() -> None:
    model: ViT = build(CONFIGS["class token"], 1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    names = set(vars(model))
    pooled_stream(model, pictures())
    head_tokens(model, pictures(), 0, 0)
    assert set(vars(model)) == names
    assert all(parameter.grad is None for parameter in model.parameters())
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name])
