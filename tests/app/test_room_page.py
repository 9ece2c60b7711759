"""The page of a class: its two doors, and its teacher's console."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import segno
from reading import parameter_of, refusals_of, sent_to, state_of
from streamlit.testing.v1 import AppTest
from unlike import UNLIKE, put

from explainer import classroom, components
from explainer.classroom import the_classrooms
from explainer.content import load_texts
from explainer.inputs.models import load
from explainer.shell import routes
from explainer.shell.story_screens import ORDER
from explainer.views.room.lead import link_to_join

Open = Callable[..., AppTest]
TEXTS = load_texts("room_page")
TEACHER, PUPIL = "t" * 32, "p" * 32


@pytest.fixture(autouse=True)
def rooms(shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test have rooms of its own, on a server that has their lines."""
    monkeypatch.setenv(classroom.VARIABLE, f"sqlite:///{tmp_path / 'classrooms.sqlite'}")
    monkeypatch.setattr(classroom, "_served", [True])


def button(app: AppTest, key: str) -> Any:
    (one,) = [one for one in app.button if (one.key or "").endswith(key)]
    return one


def console(app: AppTest) -> dict[str, Any]:
    (proto,) = sent_to(app, "classroom_console")
    return json.loads(proto.json)


def opened(open_page: Open, **params: Any) -> AppTest:
    app = open_page("room", **params)
    button(app, "classroom-opened").click().run()
    assert not app.exception, app.exception[0].message
    return app


def join(app: AppTest, typed: str, nickname: str = "") -> AppTest:
    app.text_input[0].set_value(typed)
    app.text_input[1].set_value(nickname)
    (sender,) = [one for one in app.button if one.label == TEXTS["join"]["button"]]
    sender.click().run()
    assert not app.exception, app.exception[0].message
    return app


def test_a_class_is_opened_and_led(open_page: Open):
    app = opened(open_page, digit=3)
    code = parameter_of(app, "room")
    told = console(app)
    assert told["code"] == code and re.fullmatch("[A-Z]{6}", code)
    assert told["link"] == "digit=3"
    assert "present=1" in told["story"] and f"room={code}" in told["story"]
    assert the_classrooms().seen(code).joined == 0, "a teacher is no pupil"
    assert told["picture"]["src"].startswith("data:image/png")


@pytest.mark.parametrize("written", ["{}", " {} ", "low", "split", "dashed"])
def test_letters_are_taken_as_people_type_them(open_page: Open, written: str):
    code = the_classrooms().open(TEACHER)
    typed = {
        "low": code.lower(),
        "split": " ".join(code),
        "dashed": f"{code[:3]}-{code[3:].lower()}",
    }.get(written, written.format(code))
    app = join(open_page("room"), typed, "Mia")
    assert state_of(app).room == code
    (pupil,) = the_classrooms().pupils(code, TEACHER)
    assert pupil.nickname == "Mia"


@pytest.mark.parametrize("typed", ["", "ABC", "ABCDEI", "123456", "<b>x</b>"])
def test_what_is_no_code_is_answered_in_a_sentence(open_page: Open, typed: str):
    app = join(open_page("room"), typed)
    assert [one.value for one in app.error] == [TEXTS["join"]["no_code"]]
    assert not state_of(app).room


def test_an_unknown_and_an_ended_class_are_answered_in_a_sentence(open_page: Open):
    code = the_classrooms().open(TEACHER)
    the_classrooms().end(code, TEACHER)
    app = join(open_page("room"), code)
    assert [one.value for one in app.error] == [TEXTS["join"]["unknown"].format(code=code)]
    assert not state_of(app).room


def test_a_full_class_takes_nobody_else(open_page: Open, monkeypatch: pytest.MonkeyPatch):
    code = the_classrooms().open(TEACHER)
    limits = the_classrooms().limits
    monkeypatch.setattr(the_classrooms(), "limits", type(limits)(**{**vars(limits), "pupils": 1}))
    the_classrooms().join(code, PUPIL)
    app = join(open_page("room"), code)
    (error,) = app.error
    assert "full" in error.value and not state_of(app).room


def test_a_link_fills_in_the_letters_and_joins_nobody_before_they_say_so(open_page: Open):
    code = the_classrooms().open(TEACHER)
    app = open_page("room", room=code)
    assert not app.exception
    assert app.text_input[0].value == code
    assert the_classrooms().seen(code).joined == 0


