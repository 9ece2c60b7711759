"""The script of a run: it trains the same model again, without the app."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from explainer.training.as_script import script_of
from vit_core import PRESETS, TrainConfig, ViTConfig, load_checkpoint
from vit_core.data import mnist, mnist_info
from vit_core.data import open as open_data
from vit_core.mistakes import MISTAKES
from vit_core.runs.directory import RunConfig
from vit_core.runs.train_command import main

COUNT = 2_048  # digits to learn from: nothing here depends on how good a model becomes
FEW = f"""
import dataclasses, os, runpy, sys
import vit_core.data

whole = vit_core.data.mnist()
few = dataclasses.replace(whole, train=whole.train.first({COUNT}))
vit_core.data.mnist = lambda: few
for name in sys.argv[1:]:
    runpy.run_path(f"{{name}}.py")
    os.replace("model.safetensors", f"{{name}}.safetensors")
assert not {{"explainer", "streamlit"}} & set(sys.modules)
"""
TINY = ViTConfig(patch_size=14, embed_dim=8, depth=1, num_heads=2, pos_embed="sincos")


def config_of(model: ViTConfig, train: TrainConfig) -> RunConfig:
    return RunConfig("fast", model, train, 1, mnist_info().fingerprint, "")


@pytest.fixture
def few_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line trains on the digits that ``FEW`` leaves."""
    whole = mnist()
    few = dataclasses.replace(whole, train=whole.train.first(COUNT))
    monkeypatch.setattr(open_data, "mnist", lambda: few)


@pytest.mark.usefixtures("few_digits")
def test_it_ends_at_the_accuracy_of_the_run_without_the_app(tmp_path: Path) -> None:
    """Of a sound run and of one with a mistake, in a process that knows the scripts alone."""
    options = "--patch-size 14 --embed-dim 8 --depth 1 --num-heads 2 --epochs 1 --batch-size 256"
    command = [*options.split(), "--augment", "shift", "--threads", "1"]
    runs = {}
    for name, flaw in (("sound", []), ("flawed", ["--no-residual"])):
        assert main(["--run-dir", str(tmp_path / name), *command, *flaw]) == 0
        runs[name] = load_checkpoint(tmp_path / name / "final.safetensors")
        config = config_of(runs[name].config, runs[name].train_config)
        text = script_of(config, runs[name].metrics["test_accuracy"])
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", FEW, *runs],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    for name, checkpoint in runs.items():
        assert f"test accuracy {checkpoint.metrics['test_accuracy']:.2%}\n" in done.stdout
        again = load_checkpoint(tmp_path / f"{name}.safetensors")
        for key, value in checkpoint.model.state_dict().items():
            assert value.equal(again.model.state_dict()[key]), (name, key)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_setting_is_spelled_out_and_comes_back(preset: str) -> None:
    given = PRESETS[preset]
    text = script_of(config_of(given.model, given.train))
    found: dict = {}
    exec(text.split("torch.set_num_threads")[0], found)
    assert found["model_config"] == given.model
    assert found["train_config"] == given.train
    assert "explainer" not in text and "test accuracy of" not in text


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_in_the_script(mistake: str) -> None:
    model, train = MISTAKES[mistake].apply(TINY, TrainConfig())
    text = script_of(config_of(model, train))
    found: dict = {}
    exec(text.split("torch.set_num_threads")[0], found)
    assert (found["model_config"], found["train_config"]) == (model, train)
    in_the_model = mistake in ("no_residual", "no_layer_norm", "no_scaling")
    assert ("build_with(" in text) == in_the_model


def test_no_line_is_too_long() -> None:
    text = script_of(config_of(TINY, TrainConfig()), 0.9321)
    assert "93.21%" in text
    assert max(map(len, text.splitlines())) <= 100
