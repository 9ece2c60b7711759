"""The images that a run keeps in its own folder: written, read, and refused where they are odd."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from vit_core.data import Split, normalize
from vit_core.data import kept as kept_module
from vit_core.data.kept import (
    FORMAT,
    IMAGES,
    OWN_SYMBOLS,
    KeptImagesError,
    kept_data,
    load_images,
    read_head,
    save_images,
)

NAMES = ("sun", "<b>rain</b>", "雪")


def split(count: int, shape: tuple[int, int, int] = (1, 8, 8), seed: int = 0) -> Split:
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (count, *shape), np.uint8)
    return Split(torch.from_numpy(images), torch.arange(count) % len(NAMES))


def some(**changes: Any) -> Any:
    parts = {"train": split(9), "val": split(4, seed=1), "test": split(3, seed=2)} | changes
    return kept_data(OWN_SYMBOLS, changes.pop("names", NAMES), **parts)


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    data = some()
    save_images(tmp_path, data)
    found = load_images(tmp_path)
    assert found.info == data.info and found.info.class_names == NAMES
    for ours, theirs in ((data.train, found.train), (data.val, found.val), (data.test, found.test)):
        assert torch.equal(ours.images, theirs.images)
        assert torch.equal(ours.labels, theirs.labels) and theirs.labels.dtype == torch.int64
    assert normalize(found.train.images, found.info).mean().abs() < 0.01
    info, shapes = read_head(tmp_path / IMAGES)
    assert info.class_names == NAMES and shapes["val"] == (4, 1, 8, 8)


def test_the_fingerprint_is_of_all_that_is_kept() -> None:
    other = some(test=split(3, seed=9))
    labels = Split(split(9).images, split(9).labels.flip(0))
    prints = {some().info.fingerprint, other.info.fingerprint}
    prints |= {some(train=labels).info.fingerprint}
    renamed = kept_data(OWN_SYMBOLS, ("a", "b", "c"), split(9), split(4, seed=1), split(3, seed=2))
    prints |= {renamed.info.fingerprint}
    assert len(prints) == 4
    assert some().info.fingerprint == some().info.fingerprint


def test_the_same_images_make_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        save_images(tmp_path / name, some())
    assert (tmp_path / "a" / IMAGES).read_bytes() == (tmp_path / "b" / IMAGES).read_bytes()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: kept_data(OWN_SYMBOLS, ("a",), split(3), split(1), split(1)), "2 to 100 classes"),
        (lambda: kept_data(OWN_SYMBOLS, ("a", "a", "b"), *[split(3)] * 3), "the same name"),
        (lambda: kept_data(OWN_SYMBOLS, ("a", " ", "b"), *[split(3)] * 3), "1 to 60 characters"),
        (lambda: kept_data(OWN_SYMBOLS, ("a", "b" * 61), *[split(2)] * 3), "1 to 60 characters"),
        (lambda: kept_data("", NAMES, *[split(3)] * 3), "name has 1 to 60"),
        (lambda: some(val=split(0)), "at least one image"),
        (lambda: some(val=split(2, (1, 8, 9))), "one shape"),
        (lambda: kept_data(OWN_SYMBOLS, NAMES, *[split(1, (2, 8, 8))] * 3), "1 or 3 channels"),
        (lambda: kept_data(OWN_SYMBOLS, NAMES, *[split(1, (1, 8, 513))] * 3), "512 pixels"),
        (lambda: kept_data(OWN_SYMBOLS, ("a", "b"), *[split(3)] * 3), "not from 0 to 1"),
    ],
)
def test_what_a_run_cannot_keep_is_one_sentence(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(KeptImagesError, match=message):
        make()


def written(path: Path, tensors: dict[str, Any] | None = None, **changes: Any) -> Path:
    """Write a file of images with some of its parts changed, as a stranger might."""
    data = some()
    whole = {
        f"{name}.{kind}": value
        for name, part in (("train", data.train), ("val", data.val), ("test", data.test))
        for kind, value in (("images", part.images), ("labels", part.labels.to(torch.uint8)))
    }
    whole |= tensors or {}
    values: dict[str, Any] = {
        "format": FORMAT,
        "name": OWN_SYMBOLS,
        "class_names": list(NAMES),
        "mean": [0.5],
        "std": [0.3],
    }
    values |= changes
    metadata = {"images": json.dumps(values)}
    safetensors.torch.save_file(
        {name: value for name, value in whole.items() if value is not None}, path / IMAGES, metadata
    )
    return path


@pytest.mark.parametrize(
    "tensors",
    [
        {"val.labels": None},
        {"extra": torch.zeros(1, dtype=torch.uint8)},
        {"val.images": torch.zeros(4, 1, 8, 8)},
        {"val.labels": torch.zeros(4, dtype=torch.int64)},
        {"val.labels": torch.zeros(5, dtype=torch.uint8)},
        {"val.labels": torch.full((4,), 3, dtype=torch.uint8)},
        {"val.images": torch.zeros(4, 1, 9, 9, dtype=torch.uint8)},
        {"val.images": torch.zeros(4, 8, 8, dtype=torch.uint8)},
        {
            "val.images": torch.zeros(0, 1, 8, 8, dtype=torch.uint8),
            "val.labels": torch.zeros(0, dtype=torch.uint8),
        },
    ],
)
def test_tensors_of_strangers_are_refused(tmp_path: Path, tensors: dict[str, Any]) -> None:
    with pytest.raises(KeptImagesError) as caught:
        load_images(written(tmp_path, tensors))
    assert "\n" not in str(caught.value) and str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "another"},
        {"name": 5},
        {"name": "n" * 61},
        {"class_names": "sun"},
        {"class_names": ["a", "b", 3]},
        {"class_names": ["a"] * 101},
        {"class_names": ["a", "b"]},
        {"mean": [0.5, 0.5, 0.5]},
        {"mean": [2.0]},
        {"mean": [True]},
        {"std": [0.0]},
        {"std": []},
        {"std": None},
    ],
)
def test_descriptions_of_strangers_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(KeptImagesError) as caught:
        load_images(written(tmp_path, **changes))
    assert "\n" not in str(caught.value)


def test_what_is_no_such_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / IMAGES
    with pytest.raises(KeptImagesError, match="images are gone"):
        load_images(tmp_path)
    path.mkdir()
    with pytest.raises(KeptImagesError, match="no regular file"):
        load_images(tmp_path)
    path.rmdir()
    for content in (b"", b"PK\3\4", b"\xff" * 100, (50).to_bytes(8, "little") + b"{"):
        path.write_bytes(content)
        with pytest.raises(KeptImagesError):
            load_images(tmp_path)
    save_images(tmp_path, some())
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(KeptImagesError, match="no whole file"):
        load_images(tmp_path)
    save_images(tmp_path, some())
    monkeypatch.setattr(kept_module, "MOST_BYTES", 100)
    with pytest.raises(KeptImagesError, match="more than"):
        load_images(tmp_path)