def test_the_short_link_leads_from_home_to_the_door(open_page: Open):
    code = the_classrooms().open(TEACHER)
    app = open_page("home", room=code)
    assert not app.exception and app.text_input[0].value == code


def test_a_nickname_is_data(open_page: Open):
    code = the_classrooms().open(TEACHER)
    join(open_page("room"), code, "<b>**x**</b>")
    (pupil,) = the_classrooms().pupils(code, TEACHER)
    assert "**" in pupil.nickname, "kept as it was typed, shown in a table of plain texts"


def test_the_end_deletes_and_says_so(open_page: Open):
    app = opened(open_page)
    code = parameter_of(app, "room")
    button(app, "classroom-end-now").click().run()
    assert not app.exception and parameter_of(app, "room") is None
    assert [one.value for one in app.success] == [TEXTS["teacher"]["ended"].format(code=code)]
    assert not the_classrooms().find(code, PUPIL)
    assert not refusals_of(app)


def test_a_server_without_lines_says_so(open_page: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(classroom, "_served", [])
    app = open_page("room")
    assert TEXTS["open"]["cannot"] in [one.value for one in app.markdown]
    assert not [one for one in app.button if (one.key or "").endswith("classroom-opened")]


@pytest.mark.parametrize("link", [None, 3, "a" * 9_000, "digit=99&source=%00", "room=AAAAAA", "=&"])
def test_what_no_story_sends_changes_nothing(
    open_page: Open, click_in: Callable[..., AppTest], link: object
):
    app = opened(open_page)
    code = parameter_of(app, "room")
    click_in(app, "classroom_console", {"link": link})
    assert not app.exception
    assert state_of(app).source == "default" and state_of(app).room == code


def test_the_picture_follows_the_story(open_page: Open, click_in: Callable[..., AppTest]):
    app = opened(open_page)
    before = console(app)
    click_in(app, "classroom_console", {"link": "source=fast&digit=8"})
    assert console(app)["link"] == "source=fast&digit=8"
    assert console(app)["picture"] != before["picture"]


@pytest.mark.parametrize("name", UNLIKE)
def test_every_screen_has_a_title_for_every_model(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_page: Open
):
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    put(tmp_path, UNLIKE[name])
    told = console(opened(open_page))
    assert len(told["screens"]) == len(ORDER) and list(told["names"]) == list(ORDER)
    assert not [title for title in told["screens"] if "{" in title]


def test_the_teachers_window_links_to_the_class_that_its_visitor_has_opened(open_page: Open):
    code = the_classrooms().open(TEACHER)
    for secret, room in ((TEACHER, code), (PUPIL, None)):
        app = open_page("teacher", room=code)
        app.session_state["visitor"] = secret
        (told,) = [
            message
            for proto in sent_to(app.run(), "selection")
            if (message := json.loads(proto.json)).get("channel") == "teacher"
        ]
        assert (told["room"] or {}).get("code") == room
    assert the_classrooms().seen(code).joined == 0, "to look at the window joins nobody"


@pytest.mark.parametrize(
    "here", ["https://vit.school.example/lessons/room?digit=3", "http://10.0.0.7:8501/room"]
)
def test_a_phone_reads_the_code_from_the_last_row(here: str):
    link = link_to_join(here, "KWXRTP")
    assert link == here.partition("?")[0] + "?room=KWXRTP"
    file = io.BytesIO()
    segno.make(link, error="l", boost_error=False, micro=False).save(
        file, kind="png", scale=8, border=4
    )
    drawn = cv2.imdecode(np.frombuffer(file.getvalue(), np.uint8), cv2.IMREAD_GRAYSCALE)
    # as a camera sees it: 120 pixels of a dim, blurred picture
    small = cv2.resize(drawn, (120, 120), interpolation=cv2.INTER_AREA)
    seen = np.full((480, 640), 90, np.uint8)
    seen[100:220, 300:420] = (40 + 0.6 * small).astype(np.uint8)
    read, _, _ = cv2.QRCodeDetector().detectAndDecode(cv2.GaussianBlur(seen, (3, 3), 0))
    assert read == link


def test_every_text_of_the_console_is_there_and_used():
    folder = Path(components.__file__).parent / "classroom"
    source = (folder / "console.js").read_text(encoding="utf-8")
    texts = TEXTS["console"]
    assert set(re.findall(r"texts\.(\w+)", source)) <= texts.keys()
    for name in texts:
        assert re.search(rf"\b{name}\b", source), name


def test_the_page_is_one_that_the_bar_does_not_list():
    assert "room" in routes.UNLISTED and routes.TITLES["room"]
