"""Data sets that torchvision knows: found, checked, downloaded, or one sentence about them."""

import gzip
import hashlib
import pickle
import struct
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch

from vit_core import ViTConfig
from vit_core.data import torchvision_sets
from vit_core.data.download import main
from vit_core.data.open import Reading, open_data
from vit_core.data.pixel_statistics import IMAGENET
from vit_core.data.torchvision_sets import DataMissingError
from vit_core.torchvision_import import import_torchvision

import_torchvision()
from torchvision.datasets import CIFAR10, FashionMNIST  # noqa: E402
from torchvision.datasets import utils as downloads  # noqa: E402

COUNT = 40  # training images of the made-up data sets


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No data set on this machine, and no network."""

    def offline(*_: Any, **__: Any) -> None:
        raise URLError("Name or service not known")

    monkeypatch.setenv("VIT_EXPLAINER_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(torchvision_sets, "DEBIAN_FASHION", tmp_path / "debian")
    monkeypatch.setattr(downloads.urllib.request, "urlopen", offline)
    return tmp_path


def idx(values: np.ndarray) -> bytes:
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    return gzip.compress(header + values.tobytes())


def make_fashion(folder: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Write a small Fashion-MNIST with its right hashes; return the training images."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (COUNT, 28, 28), np.uint8)
    labels = np.arange(COUNT, dtype=np.uint8) % 10
    contents = (idx(images), idx(labels), idx(images[:9]), idx(labels[:9]))
    folder.mkdir(parents=True)
    resources = []
    for (name, _), content in zip(FashionMNIST.resources, contents, strict=True):
        (folder / name).write_bytes(content)
        resources.append((name, hashlib.md5(content).hexdigest()))
    monkeypatch.setattr(FashionMNIST, "resources", resources)
    return images


def make_cifar(folder: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Write a small CIFAR-10 with its right hashes; return the rows of the training images."""
    random = np.random.default_rng(0)
    rows = random.integers(0, 256, (COUNT, 3072), np.uint8)
    labels = [at % 10 for at in range(COUNT)]
    base = folder / CIFAR10.base_folder
    base.mkdir(parents=True)

    def write(name: str, content: Any) -> str:
        (base / name).write_bytes(pickle.dumps(content))
        return hashlib.md5((base / name).read_bytes()).hexdigest()

    half = COUNT // 2
    parts = [
        write(f"data_batch_{at + 1}", {"data": rows[some], "labels": labels[some]})
        for at, some in enumerate((slice(half), slice(half, None)))
    ]
    test = write("test_batch", {"data": rows[:7], "labels": labels[:7]})
    names = ["airplane", *(f"class {at}" for at in range(9))]
    meta = write("batches.meta", {"label_names": names})
    listed = [[f"data_batch_{at + 1}", md5] for at, md5 in enumerate(parts)]
    monkeypatch.setattr(CIFAR10, "train_list", listed)
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", test]])
    monkeypatch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": meta})
    return rows


@pytest.mark.parametrize("place", ["debian", "data/FashionMNIST/raw"])
def test_fashion_mnist_from_where_it_lies(
    nothing_here: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    images = make_fashion(nothing_here / place, monkeypatch)
    data = open_data("fashion-mnist", ViTConfig())
    assert (data.info.name, len(data.info.class_names)) == ("fashion-mnist", 10)
    assert data.info.class_names[0] == "T-shirt/top"
    assert [len(part) for part in (data.train, data.val, data.test)] == [20, 20, 9]
    known = torch.cat((data.train.images, data.val.images))
    assert np.array_equal(known[:, 0].numpy(), images)
    assert known.shape == (COUNT, 1, 28, 28) and data.train.labels.dtype == torch.int64
    assert data.info.mean == pytest.approx((images[:20].mean() / 255,), abs=1e-4)
    again = open_data("fashion-mnist", ViTConfig())
    assert again.info.fingerprint == data.info.fingerprint


def test_cifar10_from_where_it_lies(nothing_here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = make_cifar(nothing_here / "data", monkeypatch)
    data = open_data("cifar10", ViTConfig())
    assert data.info.class_names[0] == "airplane"
    assert data.train.image_shape == (3, 32, 32)
    # a row holds the red, the green and the blue plane
    assert np.array_equal(data.train.images[3].flatten().numpy(), rows[3])
    assert data.test.labels.tolist() == list(range(7))
    found = open_data("cifar10", ViTConfig(), Reading(statistics="imagenet")).info
    assert (found.mean, found.std) == IMAGENET


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fashion-mnist", ["train-images-idx3-ubyte.gz", "FashionMNIST/raw", "dataset-fashion"]),
        ("cifar10", ["cifar-10-python.tar.gz", "data", "image folder"]),
    ],
)
def test_without_network_a_sentence_says_which_file_goes_where(
    nothing_here: Path, name: str, words: list[str]
) -> None:
    with pytest.raises(DataMissingError) as caught:
        open_data(name, ViTConfig())
    said = str(caught.value)
    assert said.startswith(f"{name} is not here and cannot be downloaded (Name or service not")
    assert str(nothing_here) in said and "\n" not in said
    assert [word for word in words if word not in said] == []


