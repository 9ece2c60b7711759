"""The script of a run: it trains the same model again, without the app."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from explainer.training.as_script import script_of
from vit_core import PRESETS, TrainConfig, ViTConfig, load_checkpoint
from vit_core.data import mnist_info
from vit_core.mistakes import MISTAKES
from vit_core.runs.directory import RunConfig
from vit_core.runs.train_command import main

TINY = ViTConfig(patch_size=14, embed_dim=8, depth=1, num_heads=2, pos_embed="sincos")


def config_of(model: ViTConfig, train: TrainConfig) -> RunConfig:
    return RunConfig("fast", model, train, 1, mnist_info().fingerprint, "")


@pytest.mark.parametrize("flaw", [[], ["--no-residual"]])
def test_it_ends_at_the_accuracy_of_the_run(tmp_path: Path, flaw: list[str]) -> None:
    options = "--patch-size 14 --embed-dim 8 --depth 1 --num-heads 2 --epochs 1 --batch-size 512"
    command = [*options.split(), "--augment", "shift", "--threads", "1", *flaw]
    assert main(["--run-dir", str(tmp_path / "run"), *command]) == 0
    checkpoint = load_checkpoint(tmp_path / "run" / "final.safetensors")
    accuracy = checkpoint.metrics["test_accuracy"]
    config = config_of(checkpoint.config, checkpoint.train_config)
    (tmp_path / "again.py").write_text(script_of(config, accuracy), encoding="utf-8")
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "again.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert f"test accuracy {accuracy:.2%}\n" in done.stdout
    again = load_checkpoint(tmp_path / "model.safetensors")
    for name, value in checkpoint.model.state_dict().items():
        assert value.equal(again.model.state_dict()[name]), name


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
