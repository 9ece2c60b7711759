"""The shipped models: made by their presets, and as good as they say."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vit_core import PRESETS, load_checkpoint
from vit_core.checkpoint import SHIPPED_DIR
from vit_core.data import mnist_info, mnist_test, normalize
from vit_core.training.evaluation import evaluate

LEAST = {"seed": 0.94, "fast": 0.993, "default": 0.993, "best": 0.995}
LARGEST_FILE = 4 * 1024**2  # bytes, to stay small enough for git


@pytest.mark.parametrize("name", LEAST)
def test_a_shipped_model_is_its_presets(name: str) -> None:
    path = SHIPPED_DIR / f"{name}.safetensors"
    checkpoint = load_checkpoint(path, expect=PRESETS[name].model)
    assert checkpoint.preset == name
    assert checkpoint.train_config == PRESETS[name].train
    assert checkpoint.data == mnist_info()
    assert checkpoint.command.startswith(f"python -m vit_core.train --preset {name} ")
    assert path.stat().st_size < LARGEST_FILE


@pytest.mark.parametrize("name", LEAST)
def test_a_shipped_model_is_as_good_as_it_says(name: str) -> None:
    checkpoint = load_checkpoint(SHIPPED_DIR / f"{name}.safetensors")
    accuracy = evaluate(checkpoint.model, mnist_test(), mnist_info()).accuracy
    # another processor may round two close logits the other way
    assert accuracy == pytest.approx(checkpoint.metrics["test_accuracy"], abs=3e-4)
    assert checkpoint.metrics["test_accuracy"] >= LEAST[name]


def test_the_colour_model_is_its_presets_and_tells_most_samples() -> None:
    """Its test set is not embedded; ten of its pictures are."""
    path = SHIPPED_DIR / "cifar10.safetensors"
    checkpoint = load_checkpoint(path, expect=PRESETS["cifar10"].model)
    assert checkpoint.train_config == PRESETS["cifar10"].train
    assert checkpoint.command.startswith("python -m vit_core.train --preset cifar10 --dataset ")
    assert checkpoint.config.num_parameters < 5_000_000
    assert path.stat().st_size < 12_000_000
    assert checkpoint.metrics["test_accuracy"] >= 0.75
    folder = Path(__file__).parents[2] / "explainer/inputs/pictures/galleries/cifar10"
    files = sorted(folder.glob("*.jpg"))
    assert checkpoint.data.class_names == tuple(file.stem for file in files)
    pixels = np.stack([np.asarray(Image.open(file)) for file in files]).transpose(0, 3, 1, 2)
    with torch.no_grad():
        said = checkpoint.model(normalize(torch.from_numpy(pixels), checkpoint.data)).argmax(dim=1)
    assert (said == torch.arange(10)).sum() >= 7


def test_nothing_else_is_shipped() -> None:
    names = {*LEAST, "cifar10"}
    assert {path.name for path in SHIPPED_DIR.iterdir()} == {f"{n}.safetensors" for n in names}