def test_a_file_that_is_not_what_it_should_be_is_not_used(
    nothing_here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = nothing_here / "data" / "FashionMNIST" / "raw"
    make_fashion(folder, monkeypatch)
    name = FashionMNIST.resources[0][0]
    (folder / name).write_bytes(idx(np.zeros((COUNT, 28, 28), np.uint8)))
    with pytest.raises(DataMissingError, match="cannot be downloaded"):
        open_data("fashion-mnist", ViTConfig())


def test_without_torchvision_a_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ImportError

    monkeypatch.setattr(torchvision_sets, "import_torchvision", missing)
    with pytest.raises(
        DataMissingError, match="cifar10 needs torchvision: pip install torchvision"
    ):
        open_data("cifar10", ViTConfig())


@pytest.mark.parametrize(
    ("name", "reading", "said"),
    [
        ("imagnet", {}, "no data set 'imagnet'; allowed are mnist, fashion-mnist, cifar10, or"),
        ("mnist", {"statistics": "imagenet"}, "of colour; mnist is grey"),
    ],
)
def test_what_is_no_data_set(name: str, reading: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        open_data(name, ViTConfig(), Reading(**reading))


def test_a_folder_is_read_in_grey_or_in_colour(nothing_here: Path) -> None:
    with pytest.raises(ValueError, match="in-channels must be 1 or 3, not 2"):
        open_data(str(nothing_here), ViTConfig(in_channels=2))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"memory": -1.0}, "memory must be a finite number at least 0"),
        ({"workers": 1025}, "workers must be a whole number from 0 to 1024"),
        ({"statistics": "mnist"}, "statistics must be one of data, imagenet"),
    ],
)
def test_a_way_of_reading_that_is_not_allowed(values: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Reading(**values)


def test_what_is_known_of_the_sets_without_torchvision_is_what_it_says() -> None:
    assert torchvision_sets.CLASS_NAMES["fashion-mnist"] == tuple(FashionMNIST.classes)
    assert [name for name, _ in FashionMNIST.resources] == list(torchvision_sets.FASHION_FILES)
    assert CIFAR10.filename == torchvision_sets.CIFAR_ARCHIVE
    assert CIFAR10.base_folder == torchvision_sets.CIFAR_FOLDER
    listed = [name for name, _ in (*CIFAR10.train_list, *CIFAR10.test_list)]
    assert sorted((*listed, CIFAR10.meta["filename"])) == sorted(torchvision_sets.CIFAR_FILES)


@pytest.mark.parametrize(
    ("name", "make", "part"),
    [
        ("fashion-mnist", make_fashion, "data/FashionMNIST/raw"),
        ("fashion-mnist", make_fashion, "debian"),
    ],
)
def test_a_set_is_here_once_all_its_files_are(
    nothing_here: Path, monkeypatch: pytest.MonkeyPatch, name: str, make: Any, part: str
) -> None:
    assert not torchvision_sets.is_here(name) and torchvision_sets.can_open(name)
    assert torchvision_sets.bytes_here(name) == 0
    make(nothing_here / part, monkeypatch)
    assert torchvision_sets.is_here(name)
    assert torchvision_sets.fashion_folder() == nothing_here / part
    (nothing_here / part / torchvision_sets.FASHION_FILES[2]).unlink()
    assert not torchvision_sets.is_here(name) and torchvision_sets.fashion_folder() is None


def test_the_command_downloads_checks_and_says_what_is_wrong(
    nothing_here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cifar10"]) == 2
    assert "cannot be downloaded" in capsys.readouterr().err
    make_cifar(nothing_here / "data", monkeypatch)
    assert main(["cifar10"]) == 0
    assert "20 training images" in capsys.readouterr().out
    (nothing_here / "data" / CIFAR10.base_folder / "test_batch").write_bytes(b"other bytes")
    assert main(["cifar10"]) == 2, "a wrong hash, and no network to fetch it again"
    with pytest.raises(SystemExit):
        main(["mnist"])
