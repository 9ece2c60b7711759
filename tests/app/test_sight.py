"""A choice draws only the parts in sight again, and a browser's word about them is checked."""

import pytest
import streamlit as st

from explainer.components import sight as parts
from explainer.state import session, sight
from explainer.state.link import State
from explainer.state.sight import Sight, drawing, keep, opening

NAMES = ("one", "two", "three", "four")


@pytest.fixture(autouse=True)
def visitor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sight, "DRAWS_ALL", False)
    monkeypatch.setattr(st, "session_state", {session.SESSION_KEY: State()})


def opened() -> Sight:
    with opening("patches", NAMES) as seen:
        for name in NAMES:
            if seen.is_near(name):
                with drawing(seen, name):
                    pass
    return seen


def change(**values: object) -> None:
    st.session_state[session.SESSION_KEY] = State(**values)  # type: ignore[arg-type]


def test_a_page_begins_with_its_first_parts() -> None:
    seen = opened()
    assert seen.near == ("one", "two", "three")
    assert seen.stale() == ["four"]
    assert seen.stale_near() == []


def test_a_browser_says_what_is_in_sight_and_how_high_it_is() -> None:
    seen = opened()
    keep({"near": ["four", "two"], "heights": {"one": 812.4, "two": 20}})
    assert seen.near == ("two", "four")  # in the order of the page
    assert (seen.height("one"), seen.height("two"), seen.height("four")) == (812, 20, 600)
    assert seen.stale_near() == ["four"]
    assert opened().near == ("two", "four")  # it is still there after a run of the whole page


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "one",
        {},
        {"near": "one"},
        {"near": []},
        {"near": ["elsewhere", 7, None, {}]},
        {"heights": {"one": -1, "two": "high", "three": 1e9, "elsewhere": 10}},
        {"heights": {"one": float("nan")}},
    ],
)
def test_whatever_else_a_browser_says_changes_nothing(sent: object) -> None:
    seen = opened()
    keep(sent)
    assert seen.near == ("one", "two", "three")
    assert seen.heights == {}


def test_a_choice_makes_all_parts_stale_and_those_in_sight_are_drawn_again() -> None:
    seen = opened()
    change(query=3)
    assert seen.stale() == list(NAMES)
    assert seen.stale_near() == ["one", "two", "three"]
    with drawing(seen, "one"):
        pass
    assert seen.is_forgotten()  # nobody has the others drawn
    seen.asked = {"two", "three"}
    assert not seen.is_forgotten()
    for name in ("two", "three"):
        with drawing(seen, name):
            pass
    assert not seen.is_forgotten() and not seen.asked


def test_another_page_begins_anew() -> None:
    opened()
    keep({"near": ["four"], "heights": {"one": 9}})
    with opening("position", NAMES) as seen:
        assert seen.near == ("one", "two", "three")
        assert seen.heights == {}


def test_a_part_that_fails_is_not_drawn() -> None:
    seen = opened()
    change(query=3)
    with pytest.raises(KeyError), drawing(seen, "one"):
        raise KeyError
    assert "one" in seen.stale()
    assert not seen.drawing


@pytest.mark.parametrize(
    ("values", "is_same"),
    [
        ({"query": 3, "block": 1, "head": 2, "cell": "q.0.1", "off": "0.1", "code": "open"}, True),
        ({"digit": 3}, False),
        ({"picture": "abc"}, False),
        ({"sample": 2}, False),
        ({"source": "fast"}, False),
        ({"source": "run", "run": "a-run-of-mine", "epoch": 2}, False),
        ({"query": 3, "digit": 3}, False),
    ],
)
def test_another_model_or_picture_is_another_choice(values: dict, is_same: bool) -> None:
    assert sight.is_same_choice(State(), State(**values)) is is_same


@pytest.mark.parametrize(("values", "asked"), [({"query": 3}, "parts"), ({"digit": 3}, "page")])
def test_a_callback_of_a_part_that_changes_the_picture_runs_the_whole_page(
    monkeypatch: pytest.MonkeyPatch, values: dict, asked: str
) -> None:
    seen, reruns = opened(), []
    monkeypatch.setattr(st, "rerun", lambda *scope: reruns.append("parts" if scope else "page"))
    with drawing(seen, "one"):
        callback = parts.repaints(lambda: change(**values))
    callback()
    assert reruns[0] == asked
