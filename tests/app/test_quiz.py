"""Questions: answered before anything is revealed, never stale, and scored at the first go."""

import csv
import io
import json

import pytest
from streamlit.testing.v1 import AppTest

from explainer.shell.quiz import Answer, Question, as_csv, askable, compared, fingerprint

ONE = Question("rows", "How many rows?", ("49", "50", "51"), 1, "49 patches and **one** more.")


def page() -> None:  # run as a script of its own, where no name of this file is known
    import streamlit as st

    from explainer.shell import quiz
    from explainer.shell.quiz import Question
    from explainer.state.place import Place
    from vit_core import ViTConfig

    rows = st.session_state.setdefault("rows", 50)
    quiz.show(
        "patches",
        [
            Question(
                "rows",
                "How many rows?",
                (f"{rows - 1}", f"{rows}"),
                1,
                f"There are {rows} of them.",
            ),
            Question("heads", "How many heads?", ("four", "eight"), 0, "Because of the heads."),
        ],
        Place(ViTConfig()),
    )
    st.session_state["scores"] = quiz.scores()


@pytest.fixture
def app() -> AppTest:
    app = AppTest.from_function(page).run()
    assert not app.exception
    return app


def verdicts(app: AppTest) -> list[dict]:
    return [json.loads(element.proto.json) for element in app.get("bidi_component")]


def said(app: AppTest) -> str:
    texts = [block.value for block in app.markdown]
    return " ".join([*texts, *(verdict["text"] for verdict in verdicts(app))])


def answer(app: AppTest, place: int, option: str) -> AppTest:
    """Choose an option of the open question at this place, and press its button."""
    app.radio[place].set_value(option)
    return app.button[place].click().run()


def test_nothing_is_revealed_before_an_answer(app: AppTest) -> None:
    assert [radio.label for radio in app.radio] == ["How many rows?", "How many heads?"]
    assert all(radio.value is None for radio in app.radio)
    assert "There are 50" not in said(app) and "Because" not in said(app)
    assert app.session_state["scores"] == {}


def test_a_right_answer(app: AppTest) -> None:
    answer(app, 0, "50")
    assert "✓ Right" in said(app) and "There are 50 of them." in said(app)
    assert "Because" not in said(app)
    assert [radio.label for radio in app.radio] == ["How many heads?"]
    assert app.session_state["scores"] == {"patches": (1, 1)}


def test_a_wrong_answer_names_the_right_one(app: AppTest) -> None:
    answer(app, 0, "49")
    assert "✗ Not quite" in said(app)
    assert "Your answer: 49 · right answer: **50**" in said(
        app
    ) and "There are 50 of them." in said(app)
    assert app.session_state["scores"] == {"patches": (1, 0)}


def test_only_the_answer_just_given_takes_the_focus(app: AppTest) -> None:
    answer(app, 0, "49")
    assert [verdict["fresh"] for verdict in verdicts(app)] == [True]
    answer(app, 0, "four")
    assert [verdict["fresh"] for verdict in verdicts(app)] == [False, True]
    app.run()
    assert [verdict["fresh"] for verdict in verdicts(app)] == [False, False]


def test_choosing_is_not_yet_answering(app: AppTest) -> None:
    app.radio[0].set_value("50").run()
    assert "There are 50" not in said(app)
    assert app.session_state["scores"] == {}


def test_an_answer_without_a_choice_is_asked_for(app: AppTest) -> None:
    app.button[0].click().run()
    assert "Choose one of the options first." in said(app)
    assert app.session_state["scores"] == {}


def test_other_numbers_open_the_question_again_and_both_answers_count(app: AppTest) -> None:
    answer(app, 0, "50")
    app.session_state["rows"] = 197
    app.run()
    assert [radio.label for radio in app.radio] == ["How many rows?", "How many heads?"]
    assert "There are" not in said(app)
    answer(app, 0, "196")
    assert app.session_state["scores"] == {"patches": (2, 1)}
    app.session_state["rows"] = 50
    app.run()
    assert "✓ Right" in said(app) and "There are 50 of them." in said(app)
    assert app.session_state["scores"] == {"patches": (2, 1)}


