"""Passes whose tensors are too large to keep for every visitor."""

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from explainer import services
from explainer.galleries import CIFAR
from explainer.state import Choice
from vit_core import PRESETS

CHOICE = Choice("cifar10", PRESETS["cifar10"].model, 0, 0, 0, gallery=CIFAR)


@pytest.fixture
def all_are_large(shipped, monkeypatch) -> None:
    monkeypatch.setattr(services, "LARGE", 0)
    monkeypatch.setattr(services, "LARGE_LIMIT", services.pass_bytes(CHOICE.config) * 3 // 2)
    services.this_run.held = None
    yield
    services.this_run.held = None


def in_another_run(work):
    """Do something as another visitor's run of a page does: in a thread of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


def test_it_shows_the_same_numbers(shipped, all_are_large, monkeypatch) -> None:
    large = services.observe(CHOICE)
    tensors = {key: large.tensors[key].copy() for key in large.tensors}
    monkeypatch.setattr(services, "LARGE", 10**12)
    small = services.observe(CHOICE)
    assert list(tensors) == list(small.tensors)
    for key, array in tensors.items():
        assert np.array_equal(array, small.tensors[key])
    assert large.prediction == small.prediction


def test_an_open_page_holds_none_of_its_tensors(all_are_large) -> None:
    seen = in_another_run(lambda: services.observe(CHOICE))
    tensor = weakref.ref(in_another_run(lambda: services.observe_large(CHOICE)))
    assert tensor() is not None  # the cache has it for the next one who asks
    in_another_run(lambda: services.observe(replace(CHOICE, sample=1)))
    gc.collect()
    assert tensor() is None
    # and it gets them again, from a pass that runs anew
    assert seen.tensors["final_norm"].shape == (65, 192)


def test_a_run_keeps_its_tensors_while_others_look_at_other_pictures(
    all_are_large, monkeypatch
) -> None:
    seen = services.observe(CHOICE)
    first = seen.tensors["embed"]
    for sample in range(1, 4):
        in_another_run(lambda which=sample: services.observe(replace(CHOICE, sample=which)))
    monkeypatch.setattr(services, "run", lambda choice: pytest.fail("it should be kept"))
    assert seen.tensors["embed"] is first


def test_all_visitors_share_one_pass(all_are_large, monkeypatch) -> None:
    passes, run = [], services.run
    monkeypatch.setattr(services, "run", lambda choice: passes.append(choice) or run(choice))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: services.observe(CHOICE).tensors["embed"], range(8)))
    assert passes == [CHOICE]
