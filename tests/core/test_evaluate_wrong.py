"""Which images a model gets wrong, as a list for programs."""

import json
from pathlib import Path

import pytest
import torch
from training_data import part

from vit_core import ViTConfig, build, save_checkpoint
from vit_core.data import mnist_info, mnist_test, normalize
from vit_core.runs import evaluate_command

COUNT = 40
SHAPE = ViTConfig(patch_size=14, embed_dim=8, depth=1, num_heads=1)


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(evaluate_command, "mnist_test", lambda: part(mnist_test(), COUNT))
    path = tmp_path / "model.safetensors"
    save_checkpoint(build(SHAPE, seed=2), path)
    return path


def test_the_list_has_each_wrong_image_and_what_was_said(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = checkpoint.with_suffix(".json")
    assert evaluate_command.main([str(checkpoint), "--wrong", str(listed)]) == 0
    test, model = part(mnist_test(), COUNT), build(SHAPE, seed=2).eval()
    with torch.no_grad():
        predicted = model(normalize(test.images, mnist_info())).argmax(1).tolist()
    expected = [
        [at, said]
        for at, (said, truth) in enumerate(zip(predicted, test.labels.tolist(), strict=True))
        if said != truth
    ]
    assert expected
    assert json.loads(listed.read_text()) == expected
    assert f"({COUNT - len(expected)} of {COUNT})" in capsys.readouterr().out


def test_a_list_that_cannot_be_written_is_one_sentence(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        evaluate_command.main(
            [str(checkpoint), "--wrong", str(checkpoint.parent / "no" / "x.json")]
        )
        == 2
    )
    assert capsys.readouterr().err.startswith("error: ")
