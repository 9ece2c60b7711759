"""The hardest digits are the run's own note, or searched with its model."""

from dataclasses import replace

import numpy as np
import pytest

from explainer.views.train import most_wrong
from explainer.views.train.most_wrong import hardest_of, is_sound, searched
from vit_core import PRESETS, ViTConfig
from vit_core.data import mnist_test
from vit_core.training.hard_example import HardExample

NOTE = HardExample(index=5, label=1, predicted=7, probability=0.02)


def test_without_a_note_the_model_is_asked(make_run, shipped, monkeypatch) -> None:
    monkeypatch.setattr(most_wrong, "WORK", 1.0)  # one batch
    monkeypatch.setattr(most_wrong, "is_of_digits", lambda run: True)
    found = [hard.example for hard in hardest_of(make_run())]
    assert len(found) == most_wrong.SHOWN
    chances = [hard.probability for hard in found]
    assert chances == sorted(chances) and all(0 <= chance <= 1 for chance in chances)
    labels = mnist_test().labels
    assert all(hard.index < most_wrong.BATCH for hard in found)
    assert all(hard.label == int(labels[hard.index]) for hard in found)


def test_what_a_run_has_noted_is_taken(make_run, shipped, monkeypatch) -> None:
    monkeypatch.setattr(most_wrong, "is_of_digits", lambda run: True)
    run = make_run()
    (run.history.path / "hardest.json").write_text(
        '[{"place": 5, "truth": 1, "said": 7, "probability": 0.02}]'
    )
    (hard,) = hardest_of(run)
    assert hard.example == NOTE
    assert np.array_equal(hard.pixels, mnist_test().images[5, 0].numpy())


@pytest.mark.parametrize(
    "values",
    [
        *({"index": index} for index in (-1, 10_000, 1.5, "1", True)),
        *({"label": 10}, {"predicted": -1}, {"probability": 1.5}, {"probability": None}),
    ],
)
def test_a_note_that_cannot_be_is_not_believed(values: dict) -> None:
    assert is_sound(NOTE, 10_000, 10)
    assert not is_sound(replace(NOTE, **values), 10_000, 10)


def test_large_models_are_tried_on_fewer_digits() -> None:
    counts = [searched(config, 10_000) for config in (
        PRESETS["fast"].model,
        PRESETS["default"].model,
        ViTConfig(patch_size=2, embed_dim=128, depth=8, num_heads=8),
    )]  # fmt: skip
    assert counts[0] == 10_000 and counts == sorted(counts, reverse=True)
    assert all(count % most_wrong.BATCH == 0 and count for count in counts)