def test_all_parts_of_a_question_make_its_fingerprint() -> None:
    others = [
        Question("row", *list(vars(ONE).values())[1:]),
        Question("rows", "How many?", ONE.options, 1, ONE.why),
        Question("rows", ONE.text, ("49", "50"), 1, ONE.why),
        Question("rows", ONE.text, ONE.options, 2, ONE.why),
        Question("rows", ONE.text, ONE.options, 1, "Other numbers."),
    ]
    names = {fingerprint("patches", question) for question in [ONE, *others]}
    assert len(names | {fingerprint("position", ONE)}) == 7
    assert fingerprint("patches", ONE) == fingerprint("patches", Question(**vars(ONE)))


@pytest.mark.parametrize("place", [-1, 3])
def test_an_answer_that_is_no_option_is_an_error(place: int) -> None:
    with pytest.raises(ValueError, match="options count from 0"):
        Question("rows", "How many?", ("1", "2", "3"), place, "")


def test_options_that_read_the_same_become_one_and_the_answer_stays() -> None:
    (question,) = askable([Question("x", "?", ("a", "b", "a", "c", "b"), 4, "")])
    assert question.options == ("a", "b", "c")
    assert question.options[question.answer] == "b"
    assert askable([ONE]) == [ONE]


def test_a_question_with_a_single_option_is_not_asked() -> None:
    assert askable([Question("x", "?", ("0.5", "0.5"), 1, "")]) == []


def test_the_table_of_answers() -> None:
    answers = [
        Answer("2026-01-01T10:00:00+00:00", "patches", 'A "quoted", one?', "a", "b", "digit=3"),
        Answer("2026-01-01T10:01:00+00:00", "position", "Zwei\nZeilen?", "b", "b", ""),
    ]
    text = as_csv(
        answers,
        {"patches": "Patches", "position": "Position"},
        {"patches": "http://host/patches", "position": "http://host/position"},
    )
    header, first, second = csv.reader(io.StringIO(text))
    assert header[:3] == ["time (UTC)", "page", "question"] and len(header) == 7
    assert first == [
        "2026-01-01T10:00:00+00:00",
        "Patches",
        'A "quoted", one?',
        "a",
        "b",
        "no",
        "http://host/patches?digit=3",
    ]
    assert second[1:] == ["Position", "Zwei\nZeilen?", "b", "b", "yes", "http://host/position"]


def test_an_option_that_shows_the_answers_number_is_left_out() -> None:
    shown = [("Head 1", "0.90"), ("Head 2", "0.91"), ("Head 3", "0.91"), ("Head 4", "0.12")]
    found = compared("farthest", "Which?", shown, 1, "In {unit}: {values}.", unit="patches")
    assert found.options == ("Head 1", "Head 2", "Head 4")
    assert found.options[found.answer] == "Head 2"
    assert found.why == "In patches: Head 1 0.90, Head 2 0.91, Head 4 0.12."


def test_where_all_options_show_the_same_nothing_is_asked() -> None:
    found = compared("most", "Which?", [("a", "0.91"), ("b", "0.91")], 1, "{values}.")
    assert found.options == ("b",) and not askable([found])


def test_options_of_others_may_be_alike() -> None:
    shown = [("a", "0.5"), ("b", "0.1"), ("c", "0.1")]
    assert compared("most", "Which?", shown, 0, "{values}.").options == ("a", "b", "c")


@pytest.mark.parametrize("zeros", [("0.00", "−0.00"), ("+0.00", "−0.00"), ("−0.0 %", "0.0 %")])
def test_a_zero_looks_as_right_as_one_with_a_minus(zeros: tuple[str, str]) -> None:
    shown = [("a", zeros[1]), ("b", zeros[0]), ("c", "−0.01")]
    assert compared("x", "?", shown, 1, "{values}").options == ("b", "c")
    (question,) = askable([Question("x", "?", (*zeros, "1"), 1, "")])
    assert len(question.options) == 2 and question.answer == 0
