"""Start from the weights of another model: what is taken, adapted, new, and refused."""

import dataclasses
from pathlib import Path

import pytest
import torch

from vit_core import Checkpoint, ViT, ViTConfig, build, save_checkpoint
from vit_core.checkpoint import shipped_names
from vit_core.data import DataInfo
from vit_core.training.initial import (
    InitialWeightsError,
    checkpoint_of,
    start_from,
)

SMALL = ViTConfig(image_size=8, patch_size=2, embed_dim=8, depth=2, num_heads=2, num_classes=3)
NAMES = ("a", "b", "c")


def made(config: ViTConfig = SMALL, seed: int = 1, names: tuple[str, ...] = NAMES) -> Checkpoint:
    even = (0.5,) * config.in_channels
    return Checkpoint(build(config, seed).eval(), data=DataInfo("x", "f", even, even, names))


def changed(**values: object) -> ViT:
    return build(dataclasses.replace(SMALL, **values), seed=2)  # type: ignore[arg-type]


def test_a_model_of_the_same_shape_and_classes_is_taken_whole() -> None:
    model, source = changed(), made()
    taken = start_from(model, source, NAMES)
    known = source.model.state_dict()
    assert all(torch.equal(value, known[key]) for key, value in model.state_dict().items())
    assert taken.copied == SMALL.num_parameters
    assert taken.changed == taken.new == taken.left == ()
    assert str(taken) == f"{SMALL.num_parameters:,} weights are copied."


@pytest.mark.parametrize(
    ("classes", "names"), [(3, ("c", "b", "a")), (5, ("a", "b", "c", "d", "e"))]
)
def test_other_classes_get_a_new_head(classes: int, names: tuple[str, ...]) -> None:
    model, source = changed(num_classes=classes), made()
    before = model.head.weight.clone()
    taken = start_from(model, source, names)
    assert torch.equal(model.head.weight, before)
    assert torch.equal(model.norm.weight, source.model.norm.weight)
    assert taken.new == (f"The head for {classes} classes is new, and starts at random.",)


def test_positions_are_resampled_and_keep_their_class_token() -> None:
    model, source = changed(image_size=12), made()
    with torch.no_grad():
        source.model.pos_embed[:, 1:] = 2.0
    taken = start_from(model, source, NAMES)
    assert torch.equal(model.pos_embed[:, 0], source.model.pos_embed[:, 0])
    assert torch.allclose(model.pos_embed[:, 1:], torch.full((1, 36, 8), 2.0), atol=1e-5)
    assert taken.changed == ("The positions are resampled from 4 x 4 to 6 x 6 patches.",)


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1)])
def test_a_grey_picture_gives_the_same_with_other_channels(before: int, after: int) -> None:
    source = made(dataclasses.replace(SMALL, in_channels=before))
    model = changed(in_channels=after).eval()
    taken = start_from(model, source, NAMES)
    grey = torch.rand(2, 1, 8, 8)
    ours, theirs = (
        one(grey.expand(-1, channels, -1, -1))
        for one, channels in ((model, after), (source.model, before))
    )
    assert torch.allclose(ours, theirs, atol=1e-5)
    assert len(taken.changed) == 1 and "adapted" in taken.changed[0]


def test_blocks_and_tokens_that_only_one_of_them_has() -> None:
    deeper, source = changed(depth=3), made()
    own = deeper.blocks[2].mlp.fc1.weight.clone()
    taken = start_from(deeper, source, NAMES)
    assert torch.equal(deeper.blocks[2].mlp.fc1.weight, own)
    assert taken.new == ("New, and at random: blocks.2.",)
    mean = changed(pool="mean")
    assert start_from(mean, source, NAMES).left == ("Not used: cls_token.",)
    assert torch.equal(mean.pos_embed, source.model.pos_embed[:, 1:])
    again = start_from(changed(depth=1), source, NAMES)
    assert again.left == ("Not used: blocks.1.",)


@pytest.mark.parametrize(
    "values",
    [
        {"embed_dim": 16},
        {"num_heads": 4},
        {"mlp_ratio": 2.0},
        {"patch_size": 4},
        {"qkv_bias": False},
        {"layer_scale": 0.1},
    ],
)
def test_unlike_models_are_refused_before_anything_is_copied(values: dict[str, object]) -> None:
    model = changed(**values)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(InitialWeightsError, match=next(iter(values))):
        start_from(model, made(), NAMES)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_a_name_and_a_path_name_a_checkpoint(tmp_path: Path) -> None:
    assert {"default", "fast", "seed"} <= set(shipped_names())
    assert checkpoint_of("seed").preset == "seed"
    path = tmp_path / "mine.safetensors"
    save_checkpoint(build(SMALL, 3), path)
    assert checkpoint_of(str(path)).config == SMALL
    with pytest.raises(InitialWeightsError, match="no model 'nothing'"):
        checkpoint_of("nothing")
