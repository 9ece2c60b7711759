"""The drawings of a class and what a model says of them."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
import torch

from explainer.inputs.models.load import load_source
from explainer.observation import class_digits
from explainer.observation.class_digits import ask, reads_digits
from explainer.state.choice import Choice, saved
from explainer.views.room import digits
from vit_core.data import mnist_test, normalize

COUNT = 40  # more than one pass


@pytest.fixture
def choice() -> Iterator[Choice]:
    config = load_source("seed", None, 0).model.config
    yield Choice("seed", config, seed=0, digit=7, index=0)
    st.cache_resource.clear()


@pytest.fixture
def drawings() -> list[tuple[bytes, int]]:
    test = mnist_test()
    labels = test.labels[:COUNT].tolist()
    return [
        (bytes(image.numpy()), label) for image, label in zip(test.images, labels, strict=False)
    ]


def test_the_answers_are_those_of_the_model(
    choice: Choice, drawings: list[tuple[bytes, int]]
) -> None:
    found = ask(choice, drawings)
    source = load_source("seed", choice.config, 0)
    with torch.no_grad():
        shares = source.model(normalize(mnist_test().images[:COUNT], source.info)).softmax(dim=1)
    assert found.answers.tolist() == shares.argmax(dim=1).tolist()
    assert found.shares == pytest.approx(shares.max(dim=1).values.numpy(), abs=1e-6)
    assert found.labels.tolist() == [label for _, label in drawings]
    assert found.counts.sum() == COUNT and np.trace(found.counts) == found.right
    assert not found.answers.flags.writeable


def test_the_most_frequent_mistake_is_named(
    choice: Choice, drawings: list[tuple[bytes, int]]
) -> None:
    right = [drawing for drawing, ok in zip(drawings, ok_of(choice, drawings), strict=True) if ok]
    assert ask(choice, right).worst() is None
    pixels, digit = right[0]
    other = (digit + 1) % 10
    found = ask(choice, [*right, (pixels, other), (pixels, other)])
    assert found.worst() == (other, digit, 2)
    assert found.right == len(right)


def ok_of(choice: Choice, drawings: list[tuple[bytes, int]]) -> list[bool]:
    found = ask(choice, drawings)
    return (found.answers == found.labels).tolist()


def test_a_new_drawing_asks_the_model_about_its_own_pass_alone(
    choice: Choice, drawings: list[tuple[bytes, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    plain = class_digits.asked

    def counted(choice: Choice, some: tuple[bytes, ...]) -> np.ndarray:
        sizes.append(len(some))
        return plain(choice, some)

    monkeypatch.setattr(class_digits, "asked", counted)
    ask(choice, drawings[:-1])
    ask(choice, drawings[:-1])
    ask(choice, drawings)
    assert sizes == [32, 7, 8]


def test_nothing_drawn_is_no_mistake(choice: Choice) -> None:
    found = ask(choice, [])
    assert (len(found.answers), found.right, found.worst()) == (0, 0, None)


@pytest.mark.parametrize("drawing", [(b"\0" * 783, 3), (b"\0" * 784, 10), (b"\0" * 784, -1)])
def test_what_is_no_drawing_is_refused(choice: Choice, drawing: tuple[bytes, int]) -> None:
    with pytest.raises(ValueError, match="28 × 28"):
        ask(choice, [drawing])


def test_a_model_of_photographs_cannot_be_tested_with_digits() -> None:
    config = load_source("cifar10", None, 0).model.config
    photographs = Choice("cifar10", config, seed=0, digit=7, index=0, gallery="cifar10")
    assert not reads_digits(photographs)
    with pytest.raises(ValueError, match="ten digits"):
        ask(photographs, [])


@pytest.mark.parametrize(("is_active", "epoch"), [(True, 3), (False, 1)])
def test_a_run_that_learns_is_asked_as_it_is_now(
    choice: Choice, monkeypatch: pytest.MonkeyPatch, is_active: bool, epoch: int
) -> None:
    history = SimpleNamespace(epochs=lambda: (0, 1, 2, 3))
    run = SimpleNamespace(is_active=is_active, history=history)
    manager = SimpleNamespace(find=lambda run_id: run if run_id == "a-run" else None)
    monkeypatch.setattr(digits.training, "the_manager", lambda: manager)
    at_first = replace(choice, source=saved("a-run", 1))
    assert digits.newest(at_first) == replace(choice, source=saved("a-run", epoch))
    assert digits.newest(choice) == choice


def test_each_pupil_draws_other_digits_and_a_class_draws_all() -> None:
    drawn = [digits.digits_of(f"secret {number}", "ABCDEF") for number in range(100)]
    assert all(len(set(one)) == len(one) == 3 for one in drawn)
    assert digits.digits_of("secret 1", "ABCDEF") == drawn[1]
    assert {digit for one in drawn for digit in one} == set(range(10))
