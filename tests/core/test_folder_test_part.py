"""A checkpoint, which knows its classes, is tested on a folder with nothing but a test part."""

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
import torch
from folder_data import put_images

from vit_core import ViTConfig, build, save_checkpoint
from vit_core.data import DataInfo
from vit_core.data import image_folder as module
from vit_core.data.file_list import ImageFolderError
from vit_core.data.folder_test_part import read_test_part
from vit_core.runs.evaluate_command import main

SHAPE = ViTConfig(
    image_size=8, in_channels=3, patch_size=4, embed_dim=12, depth=1, num_heads=2, num_classes=3
)


def checkpoint(path: Path, classes: tuple[str, ...], answer: int) -> str:
    """Write a model that says the same of everything."""
    model = build(SHAPE, seed=0).eval()
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.zero_()
        model.head.bias[answer] = 1.0
    data = DataInfo("pets", "", (0.5,) * 3, (0.25,) * 3, classes)
    save_checkpoint(model, path / "final.safetensors", data=data)
    return str(path / "final.safetensors")


@pytest.fixture
def model(tmp_path: Path) -> str:
    return checkpoint(tmp_path, ("cat", "dog", "eel"), answer=2)


def test_the_test_part_is_enough(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("cat", "dog", "eel"):
        put_images(tmp_path / "pets" / "test" / name, 4)
    assert main([model, "--dataset", str(tmp_path / "pets")]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("accuracy 33.33% (4 of 12)") and not said.err


@pytest.mark.parametrize(
    ("there", "accuracy", "lines"),
    [
        (("dog", "eel"), "50.00% (4 of 8)", ["  cat: no images", "  dog: 0.00%", "  eel: 100.00%"]),
        (("eel",), "100.00% (4 of 4)", ["  cat: no images", "  dog: no images"]),
        (("cat",), "0.00% (0 of 4)", ["  cat: 0.00%", "  eel: no images"]),
    ],
)
def test_classes_that_are_missing_there_are_named(
    model: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    there: tuple[str, ...],
    accuracy: str,
    lines: list[str],
) -> None:
    for name in there:
        put_images(tmp_path / "pets" / "Test" / name, 4)
    (tmp_path / "pets" / "Test" / "cat").mkdir(exist_ok=True)  # which may also be there and empty
    assert main([model, "--dataset", str(tmp_path / "pets")]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"accuracy {accuracy}, loss ") and "nan" not in said.out
    assert [line for line in lines if line not in said.out.splitlines()] == []
    missing = [name for name in ("cat", "dog", "eel") if name not in there]
    assert f"no images of {', '.join(missing)} in " in said.err


@pytest.mark.parametrize("name", ["val", "valid", "Validation"])
def test_without_a_test_part_it_is_said_which_one_is_used(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    for label in ("cat", "dog", "eel"):
        put_images(tmp_path / "pets" / name / label, 4)
    assert main([model, "--dataset", str(tmp_path / "pets")]) == 0
    path = str(tmp_path / "pets" / name)
    assert f"tested on the images in {path}, since there is no test/" in capsys.readouterr().err


def test_the_folder_of_the_part_itself(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for label in ("cat", "eel"):
        put_images(tmp_path / "pets" / "test" / label, 4)
        put_images(tmp_path / "photos" / label, 4)
    assert main([model, "--dataset", str(tmp_path / "pets" / "test")]) == 0
    assert "since" not in capsys.readouterr().err.replace("no images", "")
    assert main([model, "--dataset", str(tmp_path / "photos")]) == 0
    assert "tested on the images in " in capsys.readouterr().err


def test_the_training_images_are_not_read(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for label in ("cat", "dog", "eel"):
        put_images(tmp_path / "pets" / "train" / label, 4)
        put_images(tmp_path / "pets" / "test" / label, 4)
    read: list[str] = []
    kept = module.read_image
    monkeypatch.setattr(
        module, "read_image", lambda file, *rest: (read.append(file), kept(file, *rest))[1]
    )
    assert main([model, "--dataset", str(tmp_path / "pets")]) == 0
    assert len(read) == 12 and all(f"{os.sep}test{os.sep}" in file for file in read)


def test_an_unknown_class_is_named(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_images(tmp_path / "pets" / "test" / "cat", 4)
    put_images(tmp_path / "pets" / "test" / "fox\u202e", 4)
    assert main([model, "--dataset", str(tmp_path / "pets")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: the model knows the 3 classes cat, dog, eel; ")
    assert r"unknown to the model: fox\u202e" in said and said.count("\n") == 1


def test_what_cannot_be_tested_on_is_one_sentence(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "pets"
    put_images(root / "train" / "cat", 4)
    for change, said in (
        (lambda: None, "has neither test/ nor val/"),
        (lambda: (root / "test").mkdir(), "has no image of any class"),
        (lambda: (root / "test" / "cat").mkdir(), "has no image of any class"),
        (lambda: (root / "test" / "cat" / "a.heic").touch(), "other files there: 1 .heic"),
        (lambda: (root / "test" / "cat" / "a.png").touch(), "none of the images in"),
        (lambda: put_images(root / "Testing" / "cat", 4), "are two names for one part"),
    ):
        change()
        assert main([model, "--dataset", str(root)]) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ") and error.count("\n") == 1 and said in error
    assert main([model, "--dataset", "~no such user/x"]) == 2
    assert "there is no data set" in capsys.readouterr().err


def test_classes_are_known_by_name_in_whatever_order(tmp_path: Path) -> None:
    """A class that is missing shifts no other, and the model's order need not be the alphabet's."""
    for name, shade in (("10", 10), ("2", 2), ("1", 1)):
        put_images(tmp_path / "test" / name, 3, shade=shade)
    part = read_test_part(tmp_path, (3, 8, 8), ("0", "2", "1", "10"))
    assert part.images.labels.tolist() == [1] * 3 + [2] * 3 + [3] * 3
    shades = part.images.at(list(range(9)))[:, 0, 0, 0].tolist()
    assert shades == [0, 2, 4, 0, 1, 2, 0, 10, 20]
    assert part.missing == ["0"]


@pytest.mark.skipif(sys.platform != "linux", reason="names must be text there")
def test_names_are_found_however_they_are_stored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = checkpoint(tmp_path, ("Bäcker", "caf\\xe9", "狗\n"), answer=0)
    test = tmp_path / "pets" / "test"
    put_images(test / unicodedata.normalize("NFD", "Bäcker"), 4)
    put_images(Path(os.fsdecode(os.fsencode(test) + b"/caf\xe9")), 4)
    put_images(test / "狗\n", 4)
    assert main([model, "--dataset", str(tmp_path / "pets")]) == 0
    said = capsys.readouterr().out
    assert all(line in said.splitlines() for line in ("  Bäcker: 100.00%", r"  caf\xe9: 0.00%"))
    assert r"  狗\n: 0.00%" in said.splitlines()


def test_a_terminal_without_the_letters_of_a_class(tmp_path: Path) -> None:
    """As on Windows, whose output is cp1252 where it goes into a file."""
    model = checkpoint(tmp_path, ("✓", "狗 🐶", "é"), answer=0)
    for name in ("✓", "é"):
        put_images(tmp_path / "pets" / "test" / name, 4)
    done = subprocess.run(
        [sys.executable, "-m", "vit_core.evaluate", model, "--dataset", str(tmp_path / "pets")],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "cp1252", "OMP_NUM_THREADS": "1"},
    )
    lines = done.stdout.decode("cp1252").splitlines()
    assert done.returncode == 0 and r"  \u2713: 100.00%" in lines and "  é: 0.00%" in lines
    assert r"no images of \u72d7 \U0001f436 in " in done.stderr.decode("cp1252")


def test_a_part_that_does_not_fit_in_memory(tmp_path: Path) -> None:
    for name in ("cat", "eel"):
        put_images(tmp_path / "test" / name, 4)
    (tmp_path / "test" / "cat" / "01.png").write_bytes(b"")
    part = read_test_part(tmp_path, (3, 8, 8), ("cat", "dog", "eel"), memory=0.0)
    (batch,) = part.images.in_order(50)
    assert part.images.labels[batch.indices].tolist() == [0] * 4 + [2] * 4
    assert part.missing == ["dog"] and len(part.skipped) == 1


def test_an_unclear_name_of_a_part_is_an_error_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageFolderError, match="is not a folder"):
        read_test_part(tmp_path / "nothing", (3, 8, 8), ("cat", "dog"))
