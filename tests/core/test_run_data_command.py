"""The command line on a part of the data, from given weights, and on a run's own images."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from folder_data import ONE_EPOCH, make_folder

from vit_core import load_checkpoint, save_checkpoint
from vit_core.data import ImageData, Split
from vit_core.data.image_folder import read_folder
from vit_core.data.kept import IMAGES, KEPT, OWN_SYMBOLS, kept_data, load_images, save_images
from vit_core.data.limit import limited
from vit_core.data.streaming import StreamedSplit
from vit_core.runs import train_command as command
from vit_core.runs.directory import read_config
from vit_core.runs.evaluate_command import main as evaluate_main
from vit_core.runs.history import RunHistory

pytestmark = pytest.mark.usefixtures("quiet")
NAMES = ("star", "moon")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "pets", {"train": 30, "test": 4})


def run(dataset: Path | str, path: Path, *extra: str) -> int:
    return command.main(["--dataset", str(dataset), "--run-dir", str(path), *ONE_EPOCH, *extra])


def resume(path: Path, *extra: str) -> int:
    return command.main(["--run-dir", str(path), "--resume", *extra])


def refusal(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.rstrip("\n").splitlines()[-1]


def symbols() -> ImageData:
    random = np.random.default_rng(0)
    parts = []
    for count in (12, 6, 4):
        images = random.integers(0, 256, (count, 1, 8, 8), np.uint8)
        parts.append(Split(torch.from_numpy(images), torch.arange(count) % 2))
    return kept_data(OWN_SYMBOLS, NAMES, *parts)


@pytest.mark.parametrize("memory", ["2", "0"])
def test_the_first_of_each_class_train_and_the_others_stay(folder: Path, memory: str) -> None:
    whole = read_folder(folder, 8, memory=float(memory))
    few = limited(whole, 5)
    assert isinstance(few.train, StreamedSplit if memory == "0" else Split)
    labels = whole.train.labels
    first = [place for kind in range(3) for place in (labels == kind).nonzero()[:5, 0].tolist()]
    assert torch.equal(few.train.at(list(range(15))), whole.train.at(first))
    assert few.train.labels.tolist() == labels[first].tolist()
    assert (few.val, few.test, few.info) == (whole.val, whole.test, whole.info)
    assert limited(whole, None) is whole
    assert len(limited(whole, 10**6).train) == len(whole.train)


def test_the_order_of_the_set_is_kept() -> None:
    labels = torch.tensor([2, 0, 1, 0, 2, 0, 1, 2])
    data = Split(torch.arange(8, dtype=torch.uint8)[:, None, None, None], labels)
    few = limited(ImageData(data, data, data, None), 2)  # type: ignore[arg-type]
    assert few.train.at(list(range(len(few.train)))).flatten().tolist() == [0, 1, 2, 3, 4, 6]


@pytest.mark.parametrize("memory", ["2", "0"])
def test_a_run_on_a_few_of_each_class(
    folder: Path, tmp_path: Path, memory: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run"
    extra = ["--limit-per-class", "4", "--memory", memory, "--workers", "0", "--batch-size", "4"]
    assert run(folder, path, *extra, "--epochs", "2") == 0
    config = read_config(path)
    assert (config.limit_per_class, config.images, config.val_images) == (4, 12, 3)
    assert RunHistory(path).total_steps == 6 == RunHistory(path).metrics()[-1]["step"]
    capsys.readouterr()
    assert resume(path, "--workers", "0") == 0 and "is complete" in capsys.readouterr().out
    assert resume(path, "--limit-per-class", "5") == 2
    assert "was started with limit_per_class 4, not 5" in refusal(capsys)


@pytest.mark.parametrize("value", ["0", "-3"])
def test_a_limit_that_cannot_be(
    folder: Path, tmp_path: Path, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, tmp_path / "run", "--limit-per-class", value) == 2
    assert "limit-per-class must be" in refusal(capsys)
    assert not (tmp_path / "run").exists()


def test_a_run_starts_from_the_weights_of_another(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert run(folder, first) == 0
    init = first / "final.safetensors"
    capsys.readouterr()
    more = ["--image-size", "40", "--epochs", "2", "--batch-size", "8"]
    assert run(folder, second, "--init", str(init), *more) == 0
    said = capsys.readouterr().out
    config = read_config(second)
    assert config.taken and f"starts from {init}: {config.taken}" in said
    assert "resampled from 8 x 8 to 10 x 10" in config.taken
    assert config.init == str(init.absolute())
    assert config.model.embed_dim == 12, "the shape is that of the weights"
    ours = load_checkpoint(second / "epoch-000.safetensors").model.state_dict()
    theirs = load_checkpoint(init).model.state_dict()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours if key != "pos_embed")
    assert resume(second, "--init", "seed") == 2
    assert "was started with init" in refusal(capsys)


def test_a_run_goes_on_without_the_file_that_it_started_from(folder: Path, tmp_path: Path) -> None:
    first = tmp_path / "first"
    assert run(folder, first) == 0
    init = tmp_path / "init.safetensors"
    shutil.copy(first / "final.safetensors", init)
    for name in ("whole", "cut", "begun"):
        given = ["--init", str(init), "--epochs", "2", "--batch-size", "8"]
        assert run(folder, tmp_path / name, *given) == 0
    init.unlink()
    expected = load_checkpoint(tmp_path / "whole" / "final.safetensors").model.state_dict()
    for name, kept in (("cut", 1), ("begun", 0)):
        path = tmp_path / name
        for file in path.iterdir():  # as it was after that epoch
            if file.name in ("final.safetensors", "hardest.json", "epoch-002.safetensors"):
                file.unlink()
        if not kept:
            for file in ("state.safetensors", "epoch-001.safetensors", "metrics.jsonl"):
                (path / file).unlink()
        else:
            (path / "state.safetensors").unlink()  # of the last epoch, so all is done again
            (path / "metrics.jsonl").unlink()
        assert resume(path) == 0
        found = load_checkpoint(path / "final.safetensors").model.state_dict()
        assert all(torch.equal(found[key], expected[key]) for key in found)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--init", "nothing"], "there is no model"),
        (["--init", "fast", "--embed-dim", "32"], "embed_dim 64 where this run has 32"),
        (["--init", "fast", "--preset", "default"], "choose a model of the same shape"),
    ],
)
def test_weights_that_do_not_fit_are_refused_before_anything_is_made(
    tmp_path: Path, given: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--run-dir", str(tmp_path / "run"), "--threads", "1", *given]) == 2
    assert message in refusal(capsys)
    assert not (tmp_path / "run").exists()


def test_a_run_on_kept_images_has_them_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    save_images(home, symbols())
    shape = ["--preset", "fast", "--patch-size", "4", "--num-heads", "2", "--batch-size", "4"]
    for dataset, name in ((home / IMAGES, "by file"), (home, "by folder")):
        assert run(dataset, tmp_path / name, *shape) == 0, "the size is that of the images"
        assert run(dataset, tmp_path / "odd", *shape, "--image-size", "16") == 2
        assert "image-size" in refusal(capsys)
    path = tmp_path / "by file"
    config = read_config(path)
    assert (config.dataset, config.images) == (KEPT, 12)
    assert (config.val_images, config.test_images) == (6, 4)
    assert load_images(path).info == symbols().info
    checkpoint = load_checkpoint(path / "final.safetensors")
    assert checkpoint.data == symbols().info
    assert checkpoint.pictures is not None and checkpoint.pictures.images.shape == (6, 1, 8, 8)

    shutil.rmtree(home)
    (path / "state.safetensors").unlink()
    (path / "metrics.jsonl").unlink()
    assert resume(path) == 0, "its images are its own"
    assert resume(path, "--dataset", "mnist") == 2
    assert "has its images with it" in refusal(capsys)
    capsys.readouterr()
    assert evaluate_main([str(path / "final.safetensors")]) == 0
    said = capsys.readouterr().out
    assert "of 4)" in said and "  moon: " in said
    other = tmp_path / "alone.safetensors"
    save_checkpoint(checkpoint.model, other, data=checkpoint.data)
    assert evaluate_main([str(other), "--dataset", str(path / IMAGES)]) == 0

    save_images(path, kept_data(OWN_SYMBOLS, NAMES, *[symbols().val] * 3))
    assert resume(path) == 2
    assert "other data now" in refusal(capsys)
    (path / IMAGES).write_bytes(b"nothing")
    assert resume(path) == 2
    assert IMAGES in refusal(capsys)


def test_pictures_go_along_unless_somebody_says_no(folder: Path, tmp_path: Path) -> None:
    for name, extra, wanted in (("yes", [], True), ("no", ["--no-pictures"], False)):
        path = tmp_path / name
        assert run(folder, path, *extra) == 0
        found = load_checkpoint(path / "final.safetensors").pictures
        assert (found is not None) == wanted == read_config(path).takes_pictures
        hardest = RunHistory(path).hardest_pictures()
        assert (hardest is not None) == wanted
        if hardest is not None:
            assert len(hardest) == len(RunHistory(path).hardest()) == 12
            assert hardest.shape[1:] == (3, 32, 32)
    assert resume(tmp_path / "no") == 0
    assert not read_config(tmp_path / "no").takes_pictures
