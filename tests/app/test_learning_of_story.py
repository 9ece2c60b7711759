"""The story's two screens about learning: what the server answers, and what comes back."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reading import choice_and_observation, parameter_of, sent_to
from streamlit.testing.v1 import AppTest
from unlike import UNLIKE, put

from explainer.components.packing import unpack
from explainer.inputs.models import load
from explainer.observation.learning import asked_step, steps
from explainer.observation.learning.asked_step import answer_step, three
from explainer.observation.learning.lesson import can_learn, lesson
from explainer.observation.learning.steps import Steps
from explainer.state.choice import Choice
from explainer.state.link import RATES


@pytest.fixture
def digit(shipped: Path) -> Choice:
    return choice_and_observation("fast")[0]


def made(before: float, losses: list[float]) -> Steps:
    return Steps(before, np.array(losses), np.full((len(losses), 2), 0.5))


def test_a_step_is_the_one_of_the_page_about_learning(digit: Choice):
    target = (digit.digit + 1) % 10
    answered = answer_step(digit, {"id": "a", "target": target})
    found = steps.steps(digit, target, "sgd")
    assert answered and answered["id"] == "a" and answered["before"] == found.before
    assert answered["before"] == pytest.approx(lesson(digit, target).loss, rel=1e-4)
    places = three(found)
    assert list(answered["steps"]) == list(places) and {"small", "right"} <= places.keys()
    for zone, at in places.items():
        assert found.zones[at] == zone
        one = answered["steps"][zone]
        assert one["loss"] == found.losses[at] and float(one["rate"]) > 0
        np.testing.assert_array_equal(one["shares"], found.probabilities[at])
    json.dumps(answered)  # it goes to a browser


@pytest.mark.parametrize(
    ("losses", "zones"),
    [
        ([9.9, 9.8, 5.0, 2.0, 4.0, 11.0, 20.0], {"small": 1, "right": 3, "large": 6}),
        ([9.9, 5.0, 12.0, 1.0, 20.0], {"small": 0, "right": 1, "large": 4}),  # 3 is a leap
        ([9.9, 9.8, 9.7], {"small": 2}),
        ([11.0, 12.0], {"large": 0}),
        ([9.9, 5.0, 1.0], {"small": 0, "right": 2}),
        ([9.9, 5.0, 12.0, np.nan], {"small": 0, "right": 1, "large": 2}),
        ([9.9, 5.0, np.inf], {"small": 0, "right": 1, "large": 2}),
    ],
)
def test_of_each_zone_there_is_one_learning_rate_or_none(
    losses: list[float], zones: dict[str, int]
):
    assert three(made(10.0, losses)) == zones


def test_a_step_that_overflows_has_no_numbers():
    told = asked_step.step_of(made(10.0, [5.0, np.nan]), 1)
    assert told["loss"] is None and told["shares"] is None
    assert asked_step.step_of(made(10.0, [5.0]), 0)["rate"] == asked_step.rate_text(RATES[0])


@pytest.mark.parametrize("target", [None, "3", -1, 10, 3.0, True, [3]])
def test_of_no_other_class_a_step_is_computed(digit: Choice, target: object):
    answered = answer_step(digit, {"id": "a", "target": target})
    assert answered and "error" in answered and "steps" not in answered


@pytest.mark.parametrize("sent", [None, 3, [], {}, {"id": 3}, {"id": ""}, {"id": "a" * 99}])
def test_what_is_no_question_gets_no_answer(digit: Choice, sent: object):
    assert answer_step(digit, sent) is None


def test_what_takes_long_is_asked_for_again(digit: Choice, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(asked_step, "are_there", lambda *_: False)
    assert answer_step(digit, {"id": "a", "target": 1, "turn": 4}) == {"id": "a", "wait": 4}
    assert answer_step(digit, {"id": "a", "target": 1}) == {"id": "a", "wait": 0}


@pytest.mark.parametrize("name", UNLIKE)
def test_every_model_has_screens_that_are_true_of_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    open_page: Callable[..., AppTest],
    find_component: Callable[..., Any],
    name: str,
):
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    put(tmp_path, UNLIKE[name])
    header, _ = unpack(find_component(open_page("story"), "story").bytes)
    config = UNLIKE[name].config
    assert header["can_learn"] == can_learn(config)
    screens = {screen["name"]: screen for screen in header["screens"]}
    has_names = config.num_classes > 0
    assert ("gives no names" in screens["loss"]["text"]) != has_names
    assert ("gives no names" in screens["step"]["text"]) != has_names
    assert (header["facts"]["guess"] != "") == has_names


def test_a_model_that_is_too_large_takes_no_step_and_says_so(
    digit: Choice,
    monkeypatch: pytest.MonkeyPatch,
    open_page: Callable[..., AppTest],
    find_component: Callable[..., Any],
):
    monkeypatch.setattr("explainer.observation.learning.lesson.LARGEST", 1)
    answered = answer_step(digit, {"id": "a", "target": 1})
    assert answered and "error" in answered
    # another picture than others open, since what is packed is kept
    header, _ = unpack(find_component(open_page("story", digit=6, index=4), "story").bytes)
    assert not header["can_learn"]
    (text,) = [one["text"] for one in header["screens"] if one["name"] == "step"]
    assert "does not compute" in text


def test_what_a_visitor_says_a_picture_shows_goes_along(
    shipped: Path, open_page: Callable[..., AppTest], click_in: Callable[..., AppTest]
):
    app = open_page("story", digit=3)
    click_in(app, "story", {"heard": {"screen": 11, "target": 8}})
    assert parameter_of(app, "target") == "8"
    (told,) = [json.loads(one.json) for one in sent_to(app, "selection")]
    assert told["target"] == 8
    for wrong in (10, -1, "3", None):
        click_in(app, "story", {"heard": {"screen": 11, "target": wrong}})
        assert parameter_of(app, "target") == "8"
    click_in(app, "story", {"opened": {"view": "learning", "screen": 11}})
    assert not app.exception
    assert app.session_state["own"]["learning"]["target"] == 8


def test_the_step_of_an_edited_pass_is_the_one_of_that_pass(digit: Choice):
    turned = replace(digit, edits=replace(digit.edits, no_position=True))
    plain, edited = (answer_step(one, {"id": "a", "target": 1}) for one in (digit, turned))
    assert plain and edited and plain["before"] != edited["before"]
