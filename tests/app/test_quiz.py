"""Questions: answered by one click, nothing revealed before it, never stale."""

import csv
import io
import json
from dataclasses import replace

import pytest
from reading import texts_of
from streamlit.testing.v1 import AppTest

from explainer.shell.quiz import Answer, Question, as_csv, askable, by_part, compared, fingerprint

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
                shows="cut",
            ),
            Question("heads", "How many **heads**?", ("four", "eight"), 0, "Because of the heads."),
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


def options(app: AppTest) -> list[tuple[str, ...]]:
    """Return the options of each open question."""
    return [tuple(group.options) for group in app.button_group]


def answer(app: AppTest, place: int, option: str) -> AppTest:
    """Click an option of the open question at this place."""
    return app.button_group[place].set_value(option).run()


def test_nothing_is_revealed_before_an_answer(app: AppTest) -> None:
    assert options(app) == [("49", "50"), ("four", "eight")]
    assert all(group.value is None for group in app.button_group)
    assert "How many rows?" in texts_of(app) and "How many **heads**?" in texts_of(app)
    assert "There are 50" not in texts_of(app) and "Because" not in texts_of(app)
    assert app.session_state["scores"] == {}


def test_a_screen_reader_hears_the_question_without_its_asterisks(app: AppTest) -> None:
    assert [group.label for group in app.button_group] == ["How many rows?", "How many heads?"]


def test_one_click_is_a_right_answer(app: AppTest) -> None:
    answer(app, 0, "50")
    assert "**Right.** There are 50 of them." in texts_of(app)
    assert "Because" not in texts_of(app) and "How many rows?" in texts_of(app)
    assert options(app) == [("four", "eight")]
    assert app.session_state["scores"] == {"patches": (1, 1)}
    (verdict,) = verdicts(app)
    assert verdict["options"] == ["49", "50"] and verdict["states"] == ["other", "chosen_right"]
    assert verdict["showMe"] == []


def test_after_a_wrong_answer_all_options_stay_and_the_picture_is_offered(app: AppTest) -> None:
    answer(app, 0, "49")
    assert "**Not quite.** There are 50 of them." in texts_of(app)
    assert app.session_state["scores"] == {"patches": (1, 0)}
    (verdict,) = verdicts(app)
    assert verdict["options"] == ["49", "50"] and verdict["states"] == ["chosen_wrong", "right"]
    assert verdict["showMe"] == ["st-key-fold-cut", "st-key-part-cut", "st-key-cut"]


def test_without_a_place_that_shows_it_nothing_is_offered(app: AppTest) -> None:
    answer(app, 1, "eight")
    assert verdicts(app)[0]["showMe"] == []


def test_only_the_answer_just_given_takes_the_focus(app: AppTest) -> None:
    answer(app, 0, "49")
    assert [verdict["fresh"] for verdict in verdicts(app)] == [True]
    answer(app, 0, "four")
    assert [verdict["fresh"] for verdict in verdicts(app)] == [False, True]
    app.run()
    assert [verdict["fresh"] for verdict in verdicts(app)] == [False, False]


def test_other_numbers_open_the_question_again_and_both_answers_count(app: AppTest) -> None:
    answer(app, 0, "50")
    app.session_state["rows"] = 197
    app.run()
    assert options(app) == [("196", "197"), ("four", "eight")]
    assert "There are" not in texts_of(app)
    answer(app, 0, "196")
    assert app.session_state["scores"] == {"patches": (2, 1)}
    app.session_state["rows"] = 50
    app.run()
    assert "**Right.** There are 50 of them." in texts_of(app)
    assert app.session_state["scores"] == {"patches": (2, 1)}


def test_all_parts_of_a_question_make_its_fingerprint() -> None:
    others = [
        Question("row", *list(vars(ONE).values())[1:]),
        Question("rows", "How many?", ONE.options, 1, ONE.why),
        Question("rows", ONE.text, ("49", "50"), 1, ONE.why),
        Question("rows", ONE.text, ONE.options, 2, ONE.why),
        Question("rows", ONE.text, ONE.options, 1, "Other numbers."),
    ]
    moved = replace(ONE, part="shape", shows="cut")
    assert fingerprint("patches", ONE) == fingerprint("patches", moved)
    names = {fingerprint("patches", question) for question in [ONE, *others]}
    assert len(names | {fingerprint("position", ONE)}) == 7
    assert fingerprint("patches", ONE) == fingerprint("patches", Question(**vars(ONE)))


def test_each_part_asks_one_question_and_the_end_of_the_page_the_others() -> None:
    shape, second = replace(ONE, part="shape"), replace(ONE, part="shape", name="second")
    absent, single = replace(ONE, part="lens"), replace(ONE, options=("a", "a"), part="cut")
    placed, rest = by_part([ONE, shape, second, absent, single], ["cut", "shape"])
    assert placed == {"shape": shape}
    assert rest == [ONE, second, absent]


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
        "=Ann",
    )
    header, first, second = csv.reader(io.StringIO(text))
    assert header[:4] == ["nickname", "time (UTC)", "page", "question"] and len(header) == 8
    assert first == [
        "'=Ann",
        "2026-01-01T10:00:00+00:00",
        "Patches",
        'A "quoted", one?',
        "a",
        "b",
        "no",
        "http://host/patches?digit=3",
    ]
    assert second[2:] == ["Position", "Zwei\nZeilen?", "b", "b", "yes", "http://host/position"]


def test_an_option_that_shows_the_answers_number_is_left_out() -> None:
    shown = [("Head 1", "0.90"), ("Head 2", "0.91"), ("Head 3", "0.91"), ("Head 4", "0.12")]
    found = compared("farthest", "Which?", shown, 1, "In {unit}: {values}.", unit="patches")
    assert found.options == ("Head 1", "Head 2", "Head 4")
    assert found.options[found.answer] == "Head 2"
    assert found.why == "In patches: Head 1 (0.90), Head 2 (0.91), Head 4 (0.12)."


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
