"""The shipped models: made by their presets, and as good as they say."""

import pytest

from vit_core import PRESETS, load_checkpoint
from vit_core.checkpoint import SHIPPED_DIR
from vit_core.data import mnist_info, mnist_test
from vit_core.evaluate import evaluate

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


def test_nothing_else_is_shipped() -> None:
    assert {path.name for path in SHIPPED_DIR.iterdir()} == {f"{n}.safetensors" for n in LEAST}
