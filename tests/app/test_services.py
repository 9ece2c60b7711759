"""What the pages get is what the model computed."""

from dataclasses import replace
from weakref import ref

import numpy as np
import pytest
import streamlit as st
import torch
from garbage import collect_all_garbage

from explainer.inputs.models import load
from explainer.inputs.pictures import test_digits
from explainer.observation import observe
from explainer.observation.weights import weights
from explainer.state.choice import Choice
from explainer.state.link import State
from vit_core import CheckpointError, build, trace
from vit_core.data import mnist_info, mnist_test, normalize

SMALL = State(source="untrained", width=16, depth=2, heads=2).shaped
CHOICE = Choice("untrained", SMALL, seed=3, digit=4, index=2)


def test_an_observation_is_the_trace_of_that_digit(shipped):
    seen = observe.observe(CHOICE)
    place = [i for i, label in enumerate(mnist_test().labels.tolist()) if label == 4][2]
    image = mnist_test().images[place : place + 1]
    expected = trace(build(SMALL, seed=3).eval(), normalize(image, mnist_info()))
    assert list(seen.tensors) == list(expected)
    for key, values in seen.tensors.items():
        assert values.dtype == np.float32
        torch.testing.assert_close(torch.tensor(values), expected[key][0], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(seen.pixels, image[0, 0].numpy())
    assert (seen.label, seen.class_names) == (4, tuple("0123456789"))
    assert seen.prediction == int(expected.logits.argmax())
    assert seen.probabilities.sum() == pytest.approx(1.0)
    spread = expected["patches"][0].std(dim=1)
    assert spread[seen.telling_patch] == spread.max() > spread.min()


def test_one_observation_serves_all_visitors_and_nobody_can_change_it(shipped):
    seen = observe.observe(CHOICE)
    assert observe.observe(CHOICE) is seen
    for array in (*seen.tensors.values(), seen.pixels, seen.logits, seen.probabilities):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(TypeError):
        seen.tensors["logits"] = seen.logits


def test_the_weights_are_made_arrays_once_and_go_with_their_model(shipped, empty_caches):
    found = weights(CHOICE)
    model = load.source_of(CHOICE).model
    assert weights(replace(CHOICE, digit=9)) is found
    np.testing.assert_array_equal(found["head.weight"], model.head.weight.detach().numpy())
    assert weights(replace(CHOICE, seed=4)) is not found
    held = ref(model)
    del model
    st.cache_resource.clear()
    collect_all_garbage()
    assert held() is None


def test_another_seed_digit_or_index_is_another_observation(shipped):
    seen = observe.observe(CHOICE)
    for other in (
        Choice("untrained", SMALL, 4, 4, 2),
        Choice("untrained", SMALL, 3, 5, 2),
        Choice("untrained", SMALL, 3, 4, 3),
    ):
        assert not np.array_equal(observe.observe(other).logits, seen.logits)


def test_a_trained_source_has_its_own_shape_and_history(shipped):
    source = load.load_source("fast", SMALL, 7)
    assert source.model.config.patch_size == 7
    assert source.checkpoint.metrics["test_accuracy"] == 0.9876
    assert load.load_source("fast") is source


def test_sources_are_those_that_were_shipped(shipped, monkeypatch, tmp_path):
    assert load.available_sources() == (
        "default",
        "fast",
        "best",
        "seed",
        "cifar10",
        "untrained",
    )
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    assert load.available_sources() == ("untrained",)


def test_a_damaged_checkpoint_is_one_clear_error(shipped, monkeypatch, tmp_path):
    (tmp_path / "default.safetensors").write_bytes(b"not a checkpoint")
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    with pytest.raises(CheckpointError, match="default"):
        load.load_source("default")


def test_every_test_digit_can_be_picked_once():
    assert sum(test_digits.count_digits(digit) for digit in range(10)) == 10_000
    labels = mnist_test().labels.numpy()
    for digit, places in enumerate(test_digits.digit_indices()):
        assert (labels[places] == digit).all()
    last = test_digits.count_digits(9) - 1
    assert test_digits.test_digit(9, last).shape == (28, 28)
