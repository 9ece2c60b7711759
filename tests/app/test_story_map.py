"""Where many pictures lie, as the story asks the server for it."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from reading import choice_and_observation

from explainer.components.packing import unpack
from explainer.observation import tasks
from explainer.observation.look import asked_map
from explainer.observation.look import map as pictures_map
from explainer.observation.look.asked_map import answer_map
from explainer.observation.observe import Observation
from explainer.shell.story.packed import packed
from explainer.state.choice import Choice


@pytest.fixture
def few_pictures(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(pictures_map, "MOST", 120)
    pictures_map.kept_maps.clear()
    yield
    pictures_map.kept_maps.clear()


@pytest.fixture
def digit(shipped: Path) -> tuple[Choice, Observation]:
    return choice_and_observation("fast")


def test_the_points_are_those_of_the_page_and_this_picture_lies_in_their_plane(
    few_pictures: None, digit: tuple[Choice, Observation], monkeypatch: pytest.MonkeyPatch
):
    choice, seen = digit
    found = pictures_map.maker(choice)(lambda done, total: None)
    monkeypatch.setattr(asked_map, "standing", lambda *_, **__: tasks.Standing(found))
    answered = answer_map(choice, {"id": "a", "turn": 1})
    assert answered and answered["id"] == "a"
    np.testing.assert_allclose(answered["points"], found.points[-1], rtol=1e-4)
    assert answered["predicted"] == found.predicted.tolist()
    assert answered["labels"] == pictures_map.pictures_of(choice).labels.tolist()
    json.dumps(answered)  # it goes to a browser
    # what the browser projects is the row that the server would
    header, arrays = unpack(packed(choice, seen))
    stream = arrays[f"blocks.{choice.config.depth - 1}.resid_post"]
    rows = stream.reshape(header["shapes"][f"blocks.{choice.config.depth - 1}.resid_post"])
    row = rows[0] if header["pool"] == "cls" else rows[len(header["prefix_names"]) :].mean(axis=0)
    np.testing.assert_allclose(row, pictures_map.row_of(seen, choice.config.depth), rtol=1e-4)


def test_what_takes_long_is_asked_for_again_and_says_how_far_it_is(
    digit: tuple[Choice, Observation], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(asked_map, "standing", lambda *_, **__: tasks.Standing(None, 1, 4))
    answered = answer_map(digit[0], {"id": "a", "turn": 4})
    assert answered == {"id": "a", "wait": 4, "share": 0.25}
    failed = tasks.Standing(None, 0, 0, ValueError("no numbers"))
    monkeypatch.setattr(asked_map, "standing", lambda *_, **__: failed)
    assert answer_map(digit[0], {"id": "a"}) == {"id": "a", "error": "no numbers"}


def test_a_model_with_too_few_pictures_says_which_they_are(
    digit: tuple[Choice, Observation], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(asked_map, "LEAST", 10**6)
    answered = answer_map(digit[0], {"id": "a"})
    assert answered and answered["few"] == pictures_map.pictures_of(digit[0]).words


@pytest.mark.parametrize("sent", [None, 3, [], {}, {"id": 3}, {"id": ""}, {"id": "a" * 99}])
def test_what_is_no_question_gets_no_answer(digit: tuple[Choice, Observation], sent: object):
    assert answer_map(digit[0], sent) is None
