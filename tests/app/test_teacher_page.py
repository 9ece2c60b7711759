"""The teacher's window: its words on unlike models, its plans, and links from another tab."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from reading import parameter_of, sent_to, state_of
from streamlit.testing.v1 import AppTest
from unlike import UNLIKE, put

from explainer import components
from explainer.components.packing import unpack
from explainer.content import load_texts
from explainer.inputs.models import load
from explainer.shell import routes
from explainer.shell.story_screens import ORDER
from explainer.views.teacher.plans import PLANS

BRACES = re.compile(r"\{(\w+)\}")


def told(app: AppTest) -> dict[str, Any]:
    """Return what the window was told beside the numbers of the picture."""
    messages = [json.loads(proto.json) for proto in sent_to(app, "selection")]
    (message,) = [one for one in messages if one["channel"] == "teacher"]
    return message


@pytest.mark.parametrize("length", ["15", "30", "45"])
def test_the_minutes_of_a_plan_add_up(length: str):
    assert list(PLANS) == ["15", "30", "45"]
    assert sum(PLANS[length]) == int(length) and len(PLANS[length]) == len(ORDER)
    assert all(minutes >= 0 for minutes in PLANS[length])
    assert PLANS[length][0] and PLANS[length][-1], "a lesson begins and ends with the story"
    assert all(PLANS["45"]) and all(PLANS["30"]) and not all(PLANS["15"])


@pytest.mark.parametrize("name", UNLIKE)
def test_every_screen_has_words_for_every_model(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    open_page: Callable[..., AppTest],
    find_component: Callable[..., Any],
    name: str,
):
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    put(tmp_path, UNLIKE[name])
    app = open_page("teacher")
    assert not app.exception, app.exception[0].message
    header, _ = unpack(find_component(app, "teacher").bytes)
    says = told(app)["says"]
    assert len(says) == len(ORDER)
    for screen, sentences in zip(ORDER, says, strict=True):
        assert 2 <= len(sentences) <= 4, screen
        for sentence in sentences:
            assert set(BRACES.findall(sentence)) <= header["facts"].keys(), sentence
            assert len(sentence.split()) <= 20, sentence


def test_a_link_from_the_story_is_taken_over(
    shipped: Path, open_page: Callable[..., AppTest], click_in: Callable[..., AppTest]
):
    app = open_page("teacher", digit=3)
    assert told(app)["link"] == "digit=3"
    click_in(app, "teacher", {"link": "source=fast&digit=8&query=4&present=1&screen=9"})
    assert not app.exception
    assert parameter_of(app, "source") == "fast" and parameter_of(app, "digit") == "8"
    assert parameter_of(app, "present") is None and parameter_of(app, "screen") is None
    assert told(app)["link"] == "source=fast&digit=8&query=4"


@pytest.mark.parametrize("link", [None, 3, {"digit": 3}, "a" * 9_000])
def test_what_no_tab_of_ours_sends_changes_nothing(
    shipped: Path,
    open_page: Callable[..., AppTest],
    click_in: Callable[..., AppTest],
    link: object,
):
    app = open_page("teacher", digit=3)
    before = state_of(app)
    click_in(app, "teacher", {"link": link})
    assert not app.exception and state_of(app) == before


@pytest.mark.parametrize("link", ["digit=99&source=%00&b=%%%", "<script>", "run=../..", "==&&"])
def test_a_hostile_link_falls_back(
    shipped: Path,
    open_page: Callable[..., AppTest],
    click_in: Callable[..., AppTest],
    link: str,
):
    app = open_page("teacher", digit=3)
    click_in(app, "teacher", {"link": link})
    assert not app.exception
    assert state_of(app).source == "default"


def test_every_text_of_the_window_is_there_and_used():
    folder = Path(components.__file__).parent / "teacher"
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.js")))
    texts = load_texts("teacher")["frame"]
    used = set(re.findall(r"texts\.(\w+)", source))
    assert used <= texts.keys()
    for name in texts:
        assert re.search(rf"\b{name.removesuffix('_one')}\b", source), name


def test_the_window_is_a_page_that_the_bar_does_not_list():
    assert "teacher" in routes.UNLISTED and routes.TITLES["teacher"]
