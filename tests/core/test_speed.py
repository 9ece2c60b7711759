"""The measured speed of a run."""

import dataclasses

import pytest
import torch
from training_data import QUICK, TINY, small_mnist

from vit_core.training.measure_speed import measure_speed
from vit_core.training.speed import Speed


def test_a_speed_adds_up() -> None:
    speed = Speed(epoch_seconds=10.0, test_seconds=2.0, images_per_second=500.0)
    assert speed.seconds(3) == 32.0


def test_measuring_leaves_no_trace() -> None:
    state = torch.random.get_rng_state()
    found = measure_speed(TINY, QUICK, small_mnist())
    assert found.epoch_seconds > 0
    assert found.images_per_second > 0
    assert torch.equal(torch.random.get_rng_state(), state)


def test_settings_that_diverge_take_their_time_as_well() -> None:
    wild = dataclasses.replace(QUICK, lr=100.0, muon_lr=100.0, warmup=0.0, schedule="constant")
    assert measure_speed(TINY, wild, small_mnist()).images_per_second > 0


def test_data_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        measure_speed(dataclasses.replace(TINY, image_size=14), QUICK, small_mnist())
