"""The story's page in the room of a class: what it tells a browser, and what it takes from one."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from reading import parameter_of
from streamlit.testing.v1 import AppTest

from explainer.classroom import FILE
from explainer.classroom.store import Classrooms
from explainer.content import load_texts
from explainer.shell.class_link import has_photo, link_of_class
from explainer.state.link import State
from explainer.training.limits import load_limits
from explainer.training.visitor import ASKED_KEY

TEXTS = load_texts("room_story")
PHOTO = "0123456789abcdef"
TEACHER = "t" * 32  # a visitor's secret


def test_a_class_gets_model_picture_and_patch_but_no_photograph():
    now = State(
        source="fast", digit=3, index=4, picture="abc", photo=PHOTO, query=5, screen=7,
        present="1", room="ABCDEF", b=f"source=best&photo={PHOTO}", edits="n",
    )  # fmt: skip
    link = dict(parse_qsl(link_of_class(now)))
    assert link == {
        "source": "fast", "digit": "3", "index": "4", "picture": "abc", "query": "5",
        "b": "source=best",
    }  # fmt: skip
    assert has_photo(now) and has_photo(State(b=f"photo={PHOTO}"))
    assert not has_photo(State(picture="abc", b="digit=3"))
    assert link_of_class(State(b=f"photo={PHOTO}")) == ""


@pytest.fixture
def classrooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Classrooms]:
    monkeypatch.setattr("explainer.classroom.database_url", lambda: f"sqlite:///{tmp_path / FILE}")
    monkeypatch.setattr("explainer.classroom._served", [True])
    rooms = Classrooms(f"sqlite:///{tmp_path / FILE}", load_limits())
    yield rooms
    rooms.close()


def room_of(app: AppTest) -> Any:
    messages = [
        json.loads(one.proto.json)
        for one in app.get("bidi_component")
        if one.proto.component_name == "vit_explainer.selection"
    ]
    (told,) = [message for message in messages if message.get("channel") == "story"]
    return told["room"]


def opened(open_page: Callable[..., AppTest], secret: str, **params: object) -> AppTest:
    """Open the story as a visitor whose secret is known."""
    app = open_page("story", **params)
    assert room_of(app) is None, "nobody joins before the browser has said what it stores"
    app.session_state["visitor"] = secret
    app.session_state[ASKED_KEY] = True
    return app.run()


def test_who_opened_a_room_is_its_teacher_and_others_are_pupils(
    shipped: Path, open_page: Callable[..., AppTest], classrooms: Classrooms
):
    code = classrooms.open(TEACHER)
    told = room_of(opened(open_page, TEACHER, room=code, digit=3))
    assert told["code"] == code and told["is_teacher"] is True and told["is_shared"] is True
    assert told["link"] == "digit=3"
    pupil = room_of(opened(open_page, "p" * 32, room=code.lower()))
    assert pupil["code"] == code and pupil["is_teacher"] is False
    assert classrooms.admit(code, told["ticket"]).is_teacher
    assert not classrooms.admit(code, pupil["ticket"]).is_teacher


def test_a_room_that_is_not_there_is_dropped_with_a_sentence(
    shipped: Path, open_page: Callable[..., AppTest], classrooms: Classrooms
):
    app = open_page("story", room="ABCDEF", digit=3)
    assert not app.exception and room_of(app) is None
    assert "room" not in app.query_params and "digit" in app.query_params
    sentence = TEXTS["refused"]["unknown"].format(code="ABCDEF")
    assert any(sentence in one.proto.body for one in app.get("html"))


def test_a_server_without_lines_says_that_it_has_no_classes(
    shipped: Path, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("explainer.classroom._served", [])
    app = open_page("story", room="ABCDEF")
    assert not app.exception and room_of(app) is None
    assert any(TEXTS["refused"]["no_lines"] in one.proto.body for one in app.get("html"))


def test_a_pupil_takes_over_the_teachers_link_and_nothing_else(
    shipped: Path,
    open_page: Callable[..., AppTest],
    click_in: Callable[..., AppTest],
    classrooms: Classrooms,
):
    code = classrooms.open(TEACHER)
    app = opened(open_page, "p" * 32, room=code, digit=3, code="open")
    link = "source=fast&digit=8&query=11&room=ZZZZZZ&code=hide&present=1&screen=9&edits=n"
    click_in(app, "story", {"heard": {"screen": 6, "link": link}})
    assert {name: parameter_of(app, name) for name in app.query_params} == {
        "source": "fast", "digit": "8", "query": "11", "code": "open", "room": code, "screen": "6",
    }  # fmt: skip
    for hostile in (3, None, ["digit=1"], "digit=" + "1" * 9000, "digit=<b>", "%%%"):
        click_in(app, "story", {"heard": {"screen": 6, "link": hostile}})
        assert not app.exception
    click_in(app, "story", {"heard": {"room": "", "answers": [{"name": "loss"}, 3, None]}})
    assert not app.exception and "room" not in app.query_params
    assert room_of(app) is None
