"""Pictures that travel in a checkpoint: chosen from all classes, small, and checked when read."""

import base64
import json
import zlib
from pathlib import Path

import pytest
import torch

from vit_core import CheckpointError, ViTConfig, build, load_checkpoint, save_checkpoint
from vit_core.config import TrainConfig
from vit_core.data import Split, mnist, mnist_info
from vit_core.data.sample_pictures import (
    LARGEST_SIDE,
    MOST,
    MOST_TEXT,
    SamplePictures,
    sample_pictures,
)
from vit_core.runs.directory import RunConfig, RunDirectory
from vit_core.runs.recorder import Cadence, Recorder

CONFIG = ViTConfig(image_size=32, in_channels=3, patch_size=16, embed_dim=8, depth=1, num_heads=1)


def noise(count: int, side: int, channels: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (count, channels, side, side)
    return torch.randint(256, shape, generator=generator, dtype=torch.uint8)


def test_each_class_comes_once_before_any_comes_twice() -> None:
    labels = torch.tensor([0, 0, 0, 0, 2, 2, 1, 0])
    images = noise(8, 32)
    found = sample_pictures(Split(images, labels))
    assert found.labels == (0, 1, 2, 0, 2, 0, 0, 0)
    assert torch.equal(found.images[:3], images[[0, 6, 4]])
    many = sample_pictures(Split(noise(40, 8), torch.arange(40)))
    assert many.labels == tuple(range(MOST))
    assert sample_pictures(Split(noise(0, 8), torch.arange(0))) is None


def test_they_are_read_as_they_were_written() -> None:
    pictures = SamplePictures(noise(5, 32), (0, 1, 2, 9, 4))
    found = SamplePictures.from_json(pictures.to_json(), CONFIG)
    assert torch.equal(found.images, pictures.images) and found.labels == pictures.labels


def test_large_ones_become_smaller_and_fewer() -> None:
    found = sample_pictures(Split(noise(12, 224), torch.arange(12)))
    assert found.images.shape == (MOST, 3, LARGEST_SIDE, LARGEST_SIDE)
    text = found.to_json()  # noise cannot be compressed
    assert len(text) < MOST_TEXT + 1024
    assert 1 <= len(json.loads(text)["labels"]) < MOST


def changed(**values: object) -> str:
    whole = json.loads(SamplePictures(noise(2, 8), (0, 1)).to_json())
    return json.dumps(whole | values)


def packed(count: int) -> str:
    return base64.b64encode(zlib.compress(bytes(count))).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        changed(shape=[2, 3, 8]),
        changed(shape=[2, 1, 8, 8]),
        changed(shape=[2, 3, 10**6, 10**6]),
        changed(shape=[2.0, 3, 8, 8]),
        changed(shape=[0, 3, 8, 8], labels=[]),
        changed(labels=[0]),
        changed(labels=[0, 10]),
        changed(labels=[0, -1]),
        changed(labels=[0, True]),
        changed(labels=7),
        changed(pixels="§"),
        changed(pixels=base64.b64encode(b"no zlib").decode()),
        changed(pixels=packed(383)),
        changed(pixels=packed(10**8)),
    ],
)
def test_what_anybody_may_have_written_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        SamplePictures.from_json(text, CONFIG)
    path = tmp_path / "m.safetensors"
    save_checkpoint(build(CONFIG, 0), path, pictures=SamplePictures(noise(2, 8), (0, 1)))
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"]["pictures"] = text
    new = json.dumps(header).encode()
    with pytest.raises(CheckpointError, match="'pictures' that is not valid"):
        load_checkpoint(len(new).to_bytes(8, "little") + new + content[8 + length :])


def test_a_checkpoint_takes_them_along_only_where_that_is_wanted(tmp_path: Path) -> None:
    model = ViTConfig(patch_size=14, embed_dim=8, depth=1, num_heads=1)
    train, known = TrainConfig(epochs=1), mnist_info().fingerprint
    for wanted in (True, False):
        config = RunConfig(None, model, train, 1, known, "", takes_pictures=wanted)
        run = RunDirectory.create(tmp_path / str(wanted), config)
        Recorder(run, mnist(), Cadence())
        run.close()
        found = load_checkpoint(run.path / "epoch-000.safetensors").pictures
        assert (found is not None) == wanted
        if found:
            assert found.labels[:10] == tuple(range(10))
            assert found.images.shape == (MOST, 1, 28, 28)
