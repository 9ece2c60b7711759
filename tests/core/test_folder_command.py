"""Training on and testing with a folder of one's own, as a command."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from folder_data import ONE_EPOCH, make_folder

from vit_core import load_checkpoint
from vit_core.data import ImageData
from vit_core.runs import train_command as command
from vit_core.runs.directory import read_config
from vit_core.runs.evaluate_command import main as evaluate_main
from vit_core.runs.history import RunHistory

pytestmark = pytest.mark.usefixtures("quiet")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "pets", {"train": 30, "test": 4})


def run(folder: Path, path: Path, *extra: str) -> int:
    return command.main(["--dataset", str(folder), "--run-dir", str(path), *ONE_EPOCH, *extra])


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.rstrip("\n").splitlines()[-1]


def test_one_line_trains_on_a_folder_and_another_tests(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run"
    assert run(folder, path) == 0
    config = read_config(path)
    assert (config.preset, config.dataset, config.images) == ("photographs", str(folder), 87)
    assert (config.model.num_classes, config.model.in_channels) == (3, 3)
    # fewer images than a batch of the preset
    assert RunHistory(path).total_steps == 1 == RunHistory(path).metrics()[-1]["step"]
    checkpoint = load_checkpoint(path / "final.safetensors")
    assert checkpoint.data is not None and checkpoint.data.class_names == ("cat", "dog", "eel")

    capsys.readouterr()
    assert evaluate_main([str(path / "final.safetensors"), "--dataset", str(folder)]) == 0
    said = capsys.readouterr().out
    accuracy = checkpoint.metrics["test_accuracy"]
    assert said.startswith(f"accuracy {accuracy:.2%} (") and "of 12)" in said
    assert "  eel: " in said


def test_grey_and_another_shape(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    shape = ["--preset", "fast", "--image-size", "16x8", "--patch-size", "4", "--num-heads", "3"]
    assert run(folder, path, *shape) == 0
    model = read_config(path).model
    assert (model.in_channels, model.image_hw, model.num_classes) == (1, (16, 8), 3)


def test_a_folder_from_its_files_is_resumed_so(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run"
    seen: list[ImageData] = []
    kept = command.Recorder

    def watched(run: Any, data: ImageData, *rest: Any) -> Any:
        seen.append(data)
        return kept(run, data, *rest)

    monkeypatch.setattr(command, "Recorder", watched)
    streamed = ["--memory", "0", "--workers", "0", "--statistics", "imagenet"]
    assert run(folder, path, *streamed) == 0
    assert command.main(["--run-dir", str(path), "--resume", "--workers", "0"]) == 0
    first, second = seen
    assert type(first.train) is type(second.train)
    assert first.info == second.info and first.info.mean == (0.485, 0.456, 0.406)


def test_bad_files_are_named_on_the_terminal(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "train" / "cat" / "0001.png").write_bytes(b"no image")
    assert run(folder, tmp_path / "run") == 0
    said = capsys.readouterr().err
    assert said.count("1 file is no whole image and not used: ") == 1
    assert "cat/0001.png" in said


def test_testing_names_bad_files_too(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, tmp_path / "run") == 0
    (folder / "test" / "dog" / "0002.png").write_bytes(b"")
    capsys.readouterr()
    final = str(tmp_path / "run" / "final.safetensors")
    assert evaluate_main([final, "--dataset", str(folder)]) == 0
    said = capsys.readouterr()
    assert "of 11)" in said.out
    assert said.err.startswith("1 file is no whole image") and "dog/0002.png" in said.err
    for file in folder.rglob("*.png"):
        file.write_bytes(b"")
    assert evaluate_main([final, "--dataset", str(folder)]) == 2
    assert "more than 10 files are no images" in last_line(capsys)


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--num-classes", "4"], ["pets has 3 classes", "num-classes must fit"]),
        (["--in-channels", "2"], ["in-channels must be 1 or 3, not 2"]),
        (["--memory", "-1"], ["memory must be", "at least 0"]),
        (["--workers", "-1"], ["workers must be a whole number from 0"]),
        (["--device", "cuda"], ["PyTorch finds no GPU here"]),
        (["--grad-accumulation", "3"], ["128 cannot be divided evenly", "126 and 129"]),
    ],
)
def test_a_setting_that_does_not_fit_leaves_no_directory(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    extra: list[str],
    words: list[str],
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert run(folder, tmp_path / "run", *extra) == 2
    said = last_line(capsys)
    assert said.startswith("error: ") and [word for word in words if word not in said] == []
    assert not (tmp_path / "run").exists()


def test_a_folder_that_is_no_image_folder_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        assert run(path, tmp_path / "run") == 2
        said = capsys.readouterr().err
        assert said.startswith("error: ") and said.count("\n") == 1


def test_resuming_on_other_data_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run"
    assert run(folder, path) == 0
    resume = ["--run-dir", str(path), "--resume"]
    assert command.main([*resume, "--dataset", str(folder)]) == 0
    assert command.main([*resume, "--dataset", "mnist"]) == 2
    assert "was started with dataset" in last_line(capsys)
    assert command.main([*resume, "--statistics", "imagenet"]) == 2
    assert "was started with statistics 'data', not 'imagenet'" in last_line(capsys)
    (folder / "train" / "cat" / "0001.png").unlink()
    assert command.main(resume) == 2
    assert "holds other data now than when this run was started" in last_line(capsys)
    shutil.rmtree(folder)
    assert command.main(resume) == 2
    assert "there is no data set" in last_line(capsys)


def test_a_run_of_the_first_versions_still_opens(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    assert run(folder, path) == 0
    values = json.loads((path / "config.json").read_text())
    for name in ("dataset", "statistics", "is_streamed", "images"):
        del values[name]
    for name in ("flip", "patch_drop", "randaugment", "mixup", "ema", "compile"):
        del values["train"][name]
    (path / "config.json").write_text(json.dumps(values))
    config = read_config(path)
    assert (config.dataset, config.statistics, config.is_streamed) == ("mnist", "data", False)
    assert config.images == 55_000


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (("cat", "dog", "fox"), ["knows the 3 classes cat, dog, eel; ", "has 3, cat, dog, fox"]),
        (("a", "b", "c", "d"), ["has 4, a, b, c, …"]),
    ],
)
def test_testing_with_other_classes_is_refused(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    classes: tuple[str, ...],
    words: list[str],
) -> None:
    assert run(folder, tmp_path / "run") == 0
    other = make_folder(tmp_path / "other", {"train": 12, "val": 1}, classes)
    final = str(tmp_path / "run" / "final.safetensors")
    assert evaluate_main([final, "--dataset", str(other)]) == 2
    said = last_line(capsys)
    assert [word for word in words if word not in said] == []
    assert evaluate_main([final]) == 2
    assert "takes images of 3 x 32 x 32; those of mnist are 1 x 28 x 28" in last_line(capsys)
