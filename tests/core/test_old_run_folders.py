"""Run folders and checkpoints of a version before, read, tested and resumed from the command line.

They lie beside the app's tests; ``tests/app/recorded/record_runs.py`` says how they were written.
"""

import importlib
import json
import runpy
import shutil
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.optim import Optimizer

import vit_core
from vit_core import Checkpoint, load_checkpoint
from vit_core.data import mnist_info, mnist_test, normalize
from vit_core.pretrained import load
from vit_core.runs.history import RunHistory
from vit_core.training import optimizers
from vit_core.training.muon import Muon

RECORDED = Path(__file__).parents[1] / "app" / "recorded"
EXPECTED: dict[str, Any] = json.loads((RECORDED / "runs.json").read_text("utf-8"))
FOLDERS = {
    "finished": RECORDED / "runs" / EXPECTED["finished"]["id"],
    "stopped": RECORDED / "runs" / EXPECTED["stopped"]["id"],
    "mistaken": RECORDED / "models" / EXPECTED["mistaken"]["id"],
}
CHECKPOINTS = {
    f"{name}/{file}": (folder / f"{file}.safetensors", logits)
    for name, folder in FOLDERS.items()
    for file, logits in EXPECTED[name]["logits"].items()
} | {"half": (RECORDED / "half.safetensors", EXPECTED["half"]["logits"])}
ROUNDING = 1e-4  # of logits: another processor adds in another order
Command = Callable[..., str]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Return what runs ``python -m`` a module in this process: arguments → what it prints."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    def command(module: str, *arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", [module, *arguments])
        with warnings.catch_warnings(), pytest.raises(SystemExit) as end:
            # that it was imported before, as the module that it is
            warnings.filterwarnings("ignore", ".* found in sys.modules", RuntimeWarning)
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        assert not end.value.code
        return capfd.readouterr().out

    return command


def said_by(checkpoint: Checkpoint) -> list[float]:
    """Return the logits of the first test digit."""
    return checkpoint.model(normalize(mnist_test().images[:1], mnist_info()))[0].tolist()


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_checkpoint_says_what_it_said(name: str) -> None:
    path, logits = CHECKPOINTS[name]
    assert said_by(load_checkpoint(path)) == pytest.approx(logits, abs=ROUNDING)
    assert said_by(load_checkpoint(path.read_bytes())) == pytest.approx(logits, abs=ROUNDING)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_checkpoint_knows_where_it_comes_from(name: str) -> None:
    history = RunHistory(FOLDERS[name])
    found = load_checkpoint(history.checkpoint(1))
    assert found.data == mnist_info()
    assert found.train_config == history.config.train
    assert found.config == history.config.model
    assert found.command == history.config.command
    assert found.command.startswith("python -m vit_core.train")
    line = EXPECTED[name]["epochs"][0]
    assert {key: found.metrics[key] for key in line if key in found.metrics}.items() <= line.items()
    assert found.metrics["val_accuracy"] == line["val_accuracy"]


def test_a_mistake_comes_back_with_its_model() -> None:
    found = load_checkpoint(FOLDERS["mistaken"] / "final.safetensors")
    assert found.train_config is not None and not found.train_config.scale_scores
    usual = vit_core.ViT(found.config).eval()
    usual.load_state_dict(found.model.state_dict())
    image = normalize(mnist_test().images[:1], mnist_info())
    assert not torch.allclose(usual(image), found.model(image), atol=1e-3)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_is_read(name: str) -> None:
    history, expected = RunHistory(FOLDERS[name]), EXPECTED[name]
    lines = [line for line in history.metrics() if line.get("val_accuracy") is not None]
    assert [{k: v for k, v in line.items() if k != "seconds"} for line in lines] == expected[
        "epochs"
    ]
    assert len(history.epochs()) == sum("epoch" in file for file in expected["logits"])
    is_whole = name != "stopped"
    assert (history.test_accuracy is not None) == bool(history.hardest()) == is_whole
    assert (history.snapshot() is not None) == (name != "mistaken")  # nobody watched that one


@pytest.mark.parametrize("name", ["finished", "mistaken"])
def test_a_run_is_one_of_the_pretrained_models(name: str) -> None:
    model, preprocessing = load(FOLDERS[name])
    assert preprocessing.info == mnist_info()
    image = normalize(mnist_test().images[:1], mnist_info())
    expected = EXPECTED[name]["logits"]["final"]
    assert model(image)[0].tolist() == pytest.approx(expected, abs=ROUNDING)


