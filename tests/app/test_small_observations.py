"""Observations of small models: an open page holds none of their tensors, and gets them again."""

import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from garbage import collect_all_garbage

from explainer.inputs.pictures import link_code
from explainer.observation import observe, small_observations
from explainer.observation.compute import compute
from explainer.observation.small_observations import OF_A_RUN, SmallObservations
from explainer.state.choice import Choice
from vit_core import PRESETS

CHOICE = Choice("seed", PRESETS["seed"].model, 3, 0, 0)


@pytest.fixture
def passes(shipped, monkeypatch) -> list[tuple[Choice, bool]]:
    """What was computed, and whether its pixels were known; one observation is kept."""
    done: list[tuple[Choice, bool]] = []

    def noting(choice, pixels=None):
        done.append((choice, pixels is not None))
        return compute(choice, pixels)

    for name in ("LIMIT", "OWN_PICTURES_LIMIT", "AT_LEAST"):
        monkeypatch.setattr(small_observations, name, 1)
    kept = SmallObservations(noting)
    monkeypatch.setattr(observe, "small_observations", lambda: kept)
    return done


def in_another_run(work):
    """Do something as another visitor's run of a page does: in a thread of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


def samples(count: int) -> list[Choice]:
    return [replace(CHOICE, sample=sample) for sample in range(count)]


def test_both_halves_of_a_page_are_kept_however_large_they_are(shipped, monkeypatch) -> None:
    done: list[Choice] = []

    def noting(choice, pixels=None):
        done.append(choice)
        return compute(choice, pixels)

    monkeypatch.setattr(small_observations, "LIMIT", 1)
    kept = SmallObservations(noting)
    for _ in range(2):
        for choice in samples(2):
            in_another_run(partial(kept.without_tensors, choice))
    assert done == samples(2)


def test_an_open_page_holds_no_tensors_and_gets_the_same_again(passes) -> None:
    seen = in_another_run(lambda: observe.observe(CHOICE))
    before = in_another_run(lambda: seen.tensors["final_norm"].copy())
    tensor = weakref.ref(in_another_run(lambda: seen.tensors["final_norm"].base))
    assert tensor() is not None  # it is kept for the next one who asks
    in_another_run(lambda: observe.observe(replace(CHOICE, sample=1)))
    collect_all_garbage()
    assert tensor() is None
    assert np.array_equal(seen.tensors["final_norm"], before)
    assert "final_norm" in seen.tensors
    assert "blocks.99" not in seen.tensors
    assert passes == [(CHOICE, False), (replace(CHOICE, sample=1), False), (CHOICE, True)]


def test_a_run_keeps_what_it_uses_while_others_look_at_other_pictures(passes) -> None:
    pages = [observe.observe(choice) for choice in samples(OF_A_RUN)]
    for choice in samples(OF_A_RUN):
        in_another_run(lambda which=choice: observe.observe(which))
    del passes[:]
    for _ in range(2):
        for page in pages:
            assert page.tensors["embed"].any()
    assert passes == []


def test_a_picture_of_ones_own_is_needed_no_longer_once_it_was_seen(passes) -> None:
    own = replace(CHOICE, picture=link_code.encode(np.eye(28, dtype=np.uint8) * 255))
    assert own.is_own
    seen = in_another_run(lambda: observe.observe(own))
    in_another_run(
        lambda: observe.observe(
            replace(own, picture=link_code.encode(np.zeros((28, 28), np.uint8)))
        )
    )
    assert in_another_run(lambda: seen.tensors["patches"]).any()
    assert passes[-1] == (own, True)
