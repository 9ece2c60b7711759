"""A run is gone on with where its images lie now, if they are the same."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from folder_data import ONE_EPOCH, make_folder
from PIL import Image, ImageOps

from vit_core.runs import train_command as command
from vit_core.runs.directory import read_config

pytestmark = pytest.mark.usefixtures("quiet")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "old place", {"train": 30, "test": 4})


def cut_back(run: Path) -> None:
    """Leave a run as it is before its first epoch ends."""
    for name in ("final.safetensors", "state.safetensors", "metrics.jsonl", "hardest.json"):
        (run / name).unlink()


def resume(run: Path, *options: str) -> int:
    return command.main(["--run-dir", str(run), "--resume", "--workers", "0", *options])


@pytest.mark.parametrize("memory", ["2", "0"])
@pytest.mark.parametrize("is_complete", [True, False])
def test_moved_images_are_gone_on_with(
    old: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    memory: str,
    is_complete: bool,
) -> None:
    run, new = tmp_path / "run", tmp_path / "ein neuer Ort ✓"
    start = ["--memory", memory, "--workers", "0", "--dataset", str(old), "--run-dir", str(run)]
    assert command.main([*start, *ONE_EPOCH]) == 0
    if not is_complete:
        cut_back(run)
    before = read_config(run)
    old.rename(new)
    assert resume(run) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("error: there is no data set") and "--dataset" in said
    assert read_config(run) == before
    assert resume(run, "--dataset", str(new)) == 0
    assert "test accuracy" in capsys.readouterr().out
    # the next time it is found there without being told
    assert read_config(run).dataset == str(new)
    assert resume(run) == 0
    # and where the run was moved as well
    run.rename(tmp_path / "moved run")
    assert resume(tmp_path / "moved run") == 0


def test_other_images_are_refused_and_change_nothing(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert command.main(["--dataset", str(old), "--run-dir", str(run), *ONE_EPOCH]) == 0
    other = shutil.copytree(old, tmp_path / "other")
    (other / "train" / "cat" / "0003.png").unlink()
    before = {file: file.read_bytes() for file in run.iterdir()}
    capsys.readouterr()
    for dataset, words in (
        (str(other), "holds other data now"),
        (str(tmp_path / "nothing"), "there is no data set"),
        ("mnist", "was started with dataset"),
        ("~no such user/x", "there is no data set"),
    ):
        assert resume(run, "--dataset", dataset) == 2
        said = capsys.readouterr().err
        assert said.startswith("error: ") and words in said and said.count("\n") == 1
    assert {file: file.read_bytes() for file in run.iterdir()} == before
    assert resume(run) == 0


@pytest.mark.parametrize("memory", ["2", "0"])
def test_other_images_of_the_same_names_are_refused(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], memory: str
) -> None:
    run = tmp_path / "run"
    start = ["--memory", memory, "--workers", "0", "--dataset", str(old), "--run-dir", str(run)]
    assert command.main([*start, *ONE_EPOCH]) == 0
    other = shutil.copytree(old, tmp_path / "other")
    for file in other.rglob("*.png"):
        with Image.open(file) as image:
            ImageOps.invert(image).save(file)
    assert resume(run, "--dataset", str(other)) == 2
    assert "holds other data now" in capsys.readouterr().err
    assert read_config(run).dataset == str(old)


def test_a_run_that_knows_the_names_of_its_files_alone_is_gone_on_with(
    old: Path, tmp_path: Path
) -> None:
    """As one that an earlier version began."""
    run = tmp_path / "run"
    start = ["--memory", "0", "--workers", "0", "--dataset", str(old), "--run-dir", str(run)]
    assert command.main([*start, *ONE_EPOCH]) == 0
    values = json.loads((run / "config.json").read_text())
    assert len(values["data"]) == 32
    values["data"] = values["data"][:16]
    (run / "config.json").write_text(json.dumps(values))
    assert resume(run) == 0
    values["data"] = ""
    (run / "config.json").write_text(json.dumps(values))
    assert resume(run) == 2


def test_a_relative_path_is_kept_whole(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    monkeypatch.chdir(tmp_path)
    assert command.main(["--dataset", "old place", "--run-dir", "run", *ONE_EPOCH]) == 0
    assert read_config(run).dataset == str(old)
    old.rename(tmp_path / "new")
    assert resume(run, "--dataset", "new") == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert resume(run) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="such names are not allowed there")
def test_a_path_with_line_breaks_stays_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = make_folder(tmp_path / "two\nlines\x1b[31m", {"train": 12})
    for options in (["--dataset", str(odd)], ["--dataset", str(odd / "nothing")]):
        assert command.main([*options, "--run-dir", str(odd), *ONE_EPOCH]) == 2
        said = capsys.readouterr().err
        assert said.startswith("error: ") and said.count("\n") == 1 and "\x1b" not in said


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' names are Unicode")
def test_a_path_that_is_no_text_is_trained_on_and_gone_on_with(old: Path, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 \xff"))
    old.rename(odd)
    run = tmp_path / "run"
    start = ["--workers", "0", "--dataset", str(odd), "--run-dir", str(run)]
    assert command.main([*start, *ONE_EPOCH]) == 0
    assert read_config(run).dataset == str(odd)
    assert "caf\\xe9" in json.loads((run / "config.json").read_text())["dataset"]
    cut_back(run)
    assert resume(run) == 0
    moved = tmp_path / "moved"
    odd.rename(moved)
    assert resume(run, "--dataset", str(moved)) == 0
    assert read_config(run).dataset == str(moved)