def pytorchs_muon(parameters: list[nn.Parameter], lr: float, weight_decay: float) -> Optimizer:
    return torch.optim.Muon(parameters, lr=lr, weight_decay=weight_decay, adjust_lr_fn="original")


# the run was recorded with PyTorch's Muon on one processor. On another, and with ours, bfloat16
# rounds otherwise, which Muon magnifies: its matrices differed by up to 0.012
@pytest.mark.parametrize("muon", [pytorchs_muon, Muon])
def test_resuming_gives_what_it_gave(
    tmp_path: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    muon: Callable[..., Optimizer],
) -> None:
    path = tmp_path / "run"
    shutil.copytree(FOLDERS["stopped"], path)
    before = (path / "epoch-001.safetensors").read_bytes()
    monkeypatch.setattr(optimizers, "Muon", muon)
    assert "test accuracy" in command("vit_core.train", "--run-dir", str(path), "--resume")
    assert (path / "epoch-001.safetensors").read_bytes() == before
    found = load_checkpoint(path / "final.safetensors").model.state_dict()
    expected = load_file(RECORDED / "resumed.safetensors")
    assert list(sorted(found)) == list(sorted(expected))
    for key, value in expected.items():
        is_muons = key.startswith("blocks.") and value.ndim == 2
        # equal bits on the machine that recorded them; another one rounds otherwise
        atol = 2e-2 if is_muons else 2e-3
        torch.testing.assert_close(found[key], value, rtol=0, atol=atol, msg=key)
    history, lines = RunHistory(path), EXPECTED["resumed"]["epochs"]
    assert history.test_accuracy == pytest.approx(lines[-1]["test_accuracy"], abs=5e-3)
    assert history.metrics()[-1]["step"] == lines[-1]["step"]


def test_a_finished_run_is_not_trained_again(tmp_path: Path, command: Command) -> None:
    path = tmp_path / "run"
    shutil.copytree(FOLDERS["mistaken"], path)
    files = {file.name: file.read_bytes() for file in path.iterdir()}
    assert "is complete" in command("vit_core.train", "--run-dir", str(path), "--resume")
    assert {name: (path / name).read_bytes() for name in files} == files


def test_evaluating_finds_the_accuracy_of_then(command: Command) -> None:
    said = command("vit_core.evaluate", str(FOLDERS["finished"] / "final.safetensors"))
    accuracy = EXPECTED["finished"]["epochs"][-1]["test_accuracy"]
    assert f"{accuracy:.2%}" in said


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("vit_core.train", ["--preset", "--run-dir", "--resume", "--epochs", "--no-residual"]),
        ("vit_core.evaluate", ["checkpoint", "--dataset", "--wrong"]),
        ("vit_core.pretrained", ["name", "image"]),
        ("vit_core.worker", ["--nice", "--memory"]),
    ],
)
def test_the_commands_take_what_they_took(module: str, words: list[str], command: Command) -> None:
    said = command(module, "--help")
    assert f"python -m {module}" in said
    assert all(word in said for word in words)


def test_the_names_that_others_import() -> None:
    names = [
        *("PRESETS", "Checkpoint", "CheckpointError", "Preset", "Trace", "TrainConfig", "ViT"),
        *("ViTConfig", "build", "load_checkpoint", "save_checkpoint", "trace"),
    ]
    assert set(names) <= set(vit_core.__all__)
    assert all(getattr(vit_core, name) is not None for name in vit_core.__all__)


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("data", ["DataInfo", "mnist_info", "mnist_test", "normalize"]),
        ("pretrained", ["PretrainedError", "Preprocessing", "fetch", "is_here", "load"]),
        ("pretrained", ["from_huggingface", "from_timm", "from_torchvision", "local_models"]),
        ("interpret.features", ["principal_map", "cosine_similarities"]),
        ("interpret.filters", ["principal_filters", "filter_images", "embed_by_convolution"]),
        ("interpret.heads", ["head_contributions", "head_effects", "switch_heads_off"]),
        ("interpret.heads", ["head_entropy", "mean_attention_distance", "patch_distances"]),
        ("interpret.lens", ["logit_lens", "logit_attribution"]),
        ("interpret.position", ["position_similarity", "shuffle_experiment", "wave"]),
    ],
)
def test_the_modules_that_others_import(module: str, names: list[str]) -> None:
    found = importlib.import_module(f"vit_core.{module}")
    assert [name for name in names if not hasattr(found, name)] == []
