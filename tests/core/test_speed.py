"""The measured speed of a run."""

import dataclasses
import itertools
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from training_data import QUICK, TINY, small_mnist

from vit_core.mistakes import build_with
from vit_core.training import measure_speed as module
from vit_core.training.events import TrainingDivergedError
from vit_core.training.loop import fit
from vit_core.training.measure_speed import measure_speed
from vit_core.training.speed import Speed


def test_a_speed_adds_up() -> None:
    found = Speed(epoch_seconds=10.0, test_seconds=2.0, images_per_second=500.0)
    assert found.seconds(3) == 32.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what decides how many seconds the parts of a measurement take, one after another."""

    def let_parts_take(*seconds: float, worked: float = 0.0) -> None:
        ends = list(itertools.accumulate(seconds, initial=0.0))
        parts = ((end, end + part) for end, part in zip(ends, seconds, strict=False))
        # from the beginning of the whole to its end
        times = iter([0.0, *itertools.chain.from_iterable(parts), ends[-1]])
        cpu_times = iter([0.0, worked * torch.get_num_threads()])
        fake = SimpleNamespace(
            perf_counter=lambda: next(times), process_time=lambda: next(cpu_times)
        )
        monkeypatch.setattr(module, "time", fake)

    return let_parts_take


def test_the_median_of_the_steps_after_the_first_counts(clock: Callable[..., None]) -> None:
    clock(0.2, 0.05, 0.15, 0.1, 2.0)  # the steps go on until 0.25 seconds, then 50 digits
    found = measure_speed(TINY, QUICK, small_mnist(train=320, rest=50))
    assert found.images_per_second == pytest.approx(32 / 0.1)
    assert found.epoch_seconds == pytest.approx(10 * 0.1 + 2.0)
    assert found.test_seconds == pytest.approx(2.0)


def test_a_first_step_that_takes_long_is_enough(clock: Callable[..., None]) -> None:
    clock(0.5, 2.0)
    found = measure_speed(TINY, QUICK, small_mnist(train=320, rest=50))
    assert found.images_per_second == pytest.approx(32 / 0.5)
    assert found.epoch_seconds == pytest.approx(10 * 0.5 + 2.0)


@pytest.mark.parametrize(("worked", "slowdown"), [(2.5, 1.0), (1.25, 2.0), (9.0, 1.0), (0.0, 1.0)])
def test_other_work_on_the_machine_shows_as_a_slowdown(
    clock: Callable[..., None], worked: float, slowdown: float
) -> None:
    clock(0.5, 2.0, worked=worked)  # 2.5 seconds passed
    found = measure_speed(TINY, QUICK, small_mnist(train=320, rest=50))
    assert found.slowdown == pytest.approx(slowdown)


def test_a_sample_stands_for_all_that_is_evaluated(clock: Callable[..., None]) -> None:
    clock(0.5, 2.0)  # 500 of 1,000 digits in two seconds
    found = measure_speed(TINY, QUICK, small_mnist(train=32, rest=1_000))
    assert found.test_seconds == pytest.approx(4.0)
    assert found.epoch_seconds == pytest.approx(0.5 + 4.0)


def test_measuring_leaves_no_trace() -> None:
    state = torch.random.get_rng_state()
    measure_speed(TINY, QUICK, small_mnist())
    assert torch.equal(torch.random.get_rng_state(), state)


def test_settings_that_diverge_take_their_time_as_well(clock: Callable[..., None]) -> None:
    # AdamW moves each weight by about lr, so that a product of some is infinite on any processor
    wild = dataclasses.replace(QUICK, optimizer="adamw", lr=100.0, warmup=0.0, layer_norm=False)
    with pytest.raises(TrainingDivergedError, match=r"in step [2-5];"):
        list(fit(build_with(TINY, wild), small_mnist(), wild))
    clock(0.2, *[0.06] * 4, 2.0)  # the five steps of an epoch
    assert measure_speed(TINY, wild, small_mnist()).images_per_second == pytest.approx(32 / 0.06)


def test_data_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        measure_speed(dataclasses.replace(TINY, image_size=14), QUICK, small_mnist())
