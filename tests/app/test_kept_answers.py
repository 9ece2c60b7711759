"""Answers in the browser: read back once, as a stranger's words, and forgotten when asked to."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
from reading import sent_to, texts_of
from streamlit.testing.v1 import AppTest

from explainer.shell import quiz
from explainer.shell.quiz import Answer, kept
from explainer.shell.story_screens import ORDER

NAME = "0123456789abcdef"
ONE = Answer(
    "2026-01-01T10:00:00+00:00", "patches", "How **many**?", "49", "50", "digit=3&cell=q.1.2"
)


def stored(*pairs: object, nickname: object = "") -> str:
    return json.dumps({"answers": list(pairs), "nickname": nickname})


def told(app: AppTest) -> dict[str, Any]:
    """Return what the browser was told to keep."""
    (sent,) = sent_to(app, "answers")
    return json.loads(sent.json)


# what a browser hands over


def test_what_was_kept_is_read_back() -> None:
    other = replace(ONE, view="story", link="", given="50")
    text = stored([NAME, asdict(ONE)], ["f" * 16, asdict(other)], nickname="Ann")
    assert kept.read_stored(text) == ({NAME: ONE, "f" * 16: other}, "Ann")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[" * 100_000,
        "null",
        "[]",
        "{}",
        '{"answers": {}}',
        '{"answers": [1, "x", [], [1, 2], ["x"], {"a": 1}, null]}',
        " " * 500_000 + stored([NAME, asdict(ONE)]),
        None,
        7,
    ],
)
def test_anything_else_is_nothing(text: object) -> None:
    assert kept.read_stored(text) == ({}, "")


@pytest.mark.parametrize(
    "change",
    [
        {"view": "nowhere"},
        {"view": ""},
        {"time": "now"},
        {"time": "2026-01-01T10:00:00+00:00=1"},
        {"link": "javascript:alert(1)"},
        {"link": "a b"},
        {"link": "x" * 3_000},
        {"given": "x" * 400},
        {"question": "x" * 900},
        {"question": "\x00"},
        {"right": "\u202egnp"},
        {"given": 7},
        {"right": None},
        {"more": "x"},
    ],
)
def test_an_answer_that_could_not_have_been_given_is_left_out(change: dict) -> None:
    assert kept.read_stored(stored([NAME, asdict(ONE) | change])) == ({}, "")


@pytest.mark.parametrize("name", ["", "xyz", "0" * 17, 7, None, ["0" * 16]])
def test_an_answer_without_the_name_of_a_question_is_left_out(name: object) -> None:
    assert kept.read_stored(stored([name, asdict(ONE)])) == ({}, "")


def test_no_more_than_the_last_ones_are_read() -> None:
    pairs = [[f"{number:016x}", asdict(ONE)] for number in range(500)]
    read, _ = kept.read_stored(stored(*pairs))
    assert list(read) == [name for name, _ in pairs[-kept.MOST :]]


def test_a_nickname_is_a_strangers_word() -> None:
    name = kept.read_stored(stored(nickname="  <b>\n" + "x" * 99))[1]
    assert len(name) == kept.LONGEST_NICKNAME and "\n" not in name
    assert f"{name}".startswith("\\<b")
    assert kept.read_stored(stored(nickname=7)) == ({}, "")


def test_the_nickname_stands_in_the_table_and_is_no_formula() -> None:
    table = quiz.as_csv([ONE], {"patches": "Patches"}, {}, "=1+1")
    assert table.splitlines()[1].startswith("'=1+1,2026-01-01")
    assert "How many?" in table


# a session


def page() -> None:  # run as a script of its own, where no name of this file is known
    import streamlit as st

    from explainer.shell import quiz
    from explainer.shell.quiz import Question
    from explainer.state.place import Place
    from vit_core import ViTConfig

    quiz.sync()
    for name in ("one", "two"):
        question = Question(name, f"Which {name}?", ("a", "b"), 1, "because")
        quiz.show_question("patches", question, Place(ViTConfig()))
    quiz.show_kept()
    st.session_state["scores"] = quiz.scores()


@pytest.fixture
def app() -> AppTest:
    app = AppTest.from_function(page).run()
    assert not app.exception
    return app


def names_of_questions(app: AppTest) -> list[str]:
    return [group.key.removeprefix("answer-") for group in app.button_group]


def test_the_browser_is_told_each_answer_once_under_the_name_of_its_question(app: AppTest) -> None:
    assert told(app)["recent"] == [] and told(app)["nickname"] is None
    (one, _) = names_of_questions(app)
    app.button_group[0].set_value("a").run()
    ((name, answer),) = told(app)["recent"]
    assert name == one
    assert kept.read_answer(answer) == quiz_answer(app, one)
    (verdict,) = sent_to(app, "verdict")
    assert json.loads(verdict.json)["keep"] == [[name, answer]]
    app.run()
    assert json.loads(sent_to(app, "verdict")[0].json)["keep"] == []


def quiz_answer(app: AppTest, name: str) -> Answer:
    return app.session_state[quiz.ANSWERS_KEY][name]


def test_a_new_session_takes_over_what_the_browser_has(
    app: AppTest, click_in: Callable[..., AppTest]
) -> None:
    one, two = names_of_questions(app)
    app.button_group[1].set_value("b").run()
    old = [replace(ONE, given=given, right="b") for given in ("a", "a")]
    pairs = [[one, asdict(old[0])], [two, asdict(old[1])]]
    click_in(app, kept_component(app), {"stored": stored(*pairs, nickname="Ann")})
    assert not app.exception
    assert not app.button_group
    assert quiz_answer(app, one) == old[0]
    assert quiz_answer(app, two) == old[1], "the first answer counts"
    assert app.session_state["scores"] == {"patches": (2, 0)}
    assert app.text_input[0].value == "Ann"


def kept_component(app: AppTest) -> str:
    return "answers-in-browser"


def test_an_answer_that_is_no_option_leaves_the_question_open(
    app: AppTest, click_in: Callable[..., AppTest]
) -> None:
    one, _ = names_of_questions(app)
    forged = stored([one, asdict(replace(ONE, given="<b>c</b>"))])
    click_in(app, kept_component(app), {"stored": forged})
    assert not app.exception
    assert len(app.button_group) == 2
    app.button_group[0].set_value("b").run()
    assert quiz_answer(app, one).given == "b"


@pytest.mark.parametrize("hostile", ["nonsense", stored([1, 2]), {"a": 1}, 7, None])
def test_nonsense_from_the_browser_changes_nothing(
    app: AppTest, click_in: Callable[..., AppTest], hostile: object
) -> None:
    click_in(app, kept_component(app), {"stored": hostile})
    assert not app.exception
    assert len(app.button_group) == 2 and not app.session_state[quiz.ANSWERS_KEY]


def test_a_nickname_is_kept_and_all_is_forgotten_together(app: AppTest) -> None:
    app.text_input[0].set_value("Ann").run()
    app.button_group[0].set_value("a").run()
    assert told(app)["nickname"] == "Ann"
    before = told(app)
    app.button(key="forget-answers").click().run()
    after = told(app)
    assert after["forgotten"] == before["forgotten"] + 1
    assert after["session"] == before["session"]
    assert (after["recent"], after["nickname"]) == ([], "")
    assert len(app.button_group) == 2 and app.session_state["scores"] == {}
    assert "in this browser alone" in texts_of(app)


# answers of the story


def heard_page(heard: object) -> None:
    import streamlit as st

    from explainer.shell import quiz

    quiz.keep_heard("story", heard)
    st.session_state["scores"] = quiz.scores()


@pytest.mark.parametrize(
    ("heard", "scores"),
    [
        ({"name": "x", "question": "Which?", "given": "a", "right": "a"}, {"story": (1, 1)}),
        ({"name": "x", "question": "Which?", "given": "a", "right": "b", "places": [1]},
         {"story": (1, 0)}),
        ({"name": "x", "question": "Which?", "given": "a"}, {}),
        ({"question": "Which?", "given": 7, "right": "a"}, {}),
        ({"question": "x" * 10_000, "given": "a", "right": "a"}, {}),
        ("nonsense", {}),
        (None, {}),
    ],
)  # fmt: skip
def test_an_answer_from_the_story_counts_if_it_can_be_one(heard: object, scores: dict) -> None:
    app = AppTest.from_function(heard_page, args=(heard,)).run().run()
    assert not app.exception
    assert app.session_state["scores"] == scores


def story_page(name: str) -> None:
    import streamlit as st

    from explainer.shell import quiz
    from explainer.views.story.hear import keep_prediction

    quiz.sync()
    keep_prediction({"name": name, "about": "a", "question": "Which?", "given": "a", "right": "b"})
    st.session_state["scores"] = quiz.scores()


def test_a_prediction_of_the_story_is_kept_as_an_answer() -> None:
    app = AppTest.from_function(story_page, args=(ORDER[0],)).run().run()
    assert not app.exception
    assert app.session_state["scores"] == {"story": (1, 0)}
    ((name, answer),) = told(app)["recent"]
    assert kept.read_stored(stored([name, answer]))[0].keys() == {name}


def test_the_story_has_no_prediction_of_another_name() -> None:
    app = AppTest.from_function(story_page, args=("nonsense",)).run()
    assert app.session_state["scores"] == {}
