"""Passes whose tensors are too large to keep for every visitor."""

import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from queue import Empty, Queue
from threading import Event, Thread

import numpy as np
import pytest
from garbage import collect_all_garbage

from explainer.inputs.models import memory
from explainer.inputs.pictures.galleries import CIFAR
from explainer.observation import (
    features,
    heads,
    large_observations,
    observe,
    positions,
    wrong_digits,
    wrong_samples,
)
from explainer.observation.compute import compute
from explainer.observation.large_observations import LargeObservations
from explainer.observation.lazy_tensors import tensor_bytes
from explainer.state.choice import Choice
from explainer.views.train import most_wrong
from vit_core import PRESETS, ViTConfig
from vit_core.data import mnist_test
from vit_core.interpret.heads import Head
from vit_core.model import EncoderBlock

CHOICE = Choice("cifar10", PRESETS["cifar10"].model, 0, 0, 0, gallery=CIFAR)


DIGIT = Choice("seed", PRESETS["seed"].model, 3, 0, 0)


@pytest.fixture
def all_are_large(shipped, monkeypatch) -> LargeObservations:
    monkeypatch.setattr(memory, "LARGE", 0)
    return kept_in(monkeypatch)


def kept_in(monkeypatch, make=compute, **limits) -> LargeObservations:
    """Let the app keep one large observation, in a memory of its own with these limits."""
    kept = LargeObservations(make, memory.pass_bytes(CHOICE.config) * 3 // 2, **limits)
    monkeypatch.setattr(observe, "large_observations", lambda: kept)
    return kept


def in_another_run(work):
    """Do something as another visitor's run of a page does: in a thread of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


def test_it_shows_the_same_numbers(shipped, all_are_large, monkeypatch) -> None:
    large = observe.observe(CHOICE)
    tensors = {key: large.tensors[key].copy() for key in large.tensors}
    monkeypatch.setattr(memory, "LARGE", 10**12)
    small = observe.observe(CHOICE)
    assert list(tensors) == list(small.tensors)
    for key, array in tensors.items():
        assert np.array_equal(array, small.tensors[key])
    assert large.prediction == small.prediction


def test_an_open_page_holds_none_of_its_tensors(all_are_large) -> None:
    seen = in_another_run(lambda: observe.observe(CHOICE))
    tensor = weakref.ref(in_another_run(lambda: all_are_large.get(CHOICE)))
    assert tensor() is not None  # the cache has it for the next one who asks
    in_another_run(lambda: observe.observe(replace(CHOICE, sample=1)))
    collect_all_garbage()
    assert tensor() is None
    # and it gets them again, from a pass that runs anew
    assert seen.tensors["final_norm"].shape == (65, 192)


def test_a_run_keeps_its_tensors_while_others_look_at_other_pictures(
    all_are_large, monkeypatch
) -> None:
    passes = []
    kept_in(monkeypatch, lambda choice: passes.append(choice) or compute(choice))
    seen = observe.observe(CHOICE)
    first = seen.tensors["embed"]
    for sample in range(1, 4):
        in_another_run(lambda which=sample: observe.observe(replace(CHOICE, sample=which)))
    assert seen.tensors["embed"] is first
    assert passes == [replace(CHOICE, sample=sample) for sample in range(4)]


def test_a_pass_waits_while_runs_of_pages_hold_many_others(all_are_large, monkeypatch) -> None:
    large = kept_in(monkeypatch, lent_limit=0, max_wait=60)
    over, held = [Event() for _ in range(3)], Queue()

    def page(sample: int) -> None:
        seen = large.keep_for_this_run(replace(CHOICE, sample=sample))
        held.put(sample)
        over[sample].wait()
        assert seen.tensors["embed"] is not None

    threads = [Thread(target=page, args=(sample,)) for sample in range(3)]
    for thread in threads[:2]:  # the second one takes the place in the cache, the first one holds
        thread.start()
        held.get(timeout=60)
    threads[2].start()
    with pytest.raises(Empty):
        held.get(timeout=0.3)
    over[0].set()
    assert held.get(timeout=60) == 2
    for event, thread in zip(over, threads, strict=True):
        event.set()
        thread.join()
    collect_all_garbage()
    assert (
        large.bytes_in_use == large.bytes_kept == tensor_bytes(large.get(replace(CHOICE, sample=2)))
    )


def test_nobody_waits_for_ever(all_are_large, monkeypatch) -> None:
    large = kept_in(monkeypatch, lent_limit=-1, max_wait=0.01)
    assert large.keep_for_this_run(CHOICE).tensors["embed"].shape == (65, 192)


class Watched:
    """A lock that knows whether it is held."""

    def __init__(self) -> None:
        self.held = 0

    def __enter__(self) -> None:
        self.held += 1

    def __exit__(self, *_: object) -> None:
        self.held -= 1


PASSES = {
    "observation": lambda seen: observe.observe(replace(CHOICE, sample=4)),
    "heads off": lambda seen: heads.switched(CHOICE, seen, (Head(0, 1),)),
    "effects of all heads": lambda seen: heads.effects(CHOICE, seen),
    "features of shipped pictures": lambda seen: features.known_features(CHOICE),
    "shuffled patches": lambda seen: positions.shuffled(CHOICE, seen, 1),
    "wrong pictures": lambda seen: wrong_samples.search(CHOICE),
    "wrong digits": lambda seen: list(wrong_digits.misclassified_among(DIGIT, [0, 1, 2])),
    "hardest digits": lambda seen: most_wrong.search("seed", mnist_test()),
}


@pytest.mark.parametrize("what", PASSES)
def test_every_pass_of_a_large_model_waits_for_its_turn(
    all_are_large, monkeypatch, what: str
) -> None:
    seen, lock, blocks = observe.observe(CHOICE), Watched(), []
    monkeypatch.setattr(large_observations, "one_large_pass", lock)
    monkeypatch.setattr(memory, "one_large_batch", lock)
    monkeypatch.setattr(most_wrong, "WORK", 0)
    forward = EncoderBlock.forward

    def watched(*given):
        blocks.append(lock.held)
        return forward(*given)

    monkeypatch.setattr(EncoderBlock, "forward", watched)
    PASSES[what](seen)
    assert blocks and all(blocks)
    assert lock.held == 0


def test_a_batch_of_a_large_model_has_few_images() -> None:
    assert memory.images_at_once(ViTConfig(), 16) == 16
    wide = ViTConfig(patch_size=2, embed_dim=384, num_heads=16, mlp_ratio=4.0)
    assert 1 <= memory.images_at_once(wide, 500) < 25
    huge = ViTConfig(image_size=224, patch_size=14, embed_dim=768, num_heads=16, depth=12)
    assert 1 <= memory.images_at_once(huge, 500) < 8


def test_all_visitors_share_one_pass(all_are_large, monkeypatch) -> None:
    passes = []
    kept_in(monkeypatch, lambda choice: passes.append(choice) or compute(choice))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: observe.observe(CHOICE).tensors["embed"], range(8)))
    assert passes == [CHOICE]
