"""Which classes are drawn of a model with many."""

import numpy as np
import pytest

from explainer.observation.observe import Observation
from explainer.observation.shown_classes import are_all_shown, left_over, names_of, shown_classes
from vit_core import ViTConfig


def observation(count: int, label: int | None = None) -> Observation:
    logits = np.random.default_rng(0).normal(size=count).astype(np.float32)
    shares = np.exp(logits) / np.exp(logits).sum()
    names = tuple(f"class {place % 500}" for place in range(count))
    config = ViTConfig(num_classes=count)
    pixels = np.zeros((28, 28), np.uint8)
    return Observation(pixels, label, config, {}, logits, shares, names)


@pytest.mark.parametrize("count", [2, 10, 12])
def test_few_classes_are_all_drawn_in_their_order(count: int) -> None:
    seen = observation(count, label=1)
    assert shown_classes(seen) == list(range(count))
    assert are_all_shown(seen)
    assert left_over(seen, shown_classes(seen)) == (0, pytest.approx(0, abs=1e-6))


def test_of_many_the_most_probable_are_drawn() -> None:
    seen = observation(1000)
    places = shown_classes(seen)
    assert not are_all_shown(seen)
    assert len(places) == 10
    assert places[0] == seen.prediction
    others = np.delete(seen.probabilities, places)
    assert seen.probabilities[places].min() >= others.max()
    assert left_over(seen, places) == (990, pytest.approx(others.sum(), abs=1e-6))


def test_the_true_class_is_among_them_however_improbable() -> None:
    least = int(observation(1000).logits.argmin())
    places = shown_classes(observation(1000, label=least))
    assert places[-1] == least
    assert len(set(places)) == 10


def test_a_name_that_two_classes_share_gets_their_numbers() -> None:
    seen = observation(1000)
    assert names_of(seen, [3, 503, 4]) == ["class 3 (3)", "class 3 (503)", "class 4"]
